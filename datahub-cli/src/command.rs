//! The commands, a module each.

pub(crate) mod check;
pub(crate) mod explain;
