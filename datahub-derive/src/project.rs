//! Finding and reading a model's contract: within the project's root and nowhere else.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use cdms_odata::metadata::Metadata;
use datahub_model::diagnostic::{Code, Cure, Diagnostic};
use datahub_model::source::{ColumnLimit, Contract, Placed, Project, Spot, depends_on};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::shown::{Diagnostics, Shown, Words};

/// A contract with what the expansion has to say about its file.
pub(crate) struct Source {
    pub(crate) contract: Contract,
    /// What the project's Diesel was built for.
    pub(crate) diesel_columns: ColumnLimit,
    /// Makes the build depend on the files that were read.
    pub(crate) tracking: TokenStream,
    /// Whether the contract has faults, which have been told: what it states beside them can be relied on.
    pub(crate) is_faulty: bool,
}

/// Reads the contract that `mapping = "…"` names, and checks it against the `$metadata` snapshot where there is one.
///
/// Its faults, and those of what all contracts lean on, are told once in a compilation, at the first item that needs it.
pub(crate) fn contract(mapping: &Placed<String, Words>, item: &Ident, diagnostics: &mut Diagnostics) -> Option<Source> {
    let root = Root::find().map_err(|fault| fault.tell(item, mapping.place, diagnostics)).ok()?;
    let read = read(&root, &mapping.value).map_err(|fault| fault.tell(item, mapping.place, diagnostics)).ok()?;
    let Read { text, path, shown_path, diesel_columns, metadata, tracking } = read;
    // Without a snapshot the contract is read all the same, and so are the struct's faults.
    let (metadata, is_unseen) = match metadata {
        Ok(metadata) => (metadata, false),
        Err(fault) => {
            fault.tell(item, mapping.place, diagnostics);
            (None, true)
        }
    };
    let (contract, found) = Contract::parse_beside(&text, metadata.as_deref()).into_parts();
    let is_faulty = is_unseen || !found.is_empty();
    if found.is_empty() {
        cured(&path);
    } else if tells(&path, found.iter().map(|fault| fault.render(&shown_path)).collect(), item) {
        let shown = |spot: Spot| Shown { words: mapping.place, drawing: Some(spot.drawn(&shown_path)) };
        diagnostics.extend(found.into_iter().map(|fault| fault.seen_at(shown)));
    }
    let contract = contract.unwrap_or_else(Contract::unread);
    Some(Source { contract, diesel_columns, tracking, is_faulty })
}

/// A file as a crate has it: a process that serves an editor expands many crates, and each tells what is its own.
type Shared = (Option<OsString>, PathBuf);

/// The faults of the files that items share, and the item that told them.
static TOLD: Mutex<BTreeMap<Shared, (Vec<String>, String)>> = Mutex::new(BTreeMap::new());

fn shared(file: &Path) -> Shared {
    (std::env::var_os("CARGO_MANIFEST_DIR"), file.to_path_buf())
}

/// Whether this item is the one to tell a file's faults: the first that finds them, whenever it is asked. An editor expands
/// one item many times in one process, and must not lose them.
fn tells(file: &Path, faults: Vec<String>, item: &Ident) -> bool {
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    let item = item.to_string();
    match told.get(&shared(file)) {
        Some((known, teller)) if *known == faults => *teller == item,
        _ => {
            told.insert(shared(file), (faults, item));
            true
        }
    }
}

/// A file has no faults any more: whoever finds new ones, be they the same, tells them.
fn cured(file: &Path) {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner).remove(&shared(file));
}

/// Whether the package does not depend on Diesel, which `table!` and what it makes lean on by this name. It is told once in a
/// compilation, at the first model.
pub(crate) fn lacks_diesel(name: &Ident, diagnostics: &mut Diagnostics) -> bool {
    // Outside of the compiler, in tests and the bench, nothing is built of the expansion.
    if !proc_macro::is_available() {
        return false;
    }
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(|folder| PathBuf::from(folder).join("Cargo.toml"));
    // Of a manifest that cannot be read Cargo itself knows more.
    let Some(lacks) = manifest.as_deref().and_then(lacks_diesel_at) else { return false };
    if lacks && tells(&manifest.unwrap_or_default(), Vec::new(), name) {
        let message = "this package does not depend on diesel, which the model's table is made with";
        let cure = "run `cargo add diesel`, or write `diesel(table = false)` and do without Diesel's table here";
        diagnostics.push(Diagnostic::of(Code::MissingKey, name.span(), message).cure(cure));
    }
    lacks
}

/// Whether a manifest does not name Diesel; read once for all models of a compilation.
fn lacks_diesel_at(manifest: &Path) -> Option<bool> {
    static KNOWN: Mutex<Option<(PathBuf, SystemTime, bool)>> = Mutex::new(None);
    let changed = fs::metadata(manifest).and_then(|file| file.modified()).ok()?;
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((path, read_at, lacks)) = &*known
        && path == manifest
        && *read_at == changed
    {
        return Some(*lacks);
    }
    let lacks = !depends_on(&fs::read_to_string(manifest).ok()?, "diesel")?;
    *known = Some((manifest.to_path_buf(), changed, lacks));
    Some(lacks)
}

/// What stands in for the source of an item whose contract is not known, so that its other faults are told.
pub(crate) fn unknown() -> Source {
    Source {
        contract: Contract::unread(),
        diesel_columns: ColumnLimit::Columns128,
        tracking: TokenStream::new(),
        is_faulty: true,
    }
}

/// The source of a model that has no contract, because CDMS has nothing of it.
pub(crate) fn without_cdms(
    table: &Placed<String, Words>,
    item: &Ident,
    diagnostics: &mut Diagnostics,
) -> Option<Source> {
    let root = Root::find().map_err(|fault| fault.tell(item, table.place, diagnostics)).ok()?;
    Some(Source {
        contract: Contract::without_cdms(&table.value),
        diesel_columns: root.project.diesel_columns,
        tracking: root.tracking(&[root.folder.join(PROJECT)]),
        is_faulty: false,
    })
}

/// The file that marks a project's root.
const PROJECT: &str = "datahub.toml";

const PUT_ONE: &str = "put one at the project's root; it may be empty";

/// The variable that names the root where the package is not in it.
const ROOT: &str = "DATAHUB_ROOT";

/// A project's root, as seen from the package that is built.
struct Root {
    manifest: PathBuf,
    folder: PathBuf,
    project: Project,
}

/// Why something was not read.
enum Unread {
    /// What a single item names.
    OfItem(Reason),
    /// A file, or what should be one, that all items share.
    Shared(PathBuf, Reason),
}

/// Whoever asked knows which words named it; a fault within the file has its place there drawn.
type Reason = Diagnostic<Option<String>>;

/// That something which has to be there is not.
fn missing(message: impl Into<String>, cure: impl Into<Cure>) -> Reason {
    Diagnostic::of(Code::MissingKey, None, message).cure(cure)
}

impl Unread {
    /// Tells it: what is shared, at one item only.
    fn tell(self, item: &Ident, words: Words, diagnostics: &mut Diagnostics) {
        let reason = match self {
            Unread::OfItem(reason) => reason,
            Unread::Shared(file, reason) => {
                if !tells(&file, vec![reason.text(reason.place.as_deref())], item) {
                    return;
                }
                reason
            }
        };
        diagnostics.push(reason.seen_at(|drawing| Shown { words, drawing }));
    }
}

impl Root {
    fn find() -> Result<Self, Unread> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let file = manifest.as_deref().unwrap_or(Path::new("")).join(PROJECT);
        match Root::above(manifest) {
            Ok(root) => {
                cured(&file);
                Ok(root)
            }
            Err(reason) => Err(Unread::Shared(file, reason)),
        }
    }

    fn above(manifest: Option<PathBuf>) -> Result<Self, Reason> {
        let manifest = manifest.ok_or_else(|| missing("CARGO_MANIFEST_DIR is not set", "build with cargo"))?;
        let folder = match std::env::var_os(ROOT) {
            Some(root) => PathBuf::from(root),
            None => {
                let found = manifest.ancestors().find(|folder| folder.join(PROJECT).is_file());
                found
                    .map(Path::to_path_buf)
                    .ok_or_else(|| missing("no `datahub.toml` in this package's folder or above it", PUT_ONE))?
            }
        };
        let project = fs::read_to_string(folder.join(PROJECT))
            .map_err(|error| missing(format!("{PROJECT} cannot be read: {error}"), PUT_ONE))?;
        let project = Project::parse(&project).map_err(|fault| fault.seen_at(|spot| Some(spot.drawn(PROJECT))))?;
        Ok(Root { manifest, folder, project })
    }

    /// Makes the build depend on files, and on where they are looked for.
    fn tracking(&self, files: &[PathBuf]) -> TokenStream {
        let paths = files.iter().filter_map(|file| relative(&self.manifest, file));
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
}

struct Read {
    text: String,
    path: PathBuf,
    shown_path: String,
    diesel_columns: ColumnLimit,
    metadata: Result<Option<Arc<Metadata>>, Unread>,
    tracking: TokenStream,
}

fn read(root: &Root, mapping: &str) -> Result<Read, Unread> {
    let Root { folder, project, .. } = root;
    let inside = Path::new(mapping).components().all(|part| matches!(part, Component::Normal(_)));
    if !inside {
        let message = format!("{mapping:?} leads out of the project's contracts");
        let cure = format!("name a file in the folder {}", project.contracts);
        return Err(Unread::OfItem(Diagnostic::of(Code::WrongValue, None, message).cure(cure)));
    }
    let shown_path = format!("{}/{mapping}", project.contracts);
    let path = folder.join(&project.contracts).join(mapping);
    let text = fs::read_to_string(&path).map_err(|error| not_a_contract(root, mapping, &shown_path, error))?;
    cured(&folder.join(&project.contracts));
    let mut tracked = vec![folder.join(PROJECT), path.clone()];
    let metadata = match &project.metadata {
        None => Ok(None),
        Some(snapshot) => {
            let path = folder.join(snapshot);
            let metadata = snapshot_at(&path).map(Some).map_err(|reason| {
                let message = format!("the $metadata snapshot {snapshot} cannot be read: {reason}");
                let cure = format!("save CDMS's answer to $metadata there, or leave `metadata` out of {PROJECT}");
                Unread::Shared(path.clone(), Diagnostic::of(Code::WrongValue, None, message).cure(cure))
            });
            if metadata.is_ok() {
                cured(&path);
                tracked.push(path);
            }
            metadata
        }
    };
    let (diesel_columns, tracking) = (project.diesel_columns, root.tracking(&tracked));
    Ok(Read { text, path, shown_path, diesel_columns, metadata, tracking })
}

/// Why there is no text of a contract, and which one may be meant.
fn not_a_contract(root: &Root, mapping: &str, shown_path: &str, error: io::Error) -> Unread {
    let contracts = root.project.contracts.as_str();
    if error.kind() != ErrorKind::NotFound {
        let message = format!("the contract {shown_path} cannot be read: {error}");
        return Unread::OfItem(missing(message, "see that it is a file that this user may read"));
    }
    let folder = root.folder.join(contracts);
    if !folder.is_dir() {
        let message = format!("there is no folder {contracts}, where the contracts are");
        let cure = format!("make it, or say in {PROJECT} where they are, `contracts = \"…\"`");
        return Unread::Shared(folder, missing(message, cure));
    }
    let beside = fs::read_dir(folder).into_iter().flatten().flatten();
    let names: Vec<_> = beside.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    // Their common ending makes no two of them alike.
    let stems = || names.iter().filter_map(|name| name.strip_suffix(".toml"));
    let stem = mapping.strip_suffix(".toml").unwrap_or(mapping);
    let near = datahub_model::source::nearest(stem, stems()).map(|stem| format!("{stem}.toml"));
    // Named from the project's root, and not from the folder of contracts.
    let within = mapping.strip_prefix(contracts).and_then(|rest| rest.strip_prefix('/'));
    let near = within.filter(|name| names.iter().any(|known| known == name)).map(str::to_owned).or(near);
    let help = near.map_or_else(
        || "write it, or change `mapping`; `datahub.toml` says where the contracts are".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Unread::OfItem(missing(format!("there is no contract {shown_path}"), help))
}

type Snapshots = HashMap<PathBuf, (SystemTime, Arc<Metadata>)>;

/// The snapshot, read once for all derives of a compilation.
fn snapshot_at(path: &Path) -> Result<Arc<Metadata>, String> {
    static SNAPSHOTS: Mutex<Option<Snapshots>> = Mutex::new(None);
    let changed = fs::metadata(path).and_then(|file| file.modified()).map_err(|error| error.to_string())?;
    let mut snapshots = SNAPSHOTS.lock().unwrap_or_else(PoisonError::into_inner);
    let snapshots = snapshots.get_or_insert_with(HashMap::new);
    if let Some((read_at, metadata)) = snapshots.get(path)
        && *read_at == changed
    {
        return Ok(Arc::clone(metadata));
    }
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let metadata = Arc::new(Metadata::parse(&text).map_err(|error| error.to_string())?);
    snapshots.insert(path.to_path_buf(), (changed, Arc::clone(&metadata)));
    Ok(metadata)
}

/// The way from one folder to a file, so that no absolute path enters an expansion.
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

#[cfg(test)]
mod tests {
    #[test]
    fn the_first_item_that_finds_a_files_faults_tells_them() {
        // In here, because the bench has no tests and would not use it.
        use super::*;
        let item = |name: &str| Ident::new(name, proc_macro2::Span::call_site());
        let file = Path::new("told/account.toml");
        let faults = |fault: &str| vec![fault.to_owned()];
        assert!(tells(file, faults("one"), &item("A")));
        assert!(!tells(file, faults("one"), &item("B")));
        assert!(tells(file, faults("one"), &item("A")), "an editor asks it again");
        assert!(tells(file, faults("two"), &item("B")), "other faults are news");
        assert!(!tells(file, faults("two"), &item("A")));
        cured(file);
        assert!(tells(file, faults("two"), &item("A")));
        assert!(tells(Path::new("told/contact.toml"), faults("two"), &item("B")));
    }
}
