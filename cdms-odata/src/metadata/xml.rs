//! A `$metadata` document written as XML.

use std::fmt::{self, Write as _};

use super::Metadata;

impl Metadata {
    /// The document as XML, which [`Metadata::parse`] reads back to an equal value.
    pub fn to_xml(&self) -> String {
        let mut xml = String::from(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
             <edmx:Edmx Version=\"1.0\" xmlns:edmx=\"http://schemas.microsoft.com/ado/2007/06/edmx\">\n \
             <edmx:DataServices m:DataServiceVersion=\"2.0\" \
             xmlns:m=\"http://schemas.microsoft.com/ado/2007/08/dataservices/metadata\">\n",
        );
        let namespace = Escaped(&self.namespace);
        // Writing to a string cannot fail.
        let mut line = |text: fmt::Arguments<'_>| _ = writeln!(xml, "{text}");
        line(format_args!(
            "  <Schema Namespace=\"{namespace}\" xmlns=\"http://schemas.microsoft.com/ado/2009/11/edm\">"
        ));
        for entity in &self.entities {
            line(format_args!("   <EntityType Name=\"{}\">", Escaped(&entity.name)));
            line(format_args!("    <Key><PropertyRef Name=\"{}\"/></Key>", Escaped(&entity.key)));
            for property in &entity.properties {
                let (name, edm) = (Escaped(&property.name), property.edm.name());
                let nullable = property.name != entity.key;
                if property.edm.is_complex() {
                    line(format_args!(
                        "    <Property Name=\"{name}\" Type=\"{namespace}.{edm}\" Nullable=\"{nullable}\"/>"
                    ));
                } else {
                    line(format_args!("    <Property Name=\"{name}\" Type=\"{edm}\" Nullable=\"{nullable}\"/>"));
                }
            }
            for name in entity.navigation.iter().map(|name| Escaped(name)) {
                line(format_args!(
                    "    <NavigationProperty Name=\"{name}\" Relationship=\"{namespace}.{name}\" \
                     FromRole=\"from\" ToRole=\"to\"/>"
                ));
            }
            line(format_args!("   </EntityType>"));
        }
        line(format_args!("   <EntityContainer Name=\"CdmsContext\" m:IsDefaultEntityContainer=\"true\">"));
        for entity in &self.entities {
            let (name, set) = (Escaped(&entity.name), Escaped(&entity.set));
            line(format_args!("    <EntitySet Name=\"{set}\" EntityType=\"{namespace}.{name}\"/>"));
        }
        line(format_args!("   </EntityContainer>\n  </Schema>\n </edmx:DataServices>\n</edmx:Edmx>"));
        xml
    }
}

/// A name as an attribute's value: a reader of XML takes marks for its own, and line breaks for blanks.
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
