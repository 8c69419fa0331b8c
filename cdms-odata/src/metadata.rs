//! The `$metadata` document: which entities, sets, keys and properties an organisation has.

mod xml;

use std::collections::{HashMap, HashSet};
use std::fmt;

use roxmltree::{Document, Node};

use crate::Kind;

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

impl EdmType {
    const ALL: [EdmType; 12] = [
        EdmType::String,
        EdmType::Int32,
        EdmType::Int64,
        EdmType::Decimal,
        EdmType::Double,
        EdmType::Boolean,
        EdmType::DateTime,
        EdmType::Guid,
        EdmType::EntityReference,
        EdmType::OptionSetValue,
        EdmType::Money,
        EdmType::BooleanManagedProperty,
    ];

    /// The type's name: `Edm.String`, or for a complex type its name without the namespace.
    pub const fn name(self) -> &'static str {
        match self {
            EdmType::String => "Edm.String",
            EdmType::Int32 => "Edm.Int32",
            EdmType::Int64 => "Edm.Int64",
            EdmType::Decimal => "Edm.Decimal",
            EdmType::Double => "Edm.Double",
            EdmType::Boolean => "Edm.Boolean",
            EdmType::DateTime => "Edm.DateTime",
            EdmType::Guid => "Edm.Guid",
            EdmType::EntityReference => "EntityReference",
            EdmType::OptionSetValue => "OptionSetValue",
            EdmType::Money => "Money",
            EdmType::BooleanManagedProperty => "BooleanManagedProperty",
        }
    }

    /// Whether the type is complex: an object with members on the wire.
    pub const fn is_complex(self) -> bool {
        matches!(
            self,
            EdmType::EntityReference | EdmType::OptionSetValue | EdmType::Money | EdmType::BooleanManagedProperty
        )
    }

    /// The kinds that a contract may give a property of this type, the plainest first; none for managed properties.
    pub const fn kinds(self) -> &'static [Kind] {
        match self {
            EdmType::String => &[Kind::String],
            EdmType::Int32 => &[Kind::Integer],
            EdmType::Int64 => &[Kind::BigInt],
            EdmType::Decimal => &[Kind::Decimal],
            EdmType::Double => &[Kind::Double],
            EdmType::Boolean => &[Kind::Boolean],
            EdmType::DateTime => &[Kind::DateTime, Kind::Date],
            EdmType::Guid => &[Kind::Guid],
            EdmType::EntityReference => &[Kind::Lookup],
            EdmType::OptionSetValue => &[Kind::Choice, Kind::State, Kind::Status],
            EdmType::Money => &[Kind::Money],
            EdmType::BooleanManagedProperty => &[],
        }
    }

    /// Whether a property of this type can be an attribute of that kind.
    pub fn carries(self, kind: Kind) -> bool {
        self.kinds().contains(&kind)
    }

    fn parse(name: &str) -> Option<Self> {
        // A schema's own types have its namespace before them, which may itself begin with `Edm.`.
        let short = match name.rsplit_once('.') {
            None | Some(("Edm", _)) => name,
            Some((_, short)) => short,
        };
        EdmType::ALL.into_iter().find(|edm| edm.name() == short)
    }
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
    /// Reads a document, in either of the schema namespaces that servers use and with any prefixes.
    ///
    /// # Errors
    ///
    /// Text that is no XML, a type without key or set, a name given twice, or a property of an unknown type,
    /// with the line.
    pub fn parse(text: &str) -> Result<Self, MetadataError> {
        let document = Document::parse(text)
            .map_err(|error| MetadataError { line: error.pos().row, reason: format!("is no XML: {error}") })?;
        let schemas = document.descendants().filter(|node| node.has_tag_name_anywhere("Schema"));
        let mut metadata = Metadata::default();
        let mut sets = HashMap::new();
        let mut set_names = HashSet::new();
        let mut types = Vec::new();
        for schema in schemas {
            for node in schema.children().filter(Node::is_element) {
                match node.tag_name().name() {
                    "EntityType" => {
                        metadata.namespace = schema.attribute("Namespace").unwrap_or_default().to_owned();
                        types.push(node);
                    }
                    "EntityContainer" => {
                        for set in node.children().filter(|child| child.has_tag_name_anywhere("EntitySet")) {
                            let entity = required(&document, set, "EntityType")?;
                            let entity = entity.rsplit('.').next().unwrap_or(entity);
                            let name = required(&document, set, "Name")?;
                            if sets.insert(entity, name).is_some() {
                                return Err(at(&document, set, format!("the type {entity} has two sets")));
                            }
                            if !set_names.insert(name) {
                                return Err(at(&document, set, format!("two types have the set {name}")));
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
        let mut known = HashSet::new();
        for node in types {
            let name = required(&document, node, "Name")?;
            if !known.insert(name) {
                return Err(at(&document, node, format!("the type {name} is there twice")));
            }
            let entity = entity(&document, node, &mut sets)?;
            metadata.has_navigation |= !entity.navigation.is_empty();
            metadata.entities.push(entity);
        }
        if let Some((entity, set)) = sets.into_iter().min() {
            let reason = format!("the set {set} has the type {entity}, which the document does not have");
            return Err(MetadataError { line: 0, reason });
        }
        if metadata.entities.is_empty() {
            return Err(MetadataError { line: 0, reason: "has no entity types; is this a $metadata document?".into() });
        }
        Ok(metadata)
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
}

trait TagName {
    fn has_tag_name_anywhere(&self, name: &str) -> bool;
}

impl TagName for Node<'_, '_> {
    /// Whether the element has this name in whatever namespace.
    fn has_tag_name_anywhere(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

fn entity<'d>(
    document: &'d Document<'_>,
    node: Node<'d, '_>,
    sets: &mut HashMap<&'d str, &'d str>,
) -> Result<EntityType, MetadataError> {
    let name = required(document, node, "Name")?;
    let set = sets.remove(name).ok_or_else(|| at(document, node, format!("the type {name} has no set")))?;
    let key = node.descendants().find(|child| child.has_tag_name_anywhere("PropertyRef"));
    let key = key.ok_or_else(|| at(document, node, format!("the type {name} has no key")))?;
    let key = required(document, key, "Name")?;
    let mut properties: Vec<Property> = Vec::new();
    let mut known = HashSet::new();
    for child in node.children().filter(|child| child.has_tag_name_anywhere("Property")) {
        let property = required(document, child, "Name")?;
        let edm = required(document, child, "Type")?;
        let edm = EdmType::parse(edm).ok_or_else(|| {
            at(document, child, format!("{name}.{property} has the type {edm}, which CRM 2011 does not use"))
        })?;
        if !known.insert(property) {
            return Err(at(document, child, format!("{name}.{property} is there twice")));
        }
        properties.push(Property { name: property.to_owned(), edm });
    }
    if !known.contains(key) {
        return Err(at(document, node, format!("the type {name} has the key {key}, but no such property")));
    }
    let navigation = node.children().filter(|child| child.has_tag_name_anywhere("NavigationProperty"));
    let navigation = navigation.map(|child| required(document, child, "Name").map(str::to_owned));
    Ok(EntityType {
        name: name.to_owned(),
        set: set.to_owned(),
        key: key.to_owned(),
        properties,
        navigation: navigation.collect::<Result<_, _>>()?,
    })
}

fn required<'d>(document: &Document<'_>, node: Node<'d, '_>, attribute: &str) -> Result<&'d str, MetadataError> {
    let tag = node.tag_name().name();
    node.attribute(attribute).ok_or_else(|| at(document, node, format!("<{tag}> has no {attribute}")))
}

fn at(document: &Document<'_>, node: Node<'_, '_>, reason: String) -> MetadataError {
    MetadataError { line: document.text_pos_at(node.range().start).row, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx">
 <edmx:DataServices>
  <Schema Namespace="Microsoft.Crm.Sdk.Data.Services" xmlns="http://schemas.microsoft.com/ado/2008/09/edm">
   <EntityType Name="Account">
    <Key><PropertyRef Name="AccountId"/></Key>
    <Property Name="AccountId" Type="Edm.Guid" Nullable="false"/>
    <Property Name="Revenue" Type="Microsoft.Crm.Sdk.Data.Services.Money" Nullable="false"/>
    <NavigationProperty Name="contact_customer_accounts" Relationship="x.y" FromRole="a" ToRole="b"/>
   </EntityType>
   <ComplexType Name="Money"><Property Name="Value" Type="Edm.Decimal"/></ComplexType>
   <EntityContainer Name="ContosoContext">
    <EntitySet Name="AccountSet" EntityType="Microsoft.Crm.Sdk.Data.Services.Account"/>
   </EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"#;

    #[test]
    fn a_document_reads_and_writes_back() {
        let metadata = Metadata::parse(SMALL).unwrap();
        let account = metadata.entity("Account").unwrap();
        assert_eq!((account.set.as_str(), account.key.as_str()), ("AccountSet", "AccountId"));
        assert_eq!(account.property("Revenue").unwrap().edm, EdmType::Money);
        assert_eq!(account.navigation, ["contact_customer_accounts"]);
        assert!(metadata.has_navigation);
        assert_eq!(metadata.entity_by_set("AccountSet"), Some(account));
        assert_eq!(Metadata::parse(&metadata.to_xml()).unwrap(), metadata);
    }

    #[test]
    fn names_with_marks_of_xml_are_written_so_that_they_read_back() {
        let marked = SMALL.replace("Account\"", "A&amp;B&lt;&quot;C'&gt;&#10;&#9;&#13; D\"");
        let metadata = Metadata::parse(&marked).unwrap();
        assert_eq!(metadata.entities[0].name, "A&B<\"C'>\n\t\r D");
        assert_eq!(Metadata::parse(&metadata.to_xml()).unwrap(), metadata);
    }

    #[test]
    fn faults_name_the_line_and_the_name() {
        let cases = [
            (SMALL.replace("Edm.Guid", "Edm.Binary"), "$metadata line 6: Account.AccountId has the type Edm.Binary"),
            (SMALL.replace("<Key><PropertyRef Name=\"AccountId\"/></Key>", ""), "line 4: the type Account has no key"),
            (SMALL.replace("PropertyRef Name=\"AccountId\"", "PropertyRef Name=\"Id\""), "has the key Id, but no such"),
            (SMALL.replace("<EntitySet ", "<Nothing "), "line 4: the type Account has no set"),
            (SMALL.replace("Services.Account\"", "Services.Contact\""), "line 4: the type Account has no set"),
            (SMALL.replace("\"Revenue\"", "\"AccountId\""), "line 7: Account.AccountId is there twice"),
            ("<a>".to_owned(), "is no XML"),
            ("<a/>".to_owned(), "has no entity types"),
        ];
        for (text, expected) in cases {
            let error = Metadata::parse(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error} does not say: {expected}");
        }
    }

    #[test]
    fn a_kind_fits_a_type_or_not() {
        assert!(EdmType::DateTime.carries(Kind::Date));
        assert!(!EdmType::String.carries(Kind::Guid));
        for kind in Kind::ALL {
            assert_eq!(EdmType::ALL.into_iter().filter(|edm| edm.carries(kind)).count(), 1, "{kind}");
        }
    }
}
