//! What an item's contract says: read from the project's files and checked; what is wrong with a file is reported once in a
//! compilation.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use datahub_model::diagnostic::{Code, Diagnostic};
use datahub_model::source::{ColumnLimit, Contract, Placed, Spot, nearest};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::project::{
    ContractFile, MARK, NoContract, NoProject, NoSnapshot, Package, Project, ROOT, Snapshot, Unread, Unrooted,
};
use crate::reported::{forget, is_reporter};
use crate::shown::{Diagnostics, Shown, Words};

/// A contract with what the expansion has to say about its file.
pub(crate) struct Source {
    pub(crate) contract: Contract,
    /// What the project's Diesel was built for.
    pub(crate) diesel_columns: ColumnLimit,
    /// Makes the build depend on the files that were read.
    pub(crate) tracking: TokenStream,
    /// Whether something is wrong with the contract, which has been reported: the rest of what it states can be relied on.
    pub(crate) is_faulty: bool,
}

impl Source {
    /// Takes the place of a contract that is not known, so that whatever else is wrong with the item is reported.
    pub(crate) fn unknown() -> Self {
        Source {
            contract: Contract::unread(),
            diesel_columns: ColumnLimit::Columns128,
            tracking: TokenStream::new(),
            is_faulty: true,
        }
    }
}

/// An item of a package, which reads the files it names and reports what is wrong with them.
#[derive(Clone, Copy)]
pub(crate) struct PackageItem<'i> {
    pub(crate) item: &'i Ident,
    pub(crate) package: &'i Package,
}

impl PackageItem<'_> {
    /// Reads the contract that `mapping = "…"` names, and checks it against the `$metadata` snapshot if there is one.
    ///
    /// What is wrong with it, or with a file that all contracts need, is reported once in a compilation, at the first item
    /// that needs the file.
    pub(crate) fn contract(self, mapping: &Placed<String, Words>, diagnostics: &mut Diagnostics) -> Option<Source> {
        let PackageItem { item, package } = self;
        let words = mapping.place;
        let project = project(package).map_err(|lacking| self.report(lacking, words, diagnostics)).ok()?;
        let file = file(&project, &mapping.value).map_err(|lacking| self.report(lacking, words, diagnostics)).ok()?;
        let ContractFile { path, shown, text } = file;
        forget(package, &project.contracts());
        // Without a snapshot the contract is still read, and the struct is still checked.
        let (snapshot, is_unseen) = match project.snapshot() {
            Ok(snapshot) => (snapshot, false),
            Err(why) => {
                self.report(no_snapshot(why), words, diagnostics);
                (None, true)
            }
        };
        let metadata = snapshot.as_ref().map(|snapshot| &*snapshot.metadata);
        let (contract, found) = Contract::parse_beside(&text, metadata).into_parts();
        let is_faulty = is_unseen || !found.is_empty();
        if found.is_empty() {
            forget(package, &path);
        } else if is_reporter(package, &path, found.iter().map(|fault| fault.render(&shown)).collect(), item) {
            let shown = |spot: Spot| Shown { words, drawing: Some(spot.drawn(&shown)) };
            diagnostics.extend(found.into_iter().map(|fault| fault.seen_at(shown)));
        }
        let mut files = vec![project.file(), path];
        if let Some(Snapshot { path, .. }) = snapshot {
            forget(package, &path);
            files.push(path);
        }
        Some(Source {
            contract: contract.unwrap_or_else(Contract::unread),
            diesel_columns: project.settings().diesel_columns,
            tracking: tracking(package, &files),
            is_faulty,
        })
    }

    /// The source of a model that has no contract, because CDMS has nothing of it.
    pub(crate) fn without_cdms(self, table: &Placed<String, Words>, diagnostics: &mut Diagnostics) -> Option<Source> {
        let project = project(self.package).map_err(|lacking| self.report(lacking, table.place, diagnostics)).ok()?;
        Some(Source {
            contract: Contract::without_cdms(&table.value),
            diesel_columns: project.settings().diesel_columns,
            tracking: tracking(self.package, &[project.file()]),
            is_faulty: false,
        })
    }

    /// Whether the package does not depend on Diesel, which `table!` and what it generates refer to by this name. It is
    /// reported once in a compilation, at the first model.
    pub(crate) fn lacks_diesel(self, diagnostics: &mut Diagnostics) -> bool {
        let PackageItem { item, package } = self;
        let lacks = package.lacks_diesel();
        if lacks && is_reporter(package, &package.manifest(), Vec::new(), item) {
            let message = "this package does not depend on diesel, which the model's table is made with";
            let cure = "run `cargo add diesel`, or write `diesel(table = false)` and do without Diesel's table here";
            diagnostics.push(Diagnostic::of(Code::MissingKey, item.span(), message).cure(cure));
        }
        lacks
    }

    /// Reports what is lacking on these words; what items share, at one of them only.
    fn report(self, lacking: Lacking, words: Words, diagnostics: &mut Diagnostics) {
        let reason = match lacking {
            Lacking::OfItem(reason) => reason,
            Lacking::Shared(file, reason) => {
                let message = reason.text(reason.place.as_deref());
                if !is_reporter(self.package, &file, vec![message], self.item) {
                    return;
                }
                reason
            }
        };
        diagnostics.push(reason.seen_at(|drawing| Shown { words, drawing }));
    }
}

/// What was not read, and why.
enum Lacking {
    /// What a single item names.
    OfItem(Reason),
    /// A file, or what should be one, that all items share.
    Shared(PathBuf, Reason),
}

/// The item knows which words name it; what is wrong within a file has its line drawn.
type Reason = Diagnostic<Option<String>>;

/// Something required is missing.
fn missing(message: impl Into<String>, cure: impl Into<String>) -> Reason {
    Diagnostic::of(Code::MissingKey, None, message).cure(cure)
}

const PUT_ONE: &str = "put one at the project's root; it may be empty";

/// The project that a package belongs to.
fn project(package: &Package) -> Result<Project, Lacking> {
    let place = package.folder().unwrap_or(Path::new("")).join(MARK);
    let reason = match package.project() {
        Ok(project) => {
            forget(package, &place);
            return Ok(project);
        }
        Err(Unrooted::UnknownFolder) => missing("CARGO_MANIFEST_DIR is not set", "build with cargo"),
        Err(Unrooted::NoRoot) => missing("no `datahub.toml` in this package's folder or above it", PUT_ONE),
        Err(Unrooted::Unusable(NoProject::Unread(Unread { error, .. }))) => {
            missing(format!("{MARK} cannot be read: {error}"), PUT_ONE)
        }
        Err(Unrooted::Unusable(NoProject::Faulty(fault))) => fault.seen_at(|spot| Some(spot.drawn(MARK))),
    };
    Err(Lacking::Shared(place, reason))
}

/// The file of a contract.
fn file(project: &Project, name: &str) -> Result<ContractFile, Lacking> {
    let error = match project.contract(name) {
        Ok(file) => return Ok(file),
        Err(NoContract::Outside(name)) => {
            let message = format!("{name:?} leads out of the project's contracts");
            let cure = format!("name a file in the folder {}", project.settings().contracts);
            return Err(Lacking::OfItem(Diagnostic::of(Code::WrongValue, None, message).cure(cure)));
        }
        Err(NoContract::Unread(Unread { error, .. })) => error,
    };
    if error.kind() == ErrorKind::NotFound {
        return Err(no_such_contract(project, name));
    }
    let message = format!("the contract {} cannot be read: {error}", project.shown(name));
    Err(Lacking::OfItem(missing(message, "see that it is a file that this user may read")))
}

/// There is no contract of this name; which one may be meant.
fn no_such_contract(project: &Project, name: &str) -> Lacking {
    let contracts = project.settings().contracts.as_str();
    let folder = project.contracts();
    if !folder.is_dir() {
        let message = format!("there is no folder {contracts}, where the contracts are");
        let cure = format!("make it, or say in {MARK} where they are, `contracts = \"…\"`");
        return Lacking::Shared(folder, missing(message, cure));
    }
    // If the folder cannot be read, no name is proposed.
    let names = project.contract_names().unwrap_or_default();
    // Their common ending makes no two of them alike.
    let stems = || names.iter().filter_map(|name| name.strip_suffix(".toml"));
    let stem = name.strip_suffix(".toml").unwrap_or(name);
    let near = nearest(stem, stems()).map(|stem| format!("{stem}.toml"));
    // Named from the project's root, and not from the folder of contracts.
    let within = name.strip_prefix(contracts).and_then(|rest| rest.strip_prefix('/'));
    let near = within.filter(|name| names.iter().any(|known| known == name)).map(str::to_owned).or(near);
    let help = near.map_or_else(
        || "write it, or change `mapping`; `datahub.toml` says where the contracts are".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Lacking::OfItem(missing(format!("there is no contract {}", project.shown(name)), help))
}

/// The snapshot that `datahub.toml` names cannot be read.
fn no_snapshot(why: NoSnapshot) -> Lacking {
    let (path, shown, reason) = match why {
        NoSnapshot::Unread { path, shown, error } => (path, shown, error.to_string()),
        NoSnapshot::NoMetadata { path, shown, error } => (path, shown, error.to_string()),
    };
    let message = format!("the $metadata snapshot {shown} cannot be read: {reason}");
    let cure = format!("save CDMS's answer to $metadata there, or leave `metadata` out of {MARK}");
    Lacking::Shared(path, Diagnostic::of(Code::WrongValue, None, message).cure(cure))
}

/// Makes the build depend on files, and on where they are looked for. No absolute path enters an expansion.
fn tracking(package: &Package, files: &[PathBuf]) -> TokenStream {
    let paths = files.iter().filter_map(|file| relative(package.folder()?, file));
    let tracked = paths.map(|path| {
        quote! {
            const _: &[::core::primitive::u8] =
                ::core::include_bytes!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #path));
        }
    });
    let root = quote! {
        const _: ::core::option::Option<&::core::primitive::str> = ::core::option_env!(#ROOT);
    };
    tracked.chain([root]).collect()
}

/// The way from one folder to a file.
fn relative(from: &Path, to: &Path) -> Option<String> {
    let from: Vec<_> = from.components().collect();
    let to: Vec<_> = to.components().collect();
    let shared = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    if shared == 0 {
        return None;
    }
    let up = from[shared..].iter().map(|_| "..".to_owned());
    let down = to[shared..].iter().map(|part| part.as_os_str().to_string_lossy().into_owned());
    Some(up.chain(down).collect::<Vec<_>>().join("/"))
}
