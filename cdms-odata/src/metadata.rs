//! The `$metadata` document: which entities, sets, keys and properties an organisation has.

mod edm;
mod read;
mod relation;
mod xml;

use std::fmt;

pub use edm::EdmType;
pub use relation::{Association, End, Multiplicity, NavigationProperty};

/// What one `$metadata` document says, as far as mapping and simulating need it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Metadata {
    /// The schema namespace of the types, for example `Microsoft.Crm.Sdk.Data.Services`.
    pub namespace: String,
    /// The XML namespace of the schema, which tells its version; empty: that of OData v2's documents.
    pub language: String,
    /// The name of the entity container, for example `ContosoContext`; empty: `CdmsContext`.
    pub container: String,
    /// The entity types in the document's order.
    pub entities: Vec<EntityType>,
    /// The complex types in the document's order. Those that a property has and that are missing here are written as
    /// CRM 2011 has them.
    pub complex_types: Vec<ComplexType>,
    /// The associations in the document's order, each between types that the document has.
    pub associations: Vec<Association>,
    /// Whether the document declares navigation properties at all.
    pub has_navigation: bool,
}

/// One entity type and its set.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityType {
    /// The type's name, for example `Account`.
    pub name: String,
    /// The set's name, for example `AccountSet`.
    pub set: String,
    /// The name of the key property, for example `AccountId`.
    pub key: String,
    /// The properties in the document's order, key included, navigation excluded.
    pub properties: Vec<Property>,
    /// The navigation properties in the document's order, each along one of the document's associations.
    pub navigation: Vec<NavigationProperty>,
}

/// One property of an entity type.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// The property's name, exactly as in the document.
    pub name: String,
    /// Its type.
    pub edm: EdmType,
    /// Whether it may be null, as far as the document says; a key never may.
    pub nullable: bool,
    /// What else the document says of it, for example its `MaxLength`.
    pub facets: Vec<Facet>,
}

/// A statement of the document about a property that neither mapping nor simulating acts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    /// What is stated, for example `MaxLength`; with the prefix `m:` in the namespace of OData's metadata.
    pub name: String,
    /// As the document has it.
    pub value: String,
}

/// A complex type: what the value of a property consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComplexType {
    /// The type's name, for example `EntityReference`.
    pub name: String,
    /// Its members in the document's order.
    pub members: Vec<Member>,
}

/// A member of a complex type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The member's name.
    pub name: String,
    /// Its type as the document names it, for example `Edm.Guid`.
    pub type_name: String,
    /// Whether it may be null.
    pub nullable: bool,
    /// What else the document says of it.
    pub facets: Vec<Facet>,
}

/// A `$metadata` document that cannot be used, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataError {
    line: u32,
    reason: String,
}

impl MetadataError {
    /// The line at fault, from 1; 0 where the whole document is.
    pub fn line(&self) -> u32 {
        self.line
    }
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "$metadata: {}", self.reason),
            line => write!(f, "$metadata line {line}: {}", self.reason),
        }
    }
}

impl std::error::Error for MetadataError {}

impl Metadata {
    /// The complex types that properties have and that [`complex_types`](Metadata::complex_types) lacks.
    pub(crate) fn missing_complex_types(&self) -> Vec<ComplexType> {
        let types = EdmType::ALL.into_iter().filter_map(|edm| Some((edm, ComplexType::of_crm_2011(edm)?)));
        let is_used = |edm| self.entities.iter().flat_map(|entity| &entity.properties).any(|used| used.edm == edm);
        let is_known =
            |name: &str| self.complex_types.iter().any(|known| known.name == name) || self.entity(name).is_some();
        types.filter(|(edm, missing)| !is_known(&missing.name) && is_used(*edm)).map(|(_, missing)| missing).collect()
    }

    /// The entity type of this name.
    pub fn entity(&self, name: &str) -> Option<&EntityType> {
        self.entities.iter().find(|entity| entity.name == name)
    }

    /// The entity type whose set has this name.
    pub fn entity_by_set(&self, set: &str) -> Option<&EntityType> {
        self.entities.iter().find(|entity| entity.set == set)
    }
}

impl EntityType {
    /// The property of this name, exactly.
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// Whether there is a navigation property of this name, exactly.
    pub fn navigates(&self, name: &str) -> bool {
        self.navigation.iter().any(|navigation| navigation.name == name)
    }
}

impl Property {
    /// A property that may be null and of which nothing else is said.
    pub fn new(name: impl Into<String>, edm: EdmType) -> Self {
        Property { name: name.into(), edm, nullable: true, facets: Vec::new() }
    }
}

impl ComplexType {
    /// The complex type as CRM 2011 has it; `None` for a type that is not complex.
    pub(crate) fn of_crm_2011(edm: EdmType) -> Option<Self> {
        let members: &[(&str, &str)] = match edm {
            EdmType::EntityReference => &[("Id", "Edm.Guid"), ("LogicalName", "Edm.String"), ("Name", "Edm.String")],
            EdmType::OptionSetValue => &[("Value", "Edm.Int32")],
            EdmType::Money => &[("Value", "Edm.Decimal")],
            EdmType::BooleanManagedProperty => &[
                ("Value", "Edm.Boolean"),
                ("CanBeChanged", "Edm.Boolean"),
                ("ManagedPropertyLogicalName", "Edm.String"),
            ],
            _ => return None,
        };
        let members = members.iter().map(|(name, type_name)| Member {
            name: (*name).to_owned(),
            type_name: (*type_name).to_owned(),
            nullable: true,
            facets: Vec::new(),
        });
        Some(ComplexType { name: edm.name().to_owned(), members: members.collect() })
    }
}
