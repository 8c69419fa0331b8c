//! The `$metadata` document: which entities, sets, keys and properties an organisation has.

mod compare;
mod edm;
mod misfit;
mod read;
mod relation;
mod xml;

use std::fmt;

pub use compare::{Change, Changed};
pub use edm::EdmType;
pub use misfit::{EntityUse, Misfit};
pub use relation::{Association, End, Multiplicity, NavigationProperty};

/// The contents of a `$metadata` document, as far as mapping and simulating need them.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Metadata {
    /// The schema namespace of the types, for example `Microsoft.Crm.Sdk.Data.Services`.
    pub namespace: String,
    /// The XML namespace of the schema, which depends on its version; if empty, that of OData v2 documents.
    pub language: String,
    /// The name of the entity container, for example `ContosoContext`; if empty, `CdmsContext`.
    pub container: String,
    /// The entity types in the document's order.
    pub entities: Vec<EntityType>,
    /// The complex types in the document's order. Types that a property has but that are missing here are written as in
    /// CRM 2011.
    pub complex_types: Vec<ComplexType>,
    /// The associations in the document's order, each between types that the document defines.
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
    /// The navigation properties in the document's order, each following one of the document's associations.
    pub navigation: Vec<NavigationProperty>,
}

/// One property of an entity type.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// The property's name, exactly as in the document.
    pub name: String,
    /// Its type.
    pub edm: EdmType,
    /// Whether it may be null according to the document; a key never may.
    pub nullable: bool,
    /// Its other facets in the document, for example `MaxLength`.
    pub facets: Vec<Facet>,
}

/// A facet of a property that neither mapping nor simulating uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    /// The facet, for example `MaxLength`; with the prefix `m:` in the namespace of OData's metadata.
    pub name: String,
    /// The value, as in the document.
    pub value: String,
}

/// A complex type: the members of a property's value.
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
    /// Its type as named in the document, for example `Edm.Guid`.
    pub type_name: String,
    /// Whether it may be null.
    pub nullable: bool,
    /// Its other facets in the document.
    pub facets: Vec<Facet>,
}

/// A `$metadata` document that cannot be used, with the line of the error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataError {
    line: u32,
    reason: String,
}

impl MetadataError {
    /// The line of the error, from 1; 0 for the whole document.
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

    /// The name of the entity type to whose one record a navigation property leads; `None` if it leads to several.
    pub fn one_target(&self, navigation: &NavigationProperty) -> Option<&str> {
        let association = self.associations.iter().find(|known| known.name == navigation.association)?;
        let end = association.ends.iter().find(|end| end.role == navigation.to)?;
        (end.multiplicity != Multiplicity::Many).then_some(end.entity.as_str())
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
    /// A property that may be null and has no other facets.
    pub fn new(name: impl Into<String>, edm: EdmType) -> Self {
        Property { name: name.into(), edm, nullable: true, facets: Vec::new() }
    }
}

impl ComplexType {
    /// The complex type as CRM 2011 defines it; `None` for a type that is not complex.
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
