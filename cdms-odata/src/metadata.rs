//! The `$metadata` document: which entities, sets, keys and properties an organisation has.

/// What one `$metadata` document says, as far as mapping and simulating need it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Metadata {
    /// The schema namespace of the types, for example `Microsoft.Crm.Sdk.Data.Services`.
    pub namespace: String,
    /// The entity types in the document's order.
    pub entities: Vec<EntityType>,
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
    /// The names of the navigation properties.
    pub navigation: Vec<String>,
}

/// One property of an entity type.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// The property's name, exactly as in the document.
    pub name: String,
    /// Its type.
    pub edm: EdmType,
}

/// The types that properties have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EdmType {
    /// `Edm.String`.
    String,
    /// `Edm.Int32`.
    Int32,
    /// `Edm.Int64`.
    Int64,
    /// `Edm.Decimal`.
    Decimal,
    /// `Edm.Double`.
    Double,
    /// `Edm.Boolean`.
    Boolean,
    /// `Edm.DateTime`.
    DateTime,
    /// `Edm.Guid`.
    Guid,
    /// The complex type `EntityReference`.
    EntityReference,
    /// The complex type `OptionSetValue`.
    OptionSetValue,
    /// The complex type `Money`.
    Money,
    /// The complex type `BooleanManagedProperty`.
    BooleanManagedProperty,
}
