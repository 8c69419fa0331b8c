//! What a solution and a reply say of an entity, in one form.

use cdms_odata::Kind;

/// An entity as a source describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Described {
    /// Its name, spelled as in OData.
    pub(crate) name: String,
    /// Its key, if the source says so.
    pub(crate) key: Option<String>,
    /// Its name as people see it.
    pub(crate) label: Option<String>,
    /// Whether it is described for itself, and not only where others refer to it.
    pub(crate) is_own: bool,
    /// What is said of its attributes.
    pub(crate) attributes: Vec<DescribedAttribute>,
}

/// An attribute as a source describes it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DescribedAttribute {
    /// Its name, spelled as in OData.
    pub(crate) name: String,
    /// The type as the source names it.
    pub(crate) type_name: String,
    /// The kinds that values of the type can have, the likeliest first; none for types that OData does not have.
    pub(crate) kinds: Vec<Kind>,
    /// Whether it only shows what another attribute has.
    pub(crate) is_shadow: bool,
    /// Whether the team or its supplier added it.
    pub(crate) is_custom: bool,
    /// Whether programs can read it.
    pub(crate) can_read: bool,
    /// Whether a create can set it; `None` if the source does not say.
    pub(crate) can_create: Option<bool>,
    /// Whether an update can set it; `None` if the source does not say.
    pub(crate) can_update: Option<bool>,
    /// Whether a value must exist.
    pub(crate) requirement: Option<Requirement>,
    /// The longest text, in characters.
    pub(crate) max_length: Option<u32>,
    /// The digits after the point.
    pub(crate) scale: Option<u32>,
    /// The logical names of what it refers to.
    pub(crate) targets: Vec<String>,
    /// The relationships that it stands for, each after the logical name of what it refers to.
    pub(crate) relationships: Vec<(String, String)>,
    /// Whether it may refer to more than the source shows.
    pub(crate) may_have_more_targets: bool,
    /// Its options; `None` if they are not in the source.
    pub(crate) options: Option<Vec<DescribedOption>>,
    /// Its name as people see it.
    pub(crate) label: Option<String>,
}

/// Whether a value must exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Requirement {
    None,
    Recommended,
    /// By forms, not by the server.
    OnForms,
    /// By the server.
    System,
}

impl Requirement {
    /// The requirement of this name, in either source's spelling.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "none" => Some(Requirement::None),
            "recommended" => Some(Requirement::Recommended),
            "required" | "applicationrequired" => Some(Requirement::OnForms),
            "systemrequired" => Some(Requirement::System),
            _ => None,
        }
    }
}

/// An option as a source describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DescribedOption {
    pub(crate) number: i32,
    /// How forms show it.
    pub(crate) label: Option<String>,
    /// Its name in every language, which states have.
    pub(crate) invariant: Option<String>,
}

impl DescribedAttribute {
    /// An attribute of which nothing but its name and type is known.
    pub(crate) fn new(name: impl Into<String>, type_name: impl Into<String>, kinds: Vec<Kind>) -> Self {
        DescribedAttribute {
            name: name.into(),
            type_name: type_name.into(),
            kinds,
            is_shadow: false,
            is_custom: false,
            can_read: true,
            can_create: None,
            can_update: None,
            requirement: None,
            max_length: None,
            scale: None,
            targets: Vec::new(),
            relationships: Vec::new(),
            may_have_more_targets: false,
            options: None,
            label: None,
        }
    }
}

/// The language of the labels that are taken where there are several: English, else the first.
pub(crate) const ENGLISH: &str = "1033";

/// The label to take among those of several languages.
pub(crate) fn one_label<'l>(labels: impl Iterator<Item = (Option<&'l str>, &'l str)>) -> Option<String> {
    let labels: Vec<_> = labels.filter(|(_, label)| !label.trim().is_empty()).collect();
    let english = labels.iter().find(|(language, _)| *language == Some(ENGLISH));
    english.or(labels.first()).map(|(_, label)| label.trim().to_owned())
}
