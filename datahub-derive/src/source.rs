//! An item's contract: read from the project's files and checked. A fault of a file is reported once in a compilation.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datahub_model::diagnostic::{Code, Cure, Diagnostic};
use datahub_model::source::{ColumnLimit, Contract, Placed, Spot, meant_among, nearest};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::project::{
    ContractFile, MARK, NoContract, NoProject, NoSnapshot, Package, Project, ROOT, SchemaFile, Snapshot, Unread,
    Unrooted,
};
use crate::reported::{forget, is_reporter};
use crate::shown::{Diagnostics, Shown, Words};

/// A contract, and what the expansion needs to know about its file.
pub(crate) struct Source {
    pub(crate) contract: Contract,
    /// The schema after the last migration, if there is one.
    pub(crate) schema: Option<Arc<datahub_model::schema::Snapshot>>,
    /// The size of tables that the project's Diesel was built for.
    pub(crate) diesel_columns: ColumnLimit,
    /// Makes the build depend on the files that were read.
    pub(crate) tracking: TokenStream,
    /// Whether the contract has faults, which have been reported. The rest of the contract can be relied on.
    pub(crate) is_faulty: bool,
}

impl Source {
    /// Replaces a contract that is unknown, so that the item's other faults are still reported.
    pub(crate) fn unknown() -> Self {
        Source {
            contract: Contract::unread(),
            schema: None,
            diesel_columns: ColumnLimit::Columns128,
            tracking: TokenStream::new(),
            is_faulty: true,
        }
    }
}

/// An item of a package, which reads the files that it names and reports their faults.
#[derive(Clone, Copy)]
pub(crate) struct PackageItem<'i> {
    pub(crate) item: &'i Ident,
    pub(crate) package: &'i Package,
}

impl PackageItem<'_> {
    /// Reads the contract that `mapping = "…"` names, and checks it against the `$metadata` snapshot if there is one.
    ///
    /// A fault of it, or of a file that all contracts need, is reported once in a compilation, at the first item that needs
    /// the file.
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
        let (schema, file) = self.schema(&project, words, diagnostics);
        files.extend(file);
        let mut contract = contract.unwrap_or_else(Contract::unread);
        contract.capture.get_or_insert(project.settings().capture);
        Some(Source {
            contract,
            schema,
            diesel_columns: project.settings().diesel_columns,
            tracking: tracking(package, &files),
            is_faulty,
        })
    }

    /// The source of a model without a contract, which does not exist in CDMS.
    pub(crate) fn without_cdms(self, table: &Placed<String, Words>, diagnostics: &mut Diagnostics) -> Option<Source> {
        let project = project(self.package).map_err(|lacking| self.report(lacking, table.place, diagnostics)).ok()?;
        let (schema, file) = self.schema(&project, table.place, diagnostics);
        let files: Vec<_> = std::iter::once(project.file()).chain(file).collect();
        Some(Source {
            contract: Contract::without_cdms(&table.value),
            schema,
            diesel_columns: project.settings().diesel_columns,
            tracking: tracking(self.package, &files),
            is_faulty: false,
        })
    }

    /// The schema after the last migration, and its file.
    fn schema(
        self,
        project: &Project,
        words: Words,
        diagnostics: &mut Diagnostics,
    ) -> (Option<Arc<datahub_model::schema::Snapshot>>, Option<PathBuf>) {
        match project.schema() {
            Ok(None) => (None, None),
            Ok(Some(SchemaFile { path, snapshot })) => {
                forget(self.package, &path);
                (Some(snapshot), Some(path))
            }
            Err(why) => {
                let path = why.path.clone();
                let drawing = why.place().map(|(text, range)| Spot::at(&text, range.start).drawn(&why.shown));
                let reason = why.fault().seen_at(|()| drawing);
                self.report(Lacking::Shared(path.clone(), reason), words, diagnostics);
                (None, Some(path))
            }
        }
    }

    /// Whether the package does not depend on Diesel, to which `table!` and the code that it generates refer by this name. This
    /// is reported once in a compilation, at the first model.
    pub(crate) fn lacks_diesel(self, diagnostics: &mut Diagnostics) -> bool {
        let PackageItem { item, package } = self;
        let lacks = package.lacks_diesel();
        if lacks && is_reporter(package, &package.manifest(), Vec::new(), item) {
            let message = "missing dependency `diesel`, which the model's table requires";
            let cure = "run `cargo add diesel`, or write `diesel(table = false)` to use no Diesel table for this model";
            diagnostics.push(Diagnostic::of(Code::MissingKey, item.span(), message).cure(cure));
        }
        lacks
    }

    /// Reports what is missing on these words. If items share it, only one of them reports it.
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

/// What could not be read, and why.
enum Lacking {
    /// Something that a single item names.
    OfItem(Reason),
    /// A file that all items share, or the path where it should be.
    Shared(PathBuf, Reason),
}

/// The item knows which words name the file; for a fault within the file, its line is drawn.
type Reason = Diagnostic<Option<String>>;

/// Something required is missing.
fn missing(message: impl Into<String>, cure: impl Into<Cure>) -> Reason {
    Diagnostic::of(Code::MissingKey, None, message).cure(cure)
}

const PUT_ONE: &str = "create one at the project's root; it may be empty";

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
            missing(format!("cannot read `{MARK}`: {error}"), PUT_ONE)
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
            let message = format!("`{name}` is outside the project's folder of contracts");
            let cure = format!("name a file in the folder `{}`", project.settings().contracts);
            return Err(Lacking::OfItem(Diagnostic::of(Code::WrongValue, None, message).cure(cure)));
        }
        Err(NoContract::Unread(Unread { error, .. })) => error,
    };
    if error.kind() == ErrorKind::NotFound {
        return Err(no_such_contract(project, name));
    }
    let message = format!("cannot read the contract `{}`: {error}", project.shown(name));
    Err(Lacking::OfItem(missing(message, "check that it is a file, and that you have permission to read it")))
}

/// The fault of a contract that does not exist, with the one that was probably meant.
fn no_such_contract(project: &Project, name: &str) -> Lacking {
    let contracts = project.settings().contracts.as_str();
    let folder = project.contracts();
    if !folder.is_dir() {
        let message = format!("missing folder `{contracts}` of the contracts");
        let cure = format!("create it, or name another folder in {MARK}, `contracts = \"…\"`");
        return Lacking::Shared(folder, missing(message, cure));
    }
    // If the folder cannot be read, no name is suggested.
    let names = project.contract_names().unwrap_or_default();
    // The common ending must not count as a similarity.
    let stem = name.strip_suffix(".toml").unwrap_or(name);
    let stems: Vec<_> = names.iter().filter_map(|name| name.strip_suffix(".toml")).collect();
    // The name may be relative to the project's root, not to the folder of contracts.
    let within = name.strip_prefix(contracts).and_then(|rest| rest.strip_prefix('/'));
    let help = if let Some(within) = within.filter(|name| names.iter().any(|known| known == name)) {
        Cure::correcting(format!("did you mean `{within}`?"), name, within)
    } else if let Some(near) = nearest(stem, stems.iter().copied()) {
        let text = format!("did you mean `{near}.toml`?");
        // The contract of another entity, which is not written yet, may be meant.
        let snapshot = project.snapshot().ok().flatten();
        let is_entity = snapshot.is_some_and(|snapshot| {
            snapshot.metadata.entities.iter().any(|entity| entity.name.eq_ignore_ascii_case(stem))
        });
        match meant_among(stem, &stems).correction.filter(|_| !is_entity) {
            Some(correction) => Cure::correcting(text, name, format!("{}.toml", correction.right)),
            None => text.into(),
        }
    } else {
        "create it, or correct `mapping`; `datahub.toml` names the folder of the contracts".into()
    };
    Lacking::OfItem(missing(format!("contract `{}` not found", project.shown(name)), help))
}

/// The fault of a snapshot that cannot be read.
fn no_snapshot(why: NoSnapshot) -> Lacking {
    let (path, shown, reason) = match why {
        NoSnapshot::Unread { path, shown, error } => (path, shown, error.to_string()),
        NoSnapshot::NoMetadata { path, shown, error } => (path, shown, error.to_string()),
    };
    let message = format!("cannot read the $metadata snapshot `{shown}`: {reason}");
    let cure = format!("save CDMS's response to $metadata in this file, or remove `metadata` from {MARK}");
    Lacking::Shared(path, Diagnostic::of(Code::WrongValue, None, message).cure(cure))
}

/// Makes the build depend on files, and on the variable that names the root. No absolute path enters an expansion.
pub fn tracking(package: &Package, files: &[PathBuf]) -> TokenStream {
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

/// The relative path from a folder to a file.
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
