//! Replies of the SOAP organisation service to `RetrieveEntity`, as they came or cut down to what they describe.

use cdms_odata::Kind;
use roxmltree::{Document, Node};

use super::described::{Described, DescribedAttribute, DescribedOption, Requirement, one_label};
use super::xml::{child, children, number, text};
use crate::naming::in_a_message;

/// Declares the prefixes of a reply that was saved without the envelope around it.
pub(super) fn with_prefixes(text: String) -> String {
    let Some(start) = text.match_indices('<').map(|(at, _)| at).find(|at| !text[at + 1..].starts_with(['?', '!']))
    else {
        return text;
    };
    let name = text[start + 1..].split(|letter: char| letter.is_whitespace() || letter == '>' || letter == '/').next();
    let prefix = name.and_then(|name| name.split_once(':')).map(|(prefix, _)| prefix);
    match prefix {
        Some(prefix) if !text.contains(&format!("xmlns:{prefix}=")) => {
            // Names are compared without namespaces, so any will do.
            let declared: String = ('a'..='z').map(|letter| format!(" xmlns:{letter}=\"urn:{letter}\"")).collect();
            format!("<reply{declared}>{}</reply>", &text[start..])
        }
        _ => text,
    }
}

/// Whether a document describes an entity or an attribute, or is the service's error.
pub(super) fn is_reply(document: &Document<'_>) -> bool {
    document.descendants().any(|node| is_entity(node) || is_attribute(node) || is(node, "Fault"))
}

/// Reads what the document describes.
pub(super) fn read(document: &Document<'_>) -> Result<Vec<Described>, String> {
    let mut described: Vec<Described> = document.descendants().filter(|node| is_entity(*node)).map(entity).collect();
    if described.is_empty() {
        for node in document.descendants().filter(|node| is_attribute(*node)) {
            let Some(owner) = text(node, "EntityLogicalName") else { continue };
            let at = described.iter().position(|known| known.name == owner);
            let at = at.unwrap_or_else(|| {
                described.push(Described { name: owner.to_owned(), is_own: true, ..Described::default() });
                described.len() - 1
            });
            described[at].attributes.extend(attribute(node));
        }
    }
    described.retain(|entity| !entity.name.is_empty());
    if !described.is_empty() {
        return Ok(described);
    }
    match fault(document) {
        Some(fault) => Err(format!("is an error of the SOAP service: {fault}")),
        None => Err("is a reply of the SOAP service that describes no entity".to_owned()),
    }
}

/// What the service's error says, if the document is one.
pub(super) fn fault(document: &Document<'_>) -> Option<String> {
    let fault = document.descendants().find(|node| is(*node, "Fault"))?;
    let said = fault.descendants().find(|node| is(*node, "Message") || is(*node, "faultstring") || is(*node, "Text"));
    said?.text().map(in_a_message)
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

/// The type that an element states for itself, without its prefix.
fn stated_type<'d>(node: Node<'d, '_>) -> Option<&'d str> {
    let stated = node.attributes().find(|attribute| attribute.name() == "type")?.value();
    Some(stated.rsplit(':').next().unwrap_or(stated))
}

fn is_entity(node: Node<'_, '_>) -> bool {
    is(node, "EntityMetadata") || (node.is_element() && stated_type(node) == Some("EntityMetadata"))
}

fn is_attribute(node: Node<'_, '_>) -> bool {
    is(node, "AttributeMetadata")
        || (node.is_element() && stated_type(node).is_some_and(|stated| stated.ends_with("AttributeMetadata")))
}

fn entity(node: Node<'_, '_>) -> Described {
    let logical = text(node, "LogicalName").unwrap_or_default();
    let name = text(node, "SchemaName").unwrap_or(logical);
    let nodes: Vec<_> =
        child(node, "Attributes").into_iter().flat_map(|all| children(all, "AttributeMetadata")).collect();
    let mut attributes: Vec<_> = nodes.into_iter().filter_map(attribute).collect();
    let key = text(node, "PrimaryIdAttribute");
    let key = key.and_then(|key| attributes.iter().find(|known| known.name.eq_ignore_ascii_case(key)));
    let key = key.map(|key| key.name.clone());
    let relationships = child(node, "ManyToOneRelationships");
    let relationships = relationships.into_iter().flat_map(|all| children(all, "OneToManyRelationshipMetadata"));
    let relationships: Vec<_> = relationships.collect();
    for lookup in attributes.iter_mut().filter(|known| known.kinds == [Kind::Lookup]) {
        let is_of = |relationship: &&Node<'_, '_>| {
            text(**relationship, "ReferencingAttribute").is_some_and(|name| name.eq_ignore_ascii_case(&lookup.name))
        };
        let (mut targets, mut names) = (Vec::new(), Vec::new());
        for relationship in relationships.iter().filter(is_of) {
            let Some(target) = text(*relationship, "ReferencedEntity").map(str::to_lowercase) else { continue };
            names.extend(text(*relationship, "SchemaName").map(|name| (target.clone(), name.to_owned())));
            targets.push(target);
        }
        targets.dedup();
        lookup.relationships = names;
        if lookup.targets.is_empty() {
            lookup.targets = targets;
        }
    }
    let label = child(node, "DisplayName").and_then(label);
    Described { name: name.to_owned(), key, label, is_own: true, attributes }
}

fn attribute(node: Node<'_, '_>) -> Option<DescribedAttribute> {
    let name = text(node, "SchemaName").or_else(|| text(node, "LogicalName"))?;
    let type_name = text(node, "AttributeType").unwrap_or_default();
    let mut attribute = DescribedAttribute::new(name, type_name, kinds(type_name, text(node, "Format")));
    let flag = |key: &str| text(node, key).map(|value| value == "true");
    attribute.is_shadow =
        text(node, "AttributeOf").is_some() || matches!(type_name, "Virtual" | "PartyList" | "CalendarRules");
    attribute.is_custom = flag("IsCustomAttribute") == Some(true);
    attribute.can_read = flag("IsValidForRead") != Some(false);
    attribute.can_create = flag("IsValidForCreate");
    attribute.can_update = flag("IsValidForUpdate");
    attribute.requirement =
        child(node, "RequiredLevel").and_then(|level| text(level, "Value")).and_then(Requirement::named);
    attribute.max_length = number(node, "MaxLength").and_then(|length| u32::try_from(length).ok());
    let is_own = type_name != "Money" || matches!(number(node, "PrecisionSource"), None | Some(0));
    attribute.scale = number(node, "Precision").filter(|_| is_own).and_then(|scale| u32::try_from(scale).ok());
    let targets = child(node, "Targets").into_iter().flat_map(|all| children(all, "string"));
    attribute.targets = targets.filter_map(|target| Some(target.text()?.trim().to_lowercase())).collect();
    attribute.options = child(node, "OptionSet").and_then(options);
    attribute.label = child(node, "DisplayName").and_then(label);
    Some(attribute)
}

/// The kinds of a type; what `$metadata` says decides among them.
fn kinds(type_name: &str, format: Option<&str>) -> Vec<Kind> {
    match type_name {
        "String" | "Memo" | "EntityName" => vec![Kind::String],
        "Integer" => vec![Kind::Integer],
        "BigInt" => vec![Kind::BigInt],
        "Double" => vec![Kind::Double],
        "Decimal" => vec![Kind::Decimal],
        "Money" => vec![Kind::Money],
        "Boolean" => vec![Kind::Boolean],
        "Picklist" => vec![Kind::Choice],
        "State" => vec![Kind::State],
        "Status" => vec![Kind::Status],
        "DateTime" if format == Some("DateOnly") => vec![Kind::Date],
        "DateTime" => vec![Kind::DateTime],
        "Lookup" | "Owner" | "Customer" => vec![Kind::Lookup],
        "Uniqueidentifier" => vec![Kind::Guid],
        _ => Vec::new(),
    }
}

fn options(set: Node<'_, '_>) -> Option<Vec<DescribedOption>> {
    let all = child(set, "Options").into_iter().flat_map(|all| children(all, "OptionMetadata"));
    let options = all.filter_map(|option| {
        Some(DescribedOption {
            number: i32::try_from(number(option, "Value")?).ok()?,
            label: child(option, "Label").and_then(label),
            invariant: text(option, "InvariantName").map(str::to_owned),
        })
    });
    let options: Vec<_> = options.collect();
    (!options.is_empty()).then_some(options)
}

/// The label of a `Label` or a `DisplayName`.
fn label(node: Node<'_, '_>) -> Option<String> {
    let localized = child(node, "LocalizedLabels").into_iter().flat_map(|all| children(all, "LocalizedLabel"));
    let of_user = child(node, "UserLocalizedLabel");
    let labels = localized.chain(of_user).filter_map(|one| Some((text(one, "LanguageCode"), text(one, "Label")?)));
    one_label(labels)
}
