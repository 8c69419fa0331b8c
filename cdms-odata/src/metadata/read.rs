//! A `$metadata` document read from XML.

use std::collections::{HashMap, HashSet};

use roxmltree::{Document, Node};

use super::xml::{CONTAINER, METADATA, SCHEMA};
use super::{
    Association, ComplexType, EdmType, End, EntityType, Facet, Member, Metadata, MetadataError, Multiplicity,
    NavigationProperty, Property,
};

impl Metadata {
    /// Reads a document, in any of the schema namespaces that servers use and with any prefixes.
    ///
    /// The document may be an excerpt: a relation to a type that it does not define is left out, since no document
    /// could state it, and complex types that it lacks are assumed to be those of CRM 2011.
    ///
    /// # Errors
    ///
    /// If the text is not XML, a type has no key or set, a name is defined twice, or a property has an unknown type.
    /// The error has the line.
    pub fn parse(text: &str) -> Result<Self, MetadataError> {
        let document = Document::parse(text)
            .map_err(|error| MetadataError { line: error.pos().row, reason: format!("not valid XML: {error}") })?;
        let reading = Reading { document: &document };
        let (mut metadata, mut sets) = (Metadata::default(), Sets::default());
        let (mut types, mut complex_types, mut associations) = (Vec::new(), Vec::new(), Vec::new());
        for schema in document.descendants().filter(|node| is(*node, "Schema")) {
            for node in schema.children().filter(Node::is_element) {
                match node.tag_name().name() {
                    "EntityType" => {
                        metadata.namespace = schema.attribute("Namespace").unwrap_or_default().to_owned();
                        metadata.language =
                            schema.tag_name().namespace().filter(is_schema).unwrap_or(SCHEMA).to_owned();
                        types.push(node);
                    }
                    "ComplexType" => complex_types.push(node),
                    "Association" => associations.push(node),
                    "EntityContainer" => {
                        let name = node.attribute("Name").filter(|name| !name.is_empty()).unwrap_or(CONTAINER);
                        metadata.container = name.to_owned();
                        sets.read(&reading, node)?;
                    }
                    _ => {}
                }
            }
        }
        let mut known = Names::default();
        for node in types.iter().copied() {
            known.take(&reading, node, "the type ", reading.required(node, "Name")?)?;
            metadata.entities.push(reading.entity(node, &mut sets)?);
        }
        for node in complex_types {
            known.take(&reading, node, "the type ", reading.required(node, "Name")?)?;
            metadata.complex_types.push(reading.complex_type(node)?);
        }
        if let Some((entity, set)) = sets.entities.iter().min() {
            let reason = format!("the set {set} has the type {entity}, which the document does not define");
            return Err(MetadataError { line: 0, reason });
        }
        if metadata.entities.is_empty() {
            return Err(MetadataError {
                line: 0,
                reason: "no entity types found; is this a $metadata document?".into(),
            });
        }
        metadata.complex_types.extend(metadata.missing_complex_types());
        let mut known = Names::default();
        for node in associations {
            known.take(&reading, node, "the association ", reading.required(node, "Name")?)?;
            let association = reading.association(node, &mut sets)?;
            if association.ends.iter().all(|end| metadata.entity(&end.entity).is_some()) {
                metadata.associations.push(association);
            }
        }
        let by_name: HashMap<_, _> = metadata.associations.iter().map(|known| (known.name.as_str(), known)).collect();
        for (entity, node) in metadata.entities.iter_mut().zip(types) {
            reading.navigation(node, entity, &by_name)?;
            metadata.has_navigation |= !entity.navigation.is_empty();
        }
        Ok(metadata)
    }
}

/// The sets of the container: entity types by name, associations by name.
#[derive(Default)]
struct Sets<'d> {
    entities: HashMap<&'d str, &'d str>,
    associations: HashMap<&'d str, &'d str>,
    names: Names<'d>,
}

impl<'d> Sets<'d> {
    fn read(&mut self, reading: &Reading<'d, '_>, container: Node<'d, '_>) -> Result<(), MetadataError> {
        for set in container.children().filter(|child| is(*child, "EntitySet")) {
            let entity = unqualified(reading.required(set, "EntityType")?);
            let name = reading.required(set, "Name")?;
            if self.entities.insert(entity, name).is_some() {
                return Err(reading.at(set, format!("the type {entity} has two sets")));
            }
            self.names.take(reading, set, "the set ", name)?;
        }
        for set in container.children().filter(|child| is(*child, "AssociationSet")) {
            let association = unqualified(reading.required(set, "Association")?);
            let name = reading.required(set, "Name")?;
            if self.associations.insert(association, name).is_some() {
                return Err(reading.at(set, format!("the association {association} has two sets")));
            }
            self.names.take(reading, set, "the set ", name)?;
        }
        Ok(())
    }
}

/// Names that must be unique.
#[derive(Default)]
struct Names<'d>(HashSet<&'d str>);

impl<'d> Names<'d> {
    fn take(
        &mut self,
        reading: &Reading<'d, '_>,
        node: Node<'d, '_>,
        what: &str,
        name: &'d str,
    ) -> Result<(), MetadataError> {
        if self.0.insert(name) {
            return Ok(());
        }
        Err(reading.at(node, format!("{what}{name} is defined twice")))
    }
}

/// The document being read, for the lines of errors.
struct Reading<'d, 'x> {
    document: &'d Document<'x>,
}

impl<'d> Reading<'d, '_> {
    fn entity(&self, node: Node<'d, '_>, sets: &mut Sets<'d>) -> Result<EntityType, MetadataError> {
        let name = self.required(node, "Name")?;
        let set = sets.entities.remove(name).ok_or_else(|| self.at(node, format!("the type {name} has no set")))?;
        let key = node.descendants().find(|child| is(*child, "PropertyRef"));
        let key = key.ok_or_else(|| self.at(node, format!("the type {name} has no key")))?;
        let key = self.required(key, "Name")?;
        let (mut known, of) = (Names::default(), format!("{name}."));
        let mut properties: Vec<Property> = Vec::new();
        for child in node.children().filter(|child| is(*child, "Property")) {
            let property = self.required(child, "Name")?;
            let edm = self.required(child, "Type")?;
            let edm = EdmType::parse(edm).ok_or_else(|| {
                self.at(child, format!("{name}.{property} has the type {edm}, which CRM 2011 does not use"))
            })?;
            known.take(self, child, &of, property)?;
            let nullable = property != key && is_nullable(child);
            properties.push(Property { name: property.to_owned(), edm, nullable, facets: facets(child) });
        }
        if !known.0.contains(key) {
            return Err(self.at(node, format!("the type {name} has the key {key}, but no such property")));
        }
        let navigation = Vec::new();
        Ok(EntityType { name: name.to_owned(), set: set.to_owned(), key: key.to_owned(), properties, navigation })
    }

    /// Adds to an entity type the navigation properties that follow one of these associations.
    fn navigation(
        &self,
        node: Node<'d, '_>,
        entity: &mut EntityType,
        associations: &HashMap<&str, &Association>,
    ) -> Result<(), MetadataError> {
        for child in node.children().filter(|child| is(*child, "NavigationProperty")) {
            let property = NavigationProperty {
                name: self.required(child, "Name")?.to_owned(),
                association: unqualified(self.required(child, "Relationship")?).to_owned(),
                from: self.required(child, "FromRole")?.to_owned(),
                to: self.required(child, "ToRole")?.to_owned(),
            };
            let (of, name) = (&entity.name, &property.name);
            if entity.property(name).is_some() || entity.navigates(name) {
                return Err(self.at(child, format!("{of}.{name} is defined twice")));
            }
            let Some(association) = associations.get(property.association.as_str()) else { continue };
            if !association.leads(of, &property) {
                let NavigationProperty { association, from, to, .. } = &property;
                let reason =
                    format!("{of}.{name} goes from {from} to {to}, which does not match the ends of {association}");
                return Err(self.at(child, reason));
            }
            entity.navigation.push(property);
        }
        Ok(())
    }

    fn complex_type(&self, node: Node<'d, '_>) -> Result<ComplexType, MetadataError> {
        let name = self.required(node, "Name")?;
        let (mut known, of) = (Names::default(), format!("{name}."));
        let mut members = Vec::new();
        for child in node.children().filter(|child| is(*child, "Property")) {
            let member = self.required(child, "Name")?;
            known.take(self, child, &of, member)?;
            members.push(Member {
                name: member.to_owned(),
                type_name: self.required(child, "Type")?.to_owned(),
                nullable: is_nullable(child),
                facets: facets(child),
            });
        }
        Ok(ComplexType { name: name.to_owned(), members })
    }

    fn association(&self, node: Node<'d, '_>, sets: &mut Sets<'d>) -> Result<Association, MetadataError> {
        let name = self.required(node, "Name")?;
        if name.contains('.') {
            return Err(self.at(node, format!("the name of the association {name} must not contain a period")));
        }
        let ends = node.children().filter(|child| is(*child, "End")).map(|end| {
            let text = self.required(end, "Multiplicity")?;
            let multiplicity = Multiplicity::parse(text);
            Ok(End {
                role: self.required(end, "Role")?.to_owned(),
                entity: unqualified(self.required(end, "Type")?).to_owned(),
                multiplicity: multiplicity.ok_or_else(|| {
                    self.at(end, format!("unknown multiplicity {text} of {name}; expected 0..1, 1 or *"))
                })?,
            })
        });
        let ends = <[End; 2]>::try_from(ends.collect::<Result<Vec<_>, _>>()?);
        let ends = ends.map_err(|ends| {
            self.at(node, format!("the association {name} must have two ends, found {}", ends.len()))
        })?;
        if ends[0].role == ends[1].role {
            return Err(self.at(node, format!("both ends of the association {name} have the role {}", ends[0].role)));
        }
        let set = match sets.associations.get(name) {
            Some(set) => *set,
            None => {
                sets.names.take(self, node, "the set ", name)?;
                name
            }
        };
        Ok(Association { name: name.to_owned(), set: set.to_owned(), ends })
    }

    fn required(&self, node: Node<'d, '_>, attribute: &str) -> Result<&'d str, MetadataError> {
        let tag = node.tag_name().name();
        node.attribute(attribute).ok_or_else(|| self.at(node, format!("<{tag}> is missing {attribute}")))
    }

    fn at(&self, node: Node<'_, '_>, reason: String) -> MetadataError {
        MetadataError { line: self.document.text_pos_at(node.range().start).row, reason }
    }
}

/// Whether a node is an element of this name, in any namespace.
fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

/// Whether a namespace is that of a version of the schema language; a document may omit it.
fn is_schema(namespace: &&str) -> bool {
    namespace.starts_with("http://schemas.microsoft.com/ado/") && namespace.ends_with("/edm")
}

/// A name without the namespace before it.
fn unqualified(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn is_nullable(node: Node<'_, '_>) -> bool {
    node.attribute("Nullable") != Some("false")
}

/// The facets of a property besides its name, its type and whether it may be null.
fn facets(node: Node<'_, '_>) -> Vec<Facet> {
    let others = node.attributes().filter_map(|attribute| {
        let name = match attribute.namespace() {
            None if matches!(attribute.name(), "Name" | "Type" | "Nullable") => return None,
            None => attribute.name().to_owned(),
            Some(METADATA) => format!("m:{}", attribute.name()),
            Some(_) => return None,
        };
        Some(Facet { name, value: attribute.value().to_owned() })
    });
    others.collect()
}
