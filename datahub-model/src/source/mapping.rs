//! A model joined to its contract: complete, or as much of it as is known in spite of its faults.

use cdms_odata::Kind;

use super::contract::{Contract, ContractAttribute, ContractConstant};
use crate::diagnostic::Diagnostic;
use crate::{Class, EngineAttribute, Filter, Mode, Write};

/// A model joined to its contract, complete and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    /// The struct's name.
    pub name: String,
    /// The table.
    pub table: String,
    /// The table's name before it was renamed.
    pub was: Option<String>,
    /// Whether it is written.
    pub mode: Mode,
    /// The contract.
    pub contract: Contract,
    /// The fields in the struct's order.
    pub fields: Vec<ResolvedField>,
    /// The columns.
    pub columns: Vec<ResolvedColumn>,
    /// The attributes that are read, in the order of names.
    pub attributes: Vec<ContractAttribute>,
    /// The attributes that are read and kept although no field uses them, in the order of names.
    pub captured: Vec<ContractAttribute>,
    /// The constants; none for a mirror.
    pub constants: Vec<ContractConstant>,
    /// Which records are the model's.
    pub only: Option<Filter>,
    /// The hash of all of it.
    pub mapping_id: u64,
}

/// A field and the columns behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedField {
    /// The field's name.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
}

/// What a field is.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// The key, at this column.
    Key(usize),
    /// One column.
    Column(usize),
    /// A group.
    Group {
        /// The first column.
        first: usize,
        /// The members' keys in the order of the columns; in a group within the group, that group's key and a dot come first.
        members: Vec<String>,
    },
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedColumn {
    /// Its name.
    pub name: String,
    /// The field; a member's name follows a dot.
    pub field: String,
    /// What it stores.
    pub kind: Kind,
    /// Whether it may be null.
    pub nullable: bool,
    /// The number of digits after the point of a decimal.
    pub scale: Option<u32>,
    /// Its name before it was renamed.
    pub was: Option<String>,
    /// The default that stands for a null, as it is written.
    pub default: Option<String>,
    /// The class of a local column, if it is stated.
    pub class: Option<Class>,
    /// The module that converts it, as it is written.
    pub with: Option<String>,
    /// The type of a lookup's field as it is written, which names the model that it points to.
    pub reference: Option<String>,
    /// The source of its value.
    pub source: ResolvedSource,
}

/// The source of a column's value.
#[derive(Clone, Debug, PartialEq)]
pub enum ResolvedSource {
    /// The record's id.
    Key,
    /// The engine.
    Engine(EngineAttribute),
    /// One attribute.
    Attribute {
        /// Its name.
        attribute: String,
        /// Whether a default stands for null.
        default: bool,
        /// When it is sent.
        write: Write,
    },
    /// The user's functions over these attributes.
    Joined {
        /// The attributes.
        attributes: Vec<String>,
        /// When it is sent.
        write: Write,
    },
    /// The hub alone.
    Local,
}

/// A model with faults: the faults, and what is known in spite of them, so that the rest can be checked too.
#[derive(Clone, Debug, PartialEq)]
pub struct Faulty<P> {
    /// The faults: first those of each field in the order of the struct, then those of the whole model. Faults of a field that
    /// could not be read are left out, since the caller knows them, and so are those that may follow from the contract's own.
    pub diagnostics: Vec<Diagnostic<P>>,
    /// The fields whose shape is known, in the struct's order.
    pub fields: Vec<ResolvedField>,
    /// The columns of these fields.
    pub columns: Vec<ResolvedColumn>,
    /// The attributes behind these columns, in the order of names.
    pub attributes: Vec<ContractAttribute>,
    /// The fields of which only the name of their single column is known: the field's name, and the column's.
    pub unresolved: Vec<(String, String)>,
    /// Whether Diesel's table can be generated from all these columns.
    pub has_table: bool,
}

impl ResolvedColumn {
    /// The logical names of what a column of references may point to; `None` for other columns.
    pub fn targets<'c>(&self, contract: &'c Contract) -> Option<&'c [String]> {
        let ResolvedSource::Attribute { attribute, .. } = &self.source else { return None };
        let stated = contract.attribute(attribute).filter(|stated| stated.kind == Kind::Lookup)?;
        Some(&stated.targets)
    }
}

impl ResolvedSource {
    /// The attributes behind a column.
    pub fn attributes(&self) -> Vec<&str> {
        match self {
            ResolvedSource::Attribute { attribute, .. } => vec![attribute],
            ResolvedSource::Joined { attributes, .. } => attributes.iter().map(String::as_str).collect(),
            ResolvedSource::Key | ResolvedSource::Engine(_) | ResolvedSource::Local => Vec::new(),
        }
    }
}
