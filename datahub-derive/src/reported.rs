//! Which item reports the faults of a shared file: they are reported once, no matter how many items name the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use proc_macro2::Ident;

use crate::project::Package;

/// A file of a package: a process that serves an editor expands many packages, and each reports its own faults.
type Shared = (Option<PathBuf>, PathBuf);

/// The messages about the files that items share, and the item that reported them.
static REPORTED: Mutex<BTreeMap<Shared, (Vec<String>, String)>> = Mutex::new(BTreeMap::new());

fn shared(package: &Package, file: &Path) -> Shared {
    (package.folder().map(Path::to_path_buf), file.to_path_buf())
}

/// Whether this item reports the messages about a file: the first item that finds them does, each time it is expanded. An
/// editor expands an item many times in one process, and must not lose the messages.
pub(crate) fn is_reporter(package: &Package, file: &Path, messages: Vec<String>, item: &Ident) -> bool {
    let mut reported = REPORTED.lock().unwrap_or_else(PoisonError::into_inner);
    let (shared, item) = (shared(package, file), item.to_string());
    match reported.get(&shared) {
        Some((known, reporter)) if *known == messages => *reporter == item,
        _ => {
            reported.insert(shared, (messages, item));
            true
        }
    }
}

/// Forgets a file whose faults are fixed: the next item that finds a fault reports it, even if it is the same one.
pub(crate) fn forget(package: &Package, file: &Path) {
    REPORTED.lock().unwrap_or_else(PoisonError::into_inner).remove(&shared(package, file));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_item_that_finds_what_is_wrong_reports_it() {
        let item = |name: &str| Ident::new(name, proc_macro2::Span::call_site());
        let (package, other) = (Package::at("here"), Package::at("other"));
        let file = Path::new("here/account.toml");
        let messages = |message: &str| vec![message.to_owned()];
        assert!(is_reporter(&package, file, messages("one"), &item("A")));
        assert!(!is_reporter(&package, file, messages("one"), &item("B")));
        assert!(is_reporter(&package, file, messages("one"), &item("A")), "an editor asks it again");
        assert!(is_reporter(&package, file, messages("two"), &item("B")), "other messages are news");
        assert!(!is_reporter(&package, file, messages("two"), &item("A")));
        forget(&package, file);
        assert!(is_reporter(&package, file, messages("two"), &item("A")));
        assert!(is_reporter(&package, Path::new("here/contact.toml"), messages("two"), &item("B")));
        assert!(is_reporter(&other, file, messages("two"), &item("B")), "each package reports its own");
    }
}
