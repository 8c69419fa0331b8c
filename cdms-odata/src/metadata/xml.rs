//! A `$metadata` document written as XML.

use std::fmt::{self, Write as _};

use super::{Association, ComplexType, EntityType, Facet, Metadata};

/// The namespace of OData's extensions to a schema.
pub(super) const METADATA: &str = "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata";

/// The namespace of the schemas of OData v2.
pub(super) const SCHEMA: &str = "http://schemas.microsoft.com/ado/2008/09/edm";

/// The container's name if none is known.
pub(super) const CONTAINER: &str = "CdmsContext";

impl Metadata {
    /// The document as XML. [`Metadata::parse`] reads it back to an equal value if the original was read from a
    /// document.
    pub fn to_xml(&self) -> String {
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
             <edmx:Edmx Version=\"1.0\" xmlns:edmx=\"http://schemas.microsoft.com/ado/2007/06/edmx\">\n \
             <edmx:DataServices m:DataServiceVersion=\"2.0\" xmlns:m=\"{METADATA}\">\n"
        );
        let namespace = Escaped(&self.namespace);
        // Writing to a string cannot fail.
        let mut line = |text: fmt::Arguments<'_>| _ = writeln!(xml, "{text}");
        let language = Escaped(if self.language.is_empty() { SCHEMA } else { &self.language });
        line(format_args!("  <Schema Namespace=\"{namespace}\" xmlns=\"{language}\">"));
        for entity in &self.entities {
            entity_type(entity, namespace, &mut line);
        }
        for complex in self.complex_types.iter().chain(&self.missing_complex_types()) {
            complex_type(complex, &mut line);
        }
        for association in &self.associations {
            relation(association, namespace, &mut line);
        }
        let container = Escaped(if self.container.is_empty() { CONTAINER } else { &self.container });
        line(format_args!("   <EntityContainer Name=\"{container}\" m:IsDefaultEntityContainer=\"true\">"));
        for entity in &self.entities {
            let (name, set) = (Escaped(&entity.name), Escaped(&entity.set));
            line(format_args!("    <EntitySet Name=\"{set}\" EntityType=\"{namespace}.{name}\"/>"));
        }
        for Association { name, set, ends } in &self.associations {
            let (name, set) = (Escaped(name), Escaped(set));
            line(format_args!("    <AssociationSet Name=\"{set}\" Association=\"{namespace}.{name}\">"));
            for end in ends {
                let entity_set = self.entity(&end.entity).map_or("", |entity| &entity.set);
                let (role, entity_set) = (Escaped(&end.role), Escaped(entity_set));
                line(format_args!("     <End Role=\"{role}\" EntitySet=\"{entity_set}\"/>"));
            }
            line(format_args!("    </AssociationSet>"));
        }
        line(format_args!("   </EntityContainer>\n  </Schema>\n </edmx:DataServices>\n</edmx:Edmx>"));
        xml
    }
}

fn entity_type(entity: &EntityType, namespace: Escaped<'_>, line: &mut dyn FnMut(fmt::Arguments<'_>)) {
    line(format_args!("   <EntityType Name=\"{}\">", Escaped(&entity.name)));
    line(format_args!("    <Key><PropertyRef Name=\"{}\"/></Key>", Escaped(&entity.key)));
    for property in &entity.properties {
        let (name, edm, facets) = (Escaped(&property.name), property.edm.name(), Facets(&property.facets));
        let nullable = property.nullable && property.name != entity.key;
        if property.edm.is_complex() {
            line(format_args!(
                "    <Property Name=\"{name}\" Type=\"{namespace}.{edm}\" Nullable=\"{nullable}\"{facets}/>"
            ));
        } else {
            line(format_args!("    <Property Name=\"{name}\" Type=\"{edm}\" Nullable=\"{nullable}\"{facets}/>"));
        }
    }
    for navigation in &entity.navigation {
        let (name, association) = (Escaped(&navigation.name), Escaped(&navigation.association));
        let (from, to) = (Escaped(&navigation.from), Escaped(&navigation.to));
        line(format_args!(
            "    <NavigationProperty Name=\"{name}\" Relationship=\"{namespace}.{association}\" \
             FromRole=\"{from}\" ToRole=\"{to}\"/>"
        ));
    }
    line(format_args!("   </EntityType>"));
}

fn complex_type(complex: &ComplexType, line: &mut dyn FnMut(fmt::Arguments<'_>)) {
    line(format_args!("   <ComplexType Name=\"{}\">", Escaped(&complex.name)));
    for member in &complex.members {
        let (name, type_name, facets) = (Escaped(&member.name), Escaped(&member.type_name), Facets(&member.facets));
        let nullable = member.nullable;
        line(format_args!("    <Property Name=\"{name}\" Type=\"{type_name}\" Nullable=\"{nullable}\"{facets}/>"));
    }
    line(format_args!("   </ComplexType>"));
}

fn relation(association: &Association, namespace: Escaped<'_>, line: &mut dyn FnMut(fmt::Arguments<'_>)) {
    line(format_args!("   <Association Name=\"{}\">", Escaped(&association.name)));
    for end in &association.ends {
        let (role, entity, multiplicity) = (Escaped(&end.role), Escaped(&end.entity), end.multiplicity.text());
        line(format_args!("    <End Role=\"{role}\" Type=\"{namespace}.{entity}\" Multiplicity=\"{multiplicity}\"/>"));
    }
    line(format_args!("   </Association>"));
}

/// The remaining facets of a property, as further attributes of its element.
struct Facets<'n>(&'n [Facet]);

impl fmt::Display for Facets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|Facet { name, value }| write!(f, " {name}=\"{}\"", Escaped(value)))
    }
}

/// A name as an attribute's value. An XML reader would interpret markup characters, and would turn line breaks into
/// blanks.
#[derive(Clone, Copy)]
struct Escaped<'n>(&'n str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' | '<' | '>' | '"' | '\n' | '\t' | '\r' => write!(f, "&#{};", u32::from(letter))?,
                letter => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}
