//! An attribute of a contract: its kind, and its other keys.

use std::borrow::Cow;
use std::collections::HashMap;

use cdms_odata::Kind;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Reader;
use crate::Class;
use crate::conversion::{DECIMAL_SCALE, midnight, scale_max};
use crate::diagnostic::Spot;
use crate::diagnostic::{Code, Cure, Diagnostic};
use crate::source::contract::metadata::fitting;
use crate::source::contract::{Asked, ContractAttribute, Question, Stated};
use crate::source::nearest::{meant, meant_among, meant_kind, nearest};

/// The keys of an attribute.
const ATTRIBUTE_KEYS: [&str; 12] = [
    "kind",
    "required",
    "read-only",
    "max-length",
    "scale",
    "zone",
    "choices",
    "labels",
    "target",
    "navigation",
    "class",
    "note",
];

/// Stands for a value that is not known yet.
const OPEN: &str = "?";

/// How targets are written.
const TARGETS: &str = "write `target = \"account\"`, or `target = [\"account\", \"contact\"]` for several";

/// What was read of one attribute.
pub(super) struct Read {
    /// What is known of it in spite of its faults.
    pub(super) stated: Stated,
    /// The attribute; `None` if it has no kind.
    pub(super) attribute: Option<ContractAttribute>,
    /// What is left to be looked up.
    pub(super) questions: Vec<Question>,
}

impl Reader<'_> {
    pub(super) fn attribute(&mut self, name: &Spanned<Cow<'_, str>>, value: &Spanned<DeValue<'_>>) -> Read {
        let mut stated = Stated { name: name.get_ref().to_string(), kind: None, spot: self.spot(name.span().start) };
        let Some(table) = value.get_ref().as_table() else {
            let help = format!("write `{} = {{ kind = \"string\" }}`", stated.name);
            self.wrong(&stated.name, value, "a table", help);
            return Read { stated, attribute: None, questions: Vec::new() };
        };
        stated.kind = self.kind(&stated, table);
        let is_name = self.is_of_cdms(&stated.name, name.span().start);
        let mut questions = Vec::new();
        let attribute = self.other_keys(&stated, table, &mut questions);
        Read { stated, attribute: attribute.filter(|_| is_name), questions }
    }

    fn kind(&mut self, Stated { name, spot, .. }: &Stated, table: &DeTable<'_>) -> Option<Kind> {
        let Some(value) = table.get("kind") else {
            let known = self.entity.and_then(|entity| entity.property(name)).and_then(fitting);
            let help = known
                .map_or_else(|| "add `kind = \"string\"`, or another kind".to_owned(), |kinds| format!("add {kinds}"));
            self.missing(spot, format!("`{name}` is missing `kind`"), help);
            return None;
        };
        let kind = self.string("kind", value)?;
        let known = kind.parse().ok();
        if known.is_none() {
            self.fault(Code::WrongKind, value.span().start, format!("unknown kind `{kind}`"), meant_kind(&kind));
        }
        known
    }

    /// The keys other than the kind. If the kind is unknown, none of them is superfluous or missing.
    fn other_keys(
        &mut self,
        stated: &Stated,
        table: &DeTable<'_>,
        questions: &mut Vec<Question>,
    ) -> Option<ContractAttribute> {
        let Stated { name: attribute, kind, spot } = stated;
        for (key, _) in table {
            if !ATTRIBUTE_KEYS.contains(&key.get_ref().as_ref()) {
                self.unknown_key(key, "an attribute", &ATTRIBUTE_KEYS);
            }
        }
        let flag = |this: &mut Self, key: &str| match table.get(key) {
            None => false,
            Some(value) => value.get_ref().as_bool().unwrap_or_else(|| {
                this.wrong(key, value, "a boolean", format!("write `{key} = true` or `{key} = false`"));
                false
            }),
        };
        // A question is left out, like a key that is not stated.
        let mut only_for = |this: &mut Self, key: &'static str, kinds: &[Kind]| {
            let value = table.get(key)?;
            let is_open = value.get_ref().as_str() == Some(OPEN);
            // Whether an instant is a date is a question of its own.
            let kinds = if is_open && key == "zone" { &[Kind::Date, Kind::DateTime] } else { kinds };
            if let Some(kind) = kind
                && !kinds.contains(kind)
            {
                let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
                let plural = if names.len() == 1 { "kind" } else { "kinds" };
                let message = format!(
                    "`{key}` is only allowed for {plural} {}, but `{attribute}` is of kind {kind}",
                    names.join(", ")
                );
                this.fault(Code::KeysExclude, value.span().start, message, format!("remove `{key}`"));
                return None;
            }
            if is_open {
                questions.push(Question::of(stated, key, this.spot(value.span().start)));
                return None;
            }
            Some(value)
        };
        let choice_kinds = [Kind::Choice, Kind::State, Kind::Status];
        let max_length = only_for(self, "max-length", &[Kind::String])
            .and_then(|value| self.count("max-length", value, u32::MAX, 100));
        let scale_kinds = [Kind::Decimal, Kind::Money, Kind::Double];
        let scale = only_for(self, "scale", &scale_kinds).and_then(|value| self.scale(attribute, *kind, value));
        if *kind == Some(Kind::Decimal) && !table.contains_key("scale") {
            let message = format!("the decimal `{attribute}` is missing `scale`");
            let help = format!(
                "add `scale = 2`, or the number of digits after the point that CDMS's form shows, at most {DECIMAL_SCALE}"
            );
            self.missing(spot, message, help);
        }
        let zone = only_for(self, "zone", &[Kind::Date]).and_then(|value| self.zone(value));
        let choices = only_for(self, "choices", &choice_kinds).map_or_else(Vec::new, |value| self.choices(value));
        let labels =
            only_for(self, "labels", &choice_kinds).map_or_else(Vec::new, |value| self.labels(value, &choices));
        let targets = only_for(self, "target", &[Kind::Lookup]).map_or_else(Vec::new, |value| self.targets(value));
        let navigations = only_for(self, "navigation", &[Kind::Lookup])
            .map_or_else(Vec::new, |value| self.navigations(attribute, value, &targets));
        let no_target =
            table.get("target").is_none_or(|value| value.get_ref().as_array().is_some_and(|all| all.is_empty()));
        if *kind == Some(Kind::Lookup) && no_target {
            let message = format!("the lookup `{attribute}` is missing `target`");
            let help = "add `target = \"account\"`, or a list of logical names".to_owned();
            self.missing(spot, message, help);
        }
        if *kind == Some(Kind::Date) && !table.contains_key("zone") {
            let message = format!("the date `{attribute}` is missing `zone`");
            let help =
                "add the time zone of the midnight that CDMS stores, such as `zone = \"Europe/London\"`".to_owned();
            self.missing(spot, message, help);
        }
        let class = match table.get("class") {
            None => Class::Public,
            Some(value) => self.class(value),
        };
        let (required, asked) = match table.get("required") {
            Some(value) if value.get_ref().is_str() => (false, self.asked(value)),
            _ => (flag(self, "required"), None),
        };
        let read_only = flag(self, "read-only");
        let note = table.get("note").and_then(|value| self.string("note", value));
        let kind = (*kind)?;
        Some(ContractAttribute {
            name: attribute.clone(),
            kind,
            required,
            asked,
            read_only,
            max_length,
            scale,
            zone,
            choices,
            labels,
            targets,
            navigations,
            class,
            note,
            spot: spot.clone(),
        })
    }

    fn missing(&mut self, spot: &Spot, message: String, help: String) {
        self.diagnostics.push(Diagnostic::of(Code::MissingKey, spot.clone(), message).cure(help));
    }

    /// A number from zero to the largest that the key takes, which has such an example.
    fn count(&mut self, key: &str, value: &Spanned<DeValue<'_>>, most: u32, example: u32) -> Option<u32> {
        let number = value.get_ref().as_integer();
        let number = number.and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok());
        if number.is_none() {
            let help = format!("write a number from 0 to {most}, such as `{key} = {example}`");
            self.wrong(key, value, "a non-negative integer", help);
        }
        number
    }

    fn scale(&mut self, attribute: &str, kind: Option<Kind>, value: &Spanned<DeValue<'_>>) -> Option<u32> {
        let most = kind.and_then(scale_max).unwrap_or(DECIMAL_SCALE);
        let scale = self.count("scale", value, most, 2)?;
        if scale <= most {
            return Some(scale);
        }
        let (message, help) = match kind {
            Some(kind @ (Kind::Money | Kind::Double)) => (
                format!("`scale` of `{attribute}` must be at most {most} for kind {kind}, found `{scale}`"),
                format!("write `scale = {most}`, or the number of digits that CDMS's form shows"),
            ),
            _ => (
                format!(
                    "`scale` of `{attribute}` must be at most {DECIMAL_SCALE}, found `{scale}`: with more digits, CDMS's \
                     largest number, 100,000,000,000, does not fit into a column of 64 bits"
                ),
                format!(
                    "write `scale = {DECIMAL_SCALE}` if CDMS's form shows no more digits; a record with more digits waits in \
                     quarantine, unless its field stores the value as text, with `with = \"module\", sql_type = \"string\"`"
                ),
            ),
        };
        self.fault(Code::WrongValue, value.span().start, message, help);
        None
    }

    fn zone(&mut self, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let zone = self.string("zone", value)?;
        if !midnight::is_zone(&zone) {
            let message = format!("unknown time zone `{zone}`");
            let cure = meant(&zone, midnight::zones());
            let cure =
                cure.unwrap_or_else(|| "write a name of the IANA time zone database, such as `Europe/London`".into());
            self.fault(Code::WrongValue, value.span().start, message, cure);
            return None;
        }
        Some(zone)
    }

    fn choices(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<(String, i32)> {
        let Some(table) = value.get_ref().as_table() else {
            self.wrong("choices", value, "a table", "write `choices = { active = 0, inactive = 1 }`");
            return Vec::new();
        };
        let mut choices = Vec::new();
        let mut numbers = HashMap::new();
        for (name, value) in table {
            let number = value.get_ref().as_integer();
            let number = number.and_then(|number| i32::from_str_radix(number.as_str(), number.radix()).ok());
            let Some(number) = number else {
                let help =
                    format!("write its number, from {} to {}, such as `{} = 1`", i32::MIN, i32::MAX, name.get_ref());
                self.wrong(name.get_ref(), value, "an integer of 32 bits", help);
                continue;
            };
            if let Some(other) = numbers.insert(number, name.get_ref()) {
                let message = format!("the options `{other}` and `{}` have the same number, {number}", name.get_ref());
                self.fault(
                    Code::MappedTwice,
                    value.span().start,
                    message,
                    "correct the number of one of them, or remove it",
                );
            }
            choices.push((name.get_ref().to_string(), number));
        }
        choices
    }

    fn labels(&mut self, value: &Spanned<DeValue<'_>>, choices: &[(String, i32)]) -> Vec<(String, String)> {
        let Some(table) = value.get_ref().as_table() else {
            self.wrong("labels", value, "a table", "write `labels = { active = \"Active\" }`");
            return Vec::new();
        };
        let mut labels = Vec::new();
        for (name, value) in table {
            let names = || choices.iter().map(|(name, _)| name.as_str());
            if !names().any(|known| known == name.get_ref()) {
                let message = format!("the label of `{0}` has no option: `{0}` is not in `choices`", name.get_ref());
                let help = meant(name.get_ref(), names()).unwrap_or_else(|| "remove the label".into());
                self.fault(Code::UnknownChoice, name.span().start, message, help);
            } else if let Some(label) = self.string(name.get_ref(), value) {
                labels.push((name.get_ref().to_string(), label));
            }
        }
        labels
    }

    /// How forms ask for a value.
    fn asked(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Asked> {
        let said = value.get_ref().as_str()?;
        let asked = Asked::ALL.into_iter().find(|asked| asked.name() == said);
        if asked.is_none() {
            let names = Asked::ALL.map(Asked::name);
            let help = match nearest(said, names) {
                Some(_) => meant_among(said, &names),
                None => "write `required = true` or `required = false`; or how forms ask for it, \"recommended\" or \"on-forms\"".into(),
            };
            let message = format!("`required` must be a boolean, \"recommended\" or \"on-forms\", found \"{said}\"");
            self.fault(Code::WrongValue, value.span().start, message, help);
        }
        asked
    }

    fn targets(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<String> {
        let values: Vec<&Spanned<DeValue<'_>>> = match value.get_ref() {
            DeValue::String(_) => vec![value],
            DeValue::Array(values) => values.iter().collect(),
            _ => {
                self.wrong("target", value, "a string or an array of strings", TARGETS);
                return Vec::new();
            }
        };
        let mut targets = Vec::new();
        for value in values {
            let Some(target) = value.get_ref().as_str().map(str::to_owned) else {
                self.wrong("target", value, "a string", TARGETS);
                continue;
            };
            if !self.is_of_cdms(&target, value.span().start) {
                continue;
            }
            if target.to_lowercase() != target {
                let message = format!("invalid logical name `{target}`: logical names are lowercase");
                let help =
                    Cure::correcting(format!("write `{}`", target.to_lowercase()), &*target, target.to_lowercase());
                self.fault(Code::WrongValue, value.span().start, message, help);
            }
            targets.push(target);
        }
        targets
    }

    fn class(&mut self, value: &Spanned<DeValue<'_>>) -> Class {
        let Some(class) = self.string("class", value) else { return Class::Public };
        Class::named(&class).unwrap_or_else(|| {
            let help = meant_among(&class, &Class::ALL.map(Class::name));
            self.fault(Code::WrongValue, value.span().start, format!("unknown class `{class}`"), help);
            Class::Secret
        })
    }
}
