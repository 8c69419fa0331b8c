//! A first model of an entity: a struct that compiles, with good names, for a person to prune.

mod family;
mod field;
mod name;
mod write;

use std::collections::HashMap;

use datahub_model::source::{Contract, ContractAttribute};

pub use family::{Family, families, with_groups};
pub use name::{ModelName, Spelling, names};

use crate::naming::Words;

/// A model that lookups can refer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The struct's name.
    pub type_name: String,
    /// The module that it is in, such as `crate::account`.
    pub module: String,
}

/// What a first model is made of.
#[derive(Clone, Copy, Debug)]
pub struct First<'f> {
    /// The file name of the contract.
    pub file: &'f str,
    /// The contract, which has the groups of [`families`].
    pub contract: &'f Contract,
    /// The names of the model.
    pub name: &'f ModelName,
    /// The models that lookups can refer to, by logical names; also this model.
    pub targets: &'f HashMap<String, Target>,
    /// The most columns that the project's Diesel has in a table.
    pub columns_max: usize,
}

/// A first model's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The file's text.
    pub text: String,
    /// The crates that it uses besides the runtime and Diesel.
    pub crates: Vec<&'static str>,
    /// The number of its fields.
    pub fields: usize,
    /// The attributes that cannot be mapped yet, each with the reason.
    pub waiting: Vec<(String, String)>,
}

/// Writes a first model: every attribute that can be mapped, read and never written until a person says otherwise.
pub fn first(first: First<'_>) -> Written {
    write::write(&first)
}

/// The attributes that only CDMS itself needs, as far as a name tells.
fn is_plumbing(attribute: &ContractAttribute) -> bool {
    const NAMES: [&str; 17] = [
        "versionnumber",
        "importsequencenumber",
        "timezoneruleversionnumber",
        "utcconversiontimezonecode",
        "overriddencreatedon",
        "createdby",
        "createdonbehalfby",
        "modifiedonbehalfby",
        "owningbusinessunit",
        "owningteam",
        "owninguser",
        "organizationid",
        "exchangerate",
        "processid",
        "stageid",
        "address1_addressid",
        "address2_addressid",
    ];
    let name = attribute.name.to_lowercase();
    NAMES.contains(&name.as_str())
        || name.starts_with("yomi")
        || (attribute.kind == cdms_odata::Kind::Money && name.ends_with("_base"))
}

/// The words of an attribute's name, without those that only repeat its kind.
fn words(attribute: &ContractAttribute, name: &str) -> Words {
    use cdms_odata::Kind;
    let words = Words::of(name, attribute.note.as_deref());
    match attribute.kind {
        Kind::State if name.eq_ignore_ascii_case("statecode") => Words::of("State", None),
        Kind::Status if name.eq_ignore_ascii_case("statuscode") => Words::of("Status", None),
        Kind::Lookup | Kind::Guid => words.without_last("id"),
        Kind::Choice | Kind::State | Kind::Status => words.without_last("code"),
        _ => words,
    }
}
