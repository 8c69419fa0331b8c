//! A project's source as it can be read without a compiler: its models, groups and choices, its contracts, and every fault.
//!
//! The items are read by the same code as in a compilation, so the command line reports what the derives would report. What
//! only the compiler knows, such as the type behind an alias, is not known here.
//!
//! ```no_run
//! use datahub_derive::project::Project;
//! use datahub_derive::tree::Tree;
//!
//! let tree = Tree::read(&Project::open(".")?)?;
//! for model in &tree.models {
//!     println!("{} is stored in {}", model.name(), model.mapping.table);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod contracts;
mod edit;
mod fits;
mod groups;
mod items;
mod live;
mod programs;
mod questions;
mod scope;
mod sources;
mod types;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use cdms_odata::metadata::Metadata;
use datahub_model::diagnostic::Diagnostic;
use datahub_model::source::{Contract, Mapping, Spot};

use crate::project::{Project, Unread};
pub use edit::{Edit, edited};
use items::Reader;
pub use live::Drift;
pub use questions::OpenQuestion;
pub use scope::Scope;

/// A project's source.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The models without faults, in the order of files and lines.
    pub models: Vec<TreeModel>,
    /// The groups without faults.
    pub groups: Vec<TreeGroup>,
    /// The choices without faults.
    pub choices: Vec<TreeChoice>,
    /// Every `models![…]`.
    pub lists: Vec<TreeList>,
    /// The contracts, as far as they can be read, in the order of their names.
    pub contracts: Vec<TreeContract>,
    /// The `$metadata` snapshot, if there is one that can be read.
    pub metadata: Option<Arc<Metadata>>,
    /// How many models, groups and choices there are, those with faults included.
    pub items: usize,
    /// The faults of all files, in the order of files and places.
    pub faults: Vec<Fault>,
    /// The texts of the files, by their paths from the root.
    pub files: BTreeMap<String, String>,
}

/// Where an item is, and how it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The item's name.
    pub name: String,
    /// Its documentation, without comment marks.
    pub docs: String,
    /// The file, from the project's root.
    pub file: String,
    /// The bytes of the file that hold the item, from its first attribute to its end.
    pub range: Range<usize>,
    /// Its line, from 1.
    pub line: usize,
}

/// A model.
#[derive(Clone, Debug)]
pub struct TreeModel {
    /// How it is written.
    pub written: Written,
    /// The name of its contract's file; `None` for a model that does not exist in CDMS.
    pub contract: Option<String>,
    /// What it maps.
    pub mapping: Mapping,
    /// Its fields in order.
    pub fields: Vec<TreeField>,
}

/// A field of a model, a member of a group, or a variant of a choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeField {
    /// How it is written.
    pub written: Written,
    /// Its type; empty for a variant without one.
    pub ty: String,
}

/// A group of fields.
#[derive(Clone, Debug)]
pub struct TreeGroup {
    /// How it is written.
    pub written: Written,
    /// Its members in order.
    pub members: Vec<TreeMember>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeMember {
    /// How it is written.
    pub field: TreeField,
    /// Its key in the contract's group.
    pub key: String,
    /// Whether it is a group itself.
    pub is_group: bool,
    /// The default that stands for null, as it is written; empty for the default of the type.
    pub default: Option<String>,
}

/// A choice.
#[derive(Clone, Debug)]
pub struct TreeChoice {
    /// How it is written.
    pub written: Written,
    /// The name of its contract's file.
    pub contract: String,
    /// The attribute.
    pub attribute: String,
    /// Its variants for options, each with the option's name and number.
    pub variants: Vec<(TreeField, String, i32)>,
    /// The variant for all other options.
    pub rest: Option<String>,
}

/// A `models![…]` of a program.
#[derive(Clone, Debug)]
pub struct TreeList {
    /// The file, from the project's root.
    pub file: String,
    /// The models' names without the modules in front, each with its bytes in the file.
    pub models: Vec<(String, Range<usize>)>,
}

/// A contract.
#[derive(Clone, Debug)]
pub struct TreeContract {
    /// Its file's name.
    pub name: String,
    /// Its path from the project's root.
    pub file: String,
    /// What it states; parts with faults are left out.
    pub contract: Contract,
}

/// What is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, from the project's root.
    pub file: String,
    /// The bytes at fault; for a file that cannot be read they are empty.
    pub range: Range<usize>,
    /// What is wrong there.
    pub diagnostic: Diagnostic<Spot>,
}

impl Fault {
    /// A fault of a file with this text: at the word at its place.
    pub fn in_file(file: impl Into<String>, text: &str, diagnostic: Diagnostic<Spot>) -> Self {
        Fault { file: file.into(), range: contracts::word_at(text, &diagnostic.place), diagnostic }
    }
}

impl Tree {
    /// Reads a project. Faults are in the tree; what has faults is otherwise left out of it.
    ///
    /// # Errors
    ///
    /// A folder that `datahub.toml` names cannot be read. A file that cannot be read is a fault.
    pub fn read(project: &Project) -> Result<Self, Unread> {
        let mut tree = Tree {
            models: Vec::new(),
            groups: Vec::new(),
            choices: Vec::new(),
            lists: Vec::new(),
            contracts: Vec::new(),
            metadata: None,
            items: 0,
            faults: Vec::new(),
            files: BTreeMap::new(),
        };
        tree.read_contracts(project)?;
        tree.read_schema(project);
        for file in sources::files(project)? {
            Reader::new(project, &mut tree).file(&file);
        }
        tree.faults = each_once(tree.faults);
        tree.faults.sort_by(|one, other| (&one.file, one.range.start).cmp(&(&other.file, other.range.start)));
        Ok(tree)
    }

    /// The model of this name.
    pub fn model(&self, name: &str) -> Option<&TreeModel> {
        self.models.iter().find(|model| model.name() == name)
    }

    /// The contract in a file of this name.
    pub fn contract(&self, name: &str) -> Option<&TreeContract> {
        self.contracts.iter().find(|contract| contract.name == name)
    }

    /// How the models, groups and choices are written.
    pub(crate) fn written(&self) -> impl Iterator<Item = &Written> {
        let models = self.models.iter().map(|model| &model.written);
        let groups = self.groups.iter().map(|group| &group.written);
        models.chain(groups).chain(self.choices.iter().map(|choice| &choice.written))
    }

    /// An item as it is written.
    ///
    /// # Panics
    ///
    /// If the item is from another tree.
    pub fn code(&self, written: &Written) -> &str {
        &self.files[&written.file][written.range.clone()]
    }

    /// Adds a fault of a file whose text is known.
    pub(super) fn fault(&mut self, file: &str, text: &str, range: Range<usize>, diagnostic: Diagnostic<()>) {
        let diagnostic = diagnostic.seen_at(|()| Spot::at(text, range.start));
        self.faults.push(Fault { file: file.to_owned(), range, diagnostic });
    }
}

/// The faults without those of items about a file that cannot be read, which is reported by itself.
fn each_once(faults: Vec<Fault>) -> Vec<Fault> {
    let is_of_file = |fault: &Fault| fault.diagnostic.place.line == 0;
    let of_files: Vec<String> =
        faults.iter().filter(|fault| is_of_file(fault)).map(|fault| fault.diagnostic.message.clone()).collect();
    let is_new = |fault: &Fault| is_of_file(fault) || !of_files.contains(&fault.diagnostic.message);
    faults.into_iter().filter(is_new).collect()
}

impl TreeModel {
    /// The struct's name.
    pub fn name(&self) -> &str {
        &self.written.name
    }
}
