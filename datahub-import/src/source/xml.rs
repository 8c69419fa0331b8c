//! XML read with bounds: no DTD, no entities of its own, and no more elements than a document has.

use roxmltree::{Document, Error, Node, ParsingOptions};

/// More elements, texts and attributes than any real document has.
const NODES_MAX: u32 = 20_000_000;

/// Parses a document.
pub(super) fn parse(text: &str) -> Result<Document<'_>, String> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| match error {
        Error::DtdDetected => {
            "has a document type definition, which no document of CDMS has; it is not read".to_owned()
        }
        Error::NodesLimitReached => format!("has more than {NODES_MAX} elements, which no document of CDMS has"),
        Error::UnclosedRootNode | Error::UnexpectedEndOfStream => {
            let last = text.lines().count();
            format!("ends in line {last} before its last element is closed; it was cut off, so save it again")
        }
        Error::NoRootNode => format!("has no XML element; {}", super::EXPECTED),
        error if error.pos().row <= 1 && !text.trim_start().starts_with('<') => {
            format!("is not XML; {}", super::EXPECTED)
        }
        error => format!("line {} is not valid XML: {error}", error.pos().row),
    })
}

/// The first child element of this name, in any namespace.
pub(super) fn child<'d, 'x>(node: Node<'d, 'x>, name: &str) -> Option<Node<'d, 'x>> {
    children(node, name).next()
}

/// The child elements of this name, in any namespace.
pub(super) fn children<'d, 'x, 'n>(
    node: Node<'d, 'x>,
    name: &'n str,
) -> impl Iterator<Item = Node<'d, 'x>> + use<'d, 'x, 'n> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

/// The text of the first child element of this name; `None` if it is missing or blank.
pub(super) fn text<'d>(node: Node<'d, '_>, name: &str) -> Option<&'d str> {
    child(node, name)?.text().map(str::trim).filter(|text| !text.is_empty())
}

/// The number in the first child element of this name.
pub(super) fn number(node: Node<'_, '_>, name: &str) -> Option<i64> {
    text(node, name)?.parse().ok()
}
