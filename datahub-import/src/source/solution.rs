//! An exported solution's `customizations.xml`: lengths, options, labels, requirements, and what lookups refer to.

use std::collections::HashMap;

use cdms_odata::Kind;
use roxmltree::{Document, Node};

use super::described::{Described, DescribedAttribute, DescribedOption, Requirement, one_label};
use super::xml::{child, children, number, text};
use crate::known::entity_of_type_code;
use crate::naming::without_prefix;

/// Reads the entities, their attributes and relationships.
pub(super) fn read(document: &Document<'_>) -> Result<Vec<Described>, String> {
    let root = document.root_element();
    let entities = child(root, "Entities");
    let mut solution = Solution::default();
    for set in child(root, "optionsets").into_iter().flat_map(|sets| children(sets, "optionset")) {
        if let Some(name) = set.attribute("Name") {
            solution.option_sets.insert(name.to_lowercase(), options(set));
        }
    }
    let entities: Vec<_> = entities.into_iter().flat_map(|entities| children(entities, "Entity")).collect();
    // Attributes refer to entities by numbers, which are the organisation's own for custom entities.
    for entity in &entities {
        if let (Some(name), Some(code)) = (text(*entity, "Name"), number(*entity, "ObjectTypeCode")) {
            solution.codes.insert(code, name.to_lowercase());
        }
    }
    for entity in entities {
        if let Some(described) = solution.entity(entity) {
            solution.described.push(described);
        }
    }
    let relationships = child(root, "EntityRelationships");
    for relationship in relationships.into_iter().flat_map(|all| children(all, "EntityRelationship")) {
        solution.relationship(relationship);
    }
    let mut described = solution.described;
    for entity in &mut described {
        mark_shadows(&mut entity.attributes);
    }
    if described.iter().all(|entity| entity.attributes.is_empty()) {
        let reason = "says nothing of any entity's attributes; export a solution with the entities: in CDMS, Settings, \
                      Solutions, add the existing entities, then Export Solution";
        return Err(reason.to_owned());
    }
    Ok(described)
}

#[derive(Default)]
struct Solution {
    described: Vec<Described>,
    /// Global option sets by their names in lowercase. Others are in the organisation and not in the file.
    option_sets: HashMap<String, Option<Vec<DescribedOption>>>,
    /// Logical names by type codes.
    codes: HashMap<i64, String>,
}

impl Solution {
    fn entity(&self, node: Node<'_, '_>) -> Option<Described> {
        let name_node = child(node, "Name")?;
        let name = name_node.text().map(str::trim).filter(|name| !name.is_empty())?;
        let info = child(node, "EntityInfo").and_then(|info| child(info, "entity"));
        let attributes = info.and_then(|entity| child(entity, "attributes"));
        let attributes = attributes.into_iter().flat_map(|all| children(all, "attribute"));
        let attributes: Vec<_> = attributes.filter_map(|attribute| self.attribute(attribute)).collect();
        let is_key = |known: &&DescribedAttribute| known.type_name == "primarykey";
        let label =
            info.and_then(|info| child(info, "LocalizedNames")).and_then(|names| labels(names, "LocalizedName"));
        Some(Described {
            name: name.to_owned(),
            key: attributes.iter().find(is_key).map(|key| key.name.clone()),
            label: label.or_else(|| name_node.attribute("LocalizedName").map(str::to_owned)),
            is_own: !attributes.is_empty(),
            attributes,
        })
    }

    fn attribute(&self, node: Node<'_, '_>) -> Option<DescribedAttribute> {
        let name = node.attribute("PhysicalName").or_else(|| text(node, "Name"))?;
        let type_name = text(node, "Type").unwrap_or_default();
        let format = text(node, "Format");
        let mut attribute = DescribedAttribute::new(name, type_name, kinds(type_name, format));
        let is_set = |key: &str| text(node, key) == Some("1");
        attribute.is_shadow = matches!(type_name, "virtual" | "partylist");
        attribute.is_custom = is_set("IsCustomField");
        // The marks are present only where they are set.
        attribute.can_read = is_set("ValidForReadApi");
        attribute.can_create = Some(is_set("ValidForCreateApi"));
        attribute.can_update = Some(is_set("ValidForUpdateApi"));
        attribute.requirement = text(node, "RequiredLevel").and_then(Requirement::named);
        // `Length` is in bytes.
        attribute.max_length = number(node, "MaxLength").and_then(|length| u32::try_from(length).ok());
        // An amount's own digits; those of a currency or of the organisation are not in the file.
        let is_own = type_name != "money" || matches!(number(node, "AccuracySource"), None | Some(0));
        attribute.scale = number(node, "Accuracy").filter(|_| is_own).and_then(|scale| u32::try_from(scale).ok());
        attribute.targets = self.targets(node);
        attribute.options = match child(node, "optionset") {
            Some(set) => options(set),
            None => text(node, "OptionSetName")
                .and_then(|name| self.option_sets.get(&name.to_lowercase()))
                .cloned()
                .flatten(),
        };
        attribute.label = child(node, "displaynames").and_then(|names| labels(names, "displayname"));
        Some(attribute)
    }

    /// What a lookup of the product's own refers to: numbers, of which not all can be known.
    fn targets(&self, node: Node<'_, '_>) -> Vec<String> {
        let types = child(node, "LookupTypes").into_iter().flat_map(|types| children(types, "LookupType"));
        let mut codes: Vec<i64> = types.filter_map(|code| code.text()?.trim().parse().ok()).collect();
        if codes.is_empty() {
            codes.extend(number(node, "ReferencedEntityObjectTypeCode"));
        }
        let named =
            |code: &i64| self.codes.get(code).cloned().or_else(|| entity_of_type_code(*code).map(str::to_owned));
        let named: Option<Vec<String>> = codes.iter().map(named).collect();
        // Part of the targets would make the others faults.
        named.unwrap_or_default()
    }

    /// A lookup that is stated as a relationship, as all custom ones are.
    fn relationship(&mut self, node: Node<'_, '_>) {
        if text(node, "EntityRelationshipType").is_some_and(|kind| kind != "OneToMany") {
            return;
        }
        let names = ["ReferencingEntityName", "ReferencingAttributeName", "ReferencedEntityName"];
        let [Some(entity), Some(attribute), Some(target)] = names.map(|name| text(node, name)) else { return };
        let field = child(node, "field");
        let target = target.to_lowercase();
        // What users and teams have in common, and no entity.
        if target == "owner" {
            return;
        }
        let at = self.described.iter().position(|known| known.name.eq_ignore_ascii_case(entity));
        let at = at.unwrap_or_else(|| {
            self.described.push(Described { name: entity.to_owned(), ..Described::default() });
            self.described.len() - 1
        });
        let attributes = &mut self.described[at].attributes;
        let known = attributes.iter().position(|known| known.name.eq_ignore_ascii_case(attribute));
        let at = known.unwrap_or_else(|| {
            let mut lookup = DescribedAttribute::new(attribute, "lookup", vec![Kind::Lookup]);
            lookup.is_custom = attribute.contains('_');
            attributes.push(lookup);
            attributes.len() - 1
        });
        let lookup = &mut attributes[at];
        // An activity's own id refers to what all activities share.
        if !lookup.kinds.contains(&Kind::Lookup) {
            return;
        }
        // A solution has the relationships of its own entities. What a lookup of the product refers to besides is not in it.
        let is_products = |name: &str| without_prefix(name) == name;
        lookup.may_have_more_targets |= lookup.targets.is_empty() && is_products(entity) && is_products(attribute);
        if let Some(name) = node.attribute("Name") {
            lookup.relationships.push((target.clone(), name.to_owned()));
        }
        if !lookup.targets.contains(&target) {
            lookup.targets.push(target);
        }
        let level = field.and_then(|field| field.attribute("requiredlevel")).and_then(Requirement::named);
        lookup.requirement = lookup.requirement.or(level);
        let label = field.and_then(|field| child(field, "displaynames")).and_then(|names| labels(names, "displayname"));
        lookup.label = lookup.label.take().or(label);
    }
}

/// Marks the names that only show what a lookup or a choice has, such as `OwnerIdName` and `OwnerIdYomiName`. An attribute that
/// people added is their own, whatever its name.
fn mark_shadows(attributes: &mut [DescribedAttribute]) {
    let shown = |known: &&DescribedAttribute| {
        matches!(known.kinds[..], [Kind::Lookup | Kind::Choice | Kind::State | Kind::Status | Kind::Boolean])
    };
    let shown: Vec<String> = attributes.iter().filter(shown).map(|known| known.name.to_lowercase()).collect();
    for attribute in attributes.iter_mut().filter(|attribute| !attribute.is_custom) {
        let name = attribute.name.to_lowercase();
        let of = name.strip_suffix("yominame").or_else(|| name.strip_suffix("name"));
        attribute.is_shadow |= of.is_some_and(|of| shown.iter().any(|shown| shown == of));
    }
}

/// The kinds of a type; what `$metadata` says decides among them.
fn kinds(type_name: &str, format: Option<&str>) -> Vec<Kind> {
    match type_name {
        "nvarchar" | "ntext" => vec![Kind::String],
        "int" => vec![Kind::Integer],
        "bigint" | "timestamp" => vec![Kind::BigInt],
        "float" => vec![Kind::Double],
        "decimal" => vec![Kind::Decimal],
        "money" => vec![Kind::Money],
        "bit" => vec![Kind::Boolean],
        "picklist" => vec![Kind::Choice],
        "state" => vec![Kind::State],
        "status" => vec![Kind::Status],
        "datetime" if format == Some("date") => vec![Kind::Date],
        "datetime" => vec![Kind::DateTime],
        "lookup" | "owner" | "customer" => vec![Kind::Lookup],
        "primarykey" | "uniqueidentifier" => vec![Kind::Guid],
        _ => Vec::new(),
    }
}

/// The options of a set; `None` if it lists none. Those of a boolean have no meaning of their own.
fn options(set: Node<'_, '_>) -> Option<Vec<DescribedOption>> {
    if text(set, "OptionSetType") == Some("bit") {
        return None;
    }
    let lists = [("options", "option"), ("states", "state"), ("statuses", "status")];
    let all = lists.into_iter().flat_map(|(list, one)| {
        child(set, list).into_iter().flat_map(move |list| children(list, one)).collect::<Vec<_>>()
    });
    let options = all.filter_map(|option| {
        Some(DescribedOption {
            number: option.attribute("value")?.parse().ok()?,
            label: child(option, "labels").and_then(|all| labels(all, "label")),
            invariant: option.attribute("invariantname").map(str::to_owned),
        })
    });
    let options: Vec<_> = options.collect();
    (!options.is_empty()).then_some(options)
}

/// The label among those below an element.
fn labels(node: Node<'_, '_>, name: &str) -> Option<String> {
    let labels = children(node, name).filter_map(|label| {
        let text = label.attribute("description")?;
        Some((label.attribute("languagecode"), text))
    });
    one_label(labels)
}
