//! The commands, a module each.

pub(crate) mod address;
pub(crate) mod adopt;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod diff;
pub(crate) mod docs;
pub(crate) mod environment;
pub(crate) mod explain;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod migrate;
