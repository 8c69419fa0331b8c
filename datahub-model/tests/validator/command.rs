//! The messages of the command line that no row can make, because they are about files and not about items. The tests of
//! `datahub-derive` and `datahub-cli` hold the command to them.

use datahub_model::diagnostic::Code;

/// Each with its code, an example of its message, and its cure.
pub(crate) const MESSAGES: [(Code, &str, &str); 4] = [
    (Code::FaultyRust, "expected identifier", "run `cargo check`, which says more about it"),
    (
        Code::UnknownFormerName,
        "no column of table `contacts` was ever called `fux` in a migration",
        "did you mean `fax`?",
    ),
    (
        Code::CdmsChanged,
        "CDMS has changed: the attribute `Fax` of `Account` is gone, which `Organisation` uses",
        "save CDMS's present $metadata as the snapshot; then `datahub check` shows what must change in the contract",
    ),
    (
        Code::UnlistedModel,
        "`Remark` is in no `models![…]`, so no hub of this project knows it",
        "add `Remark` to the `models![…]` of the program that uses it",
    ),
];
