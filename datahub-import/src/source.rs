//! Sources: documents that say something of entities, recognised by what is in them.

mod archive;
mod described;
mod reply;
mod solution;
mod text;
mod xml;

use cdms_odata::metadata::Metadata;
use roxmltree::Document;

pub(crate) use described::{Described, DescribedAttribute, DescribedOption, Requirement};

use crate::facts::Origin;
use crate::naming::in_a_message;

/// The longest document that is read, in bytes. A real organisation's `$metadata` has 4 MB, a large solution 50.
pub const DOCUMENT_MAX: usize = 128 << 20;

/// A document that says something of entities.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name in messages: a path or an address.
    pub name: String,
    pub(crate) content: Content,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// `$metadata`, with the text that can be kept as the snapshot.
    Metadata(Metadata, String),
    /// What a solution or the SOAP service says.
    Described(Origin, Vec<Described>),
}

/// A document that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct Unusable {
    /// Its name in messages.
    pub name: String,
    /// Why it cannot be used, and what to do.
    pub reason: String,
}

impl Source {
    /// Reads a document: `$metadata`, `customizations.xml`, a solution's zip with it, or saved replies of the SOAP service.
    ///
    /// # Errors
    ///
    /// It is none of these, is damaged, or is larger than [`DOCUMENT_MAX`].
    pub fn read(name: impl Into<String>, bytes: &[u8]) -> Result<Self, Unusable> {
        let name = name.into();
        let content =
            content(bytes).map_err(|reason| Unusable { name: name.clone(), reason: in_a_message(&reason) })?;
        Ok(Source { name, content })
    }

    /// Where its facts come from.
    pub fn origin(&self) -> Origin {
        match &self.content {
            Content::Metadata(..) => Origin::Metadata,
            Content::Described(origin, _) => *origin,
        }
    }

    /// The text and the contents of a `$metadata` document.
    pub fn metadata(&self) -> Option<(&Metadata, &str)> {
        match &self.content {
            Content::Metadata(metadata, text) => Some((metadata, text)),
            Content::Described(..) => None,
        }
    }
}

/// What an error of the SOAP service says; `None` if the document is none.
pub(crate) fn fault(bytes: &[u8]) -> Option<String> {
    let text = reply::with_prefixes(text::decode(bytes).ok()?);
    reply::fault(&xml::parse(&text).ok()?)
}

fn content(bytes: &[u8]) -> Result<Content, String> {
    if bytes.len() > DOCUMENT_MAX {
        return Err(too_large());
    }
    if archive::is_zip(bytes) {
        let customizations = archive::customizations(bytes)?;
        return solution::read(&xml::parse(&text::decode(&customizations)?)?)
            .map(|entities| Content::Described(Origin::Solution, entities));
    }
    let text = text::decode(bytes)?;
    // Saved replies often lack the envelope that declares their prefixes.
    let text = reply::with_prefixes(text);
    let document = xml::parse(&text)?;
    match document.root_element().tag_name().name() {
        "Edmx" | "Schema" => {
            drop(document);
            let metadata = Metadata::parse(&text).map_err(|error| error.to_string())?;
            Ok(Content::Metadata(metadata, text))
        }
        "ImportExportXml" => solution::read(&document).map(|entities| Content::Described(Origin::Solution, entities)),
        _ if reply::is_reply(&document) => {
            reply::read(&document).map(|entities| Content::Described(Origin::Soap, entities))
        }
        root => Err(unknown(&document, root)),
    }
}

fn too_large() -> String {
    format!("is larger than {} MB, which no document of CDMS is; is it the right file?", DOCUMENT_MAX >> 20)
}

fn unknown(document: &Document<'_>, root: &str) -> String {
    match root.to_lowercase().as_str() {
        "html" => "is a web page, perhaps that of a login; save the document itself".to_owned(),
        "solutionmanifest" | "importexportxml" => "is another file of a solution; use its customizations.xml, or the \
                                                   solution's zip"
            .to_owned(),
        _ if document.descendants().any(|node| node.tag_name().name() == "Fault") => {
            "is an error of the SOAP service, not a reply".to_owned()
        }
        _ => format!("has the root element `{root}`; {EXPECTED}"),
    }
}

/// What can be imported.
pub(crate) const EXPECTED: &str = "expected `$metadata`, a solution's customizations.xml or its zip, or replies of the SOAP \
                                   service to RetrieveEntity";
