//! From a contract's text to a contract, with every fault on its line.

use std::borrow::Cow;
use std::collections::HashSet;

use cdms_odata::Kind;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{ConstantValue, Contract, ContractAttribute, ContractConstant, Group, GroupMember, Spot};
use crate::conversion::DECIMAL_SCALE;
use crate::source::diagnostic::{Code, Diagnostic, Place};
use crate::source::nearest::meant;
use crate::{ACTOR, Class};

/// The keys of a contract's top level.
const TOP_KEYS: [&str; 11] = [
    "entity",
    "set",
    "key",
    "logical",
    "modified",
    "created",
    "modified-by",
    "attributes",
    "groups",
    "constants",
    "unmapped",
];

/// Those of them that are names of CDMS's.
const NAMES: [&str; 7] = ["entity", "set", "key", "logical", "modified", "created", "modified-by"];

/// The keys of an attribute.
const ATTRIBUTE_KEYS: [&str; 10] =
    ["kind", "required", "read-only", "max-length", "scale", "zone", "choices", "target", "class", "note"];

/// Reads a contract; see [`Contract::parse`].
pub(super) fn contract<P>(text: &str) -> (Option<Contract>, Vec<Diagnostic<P>>) {
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { text, names: Vec::new(), diagnostics: Vec::new() };
    if !errors.is_empty() {
        for error in errors {
            let spot = reader.spot(error.span().map_or(0, |span| span.start));
            reader.diagnostics.push(Diagnostic::contract(Code::FaultyToml, spot, error.message().replace('\n', ", ")));
        }
        return (None, reader.told());
    }
    let contract = reader.contract(root.get_ref());
    (contract, reader.told())
}

struct Reader<'t, P> {
    text: &'t str,
    /// The names in [attributes], those of faulty ones included.
    names: Vec<String>,
    diagnostics: Vec<Diagnostic<P>>,
}

type Entry<'t> = (&'t Spanned<Cow<'t, str>>, &'t Spanned<DeValue<'t>>);

impl<'t, P> Reader<'t, P> {
    fn spot(&self, offset: usize) -> Spot {
        let before = &self.text[..offset.min(self.text.len())];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let text = self.text[start..].lines().next().unwrap_or_default().to_owned();
        Spot { line: before.matches('\n').count() + 1, column: before[start..].chars().count() + 1, text }
    }

    /// The faults, from the file's first line to its last.
    fn told(mut self) -> Vec<Diagnostic<P>> {
        self.diagnostics.sort_by_key(|diagnostic| match &diagnostic.place {
            Place::Contract(spot) => (spot.line, spot.column),
            Place::Source(_) => (0, 0),
        });
        self.diagnostics
    }

    fn fault(&mut self, code: Code, offset: usize, message: String, help: Option<String>) {
        let spot = self.spot(offset);
        self.diagnostics.push(Diagnostic::contract(code, spot, message).maybe_help(help));
    }

    fn contract(&mut self, root: &DeTable<'_>) -> Option<Contract> {
        let mut is_partial = false;
        for (key, value) in root {
            if !TOP_KEYS.contains(&key.get_ref().as_ref()) {
                self.unknown_key(key, "a contract", &TOP_KEYS);
                is_partial |= value.get_ref().is_table();
            }
        }
        let named = match root.get("entity") {
            Some(value) => self.name("entity", value),
            None => {
                let message = "the contract does not say which entity it is of".to_owned();
                let help = "begin it with `entity = \"Account\"`, exactly as in $metadata".to_owned();
                self.fault(Code::MissingKey, 0, message, Some(help));
                None
            }
        };
        // Without an entity there is no contract, but its other faults are told all the same.
        let is_named = named.is_some();
        let entity = named.unwrap_or_default();
        let spots = NAMES.into_iter().filter_map(|name| Some((name, self.spot(root.get(name)?.span().start))));
        let spots = spots.collect();
        let mut named = |name: &str, default: String| match root.get(name) {
            Some(value) => self.name(name, value).unwrap_or(default),
            None => default,
        };
        let mut contract = Contract {
            set: named("set", format!("{entity}Set")),
            key: named("key", format!("{entity}Id")),
            logical: named("logical", entity.to_lowercase()),
            modified: named("modified", "ModifiedOn".to_owned()),
            created: named("created", "CreatedOn".to_owned()),
            modified_by: named("modified-by", "ModifiedBy".to_owned()),
            entity,
            attributes: Vec::new(),
            groups: Vec::new(),
            constants: Vec::new(),
            unmapped: Vec::new(),
            spots,
            faulty: Vec::new(),
            is_partial,
        };
        for table in ["attributes", "groups"] {
            contract.is_partial |= root.get(table).is_some_and(|value| !value.get_ref().is_table());
        }
        for (name, value) in self.table(root, "attributes") {
            self.names.push(name.get_ref().to_string());
            let before = self.diagnostics.len();
            let attribute = self.attribute(name, value).filter(|_| self.diagnostics.len() == before);
            match attribute {
                Some(mut attribute) => {
                    // What CDMS itself keeps of every record cannot be written, whatever else is said of it.
                    attribute.read_only |= contract.is_engines(&attribute.name);
                    contract.attributes.push(attribute);
                }
                None => contract.faulty.push(name.get_ref().to_string()),
            }
        }
        for (name, value) in self.table(root, "groups") {
            match self.group(name, value, &contract) {
                Some(group) => contract.groups.push(group),
                None => contract.faulty.push(name.get_ref().to_string()),
            }
        }
        for (name, value) in self.table(root, "constants") {
            match self.constant(name, value, &contract) {
                Some(constant) => contract.constants.push(constant),
                None => contract.faulty.push(name.get_ref().to_string()),
            }
        }
        for (name, value) in self.table(root, "unmapped") {
            let attribute = name.get_ref().to_string();
            if let Some(reason) = self.string(&attribute, value) {
                if self.names.contains(&attribute) {
                    let message = format!("`{attribute}` is stated in [attributes] and left out in [unmapped]");
                    let help = "keep it in one of the two".to_owned();
                    self.fault(Code::KeysExclude, name.span().start, message, Some(help));
                }
                let spot = self.spot(name.span().start);
                contract.unmapped.push((attribute, reason, spot));
            }
        }
        is_named.then_some(contract)
    }

    /// The entries of a table below the top level, in the order of the file.
    fn table<'r>(&mut self, root: &'r DeTable<'_>, name: &str) -> Vec<Entry<'r>> {
        match root.get(name) {
            None => Vec::new(),
            Some(value) => match value.get_ref().as_table() {
                Some(table) => table.iter().collect(),
                None => {
                    self.wrong(name, value, "a table");
                    Vec::new()
                }
            },
        }
    }

    fn attribute(&mut self, name: &Spanned<Cow<'_, str>>, value: &Spanned<DeValue<'_>>) -> Option<ContractAttribute> {
        let attribute = name.get_ref().to_string();
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(&attribute, value, "a table such as { kind = \"string\" }");
            return None;
        };
        for (key, _) in table {
            if !ATTRIBUTE_KEYS.contains(&key.get_ref().as_ref()) {
                self.unknown_key(key, "an attribute", &ATTRIBUTE_KEYS);
            }
        }
        let Some(kind_value) = table.get("kind") else {
            let message = format!("`{attribute}` has no kind");
            let help = "add one, such as `kind = \"string\"`".to_owned();
            self.fault(Code::MissingKey, name.span().start, message, Some(help));
            return None;
        };
        let kind_name = self.string("kind", kind_value)?;
        let Ok(kind) = kind_name.parse::<Kind>() else {
            let message = format!("no kind is called `{kind_name}`");
            let help = meant(&kind_name, Kind::ALL.iter().map(|kind| kind.name()));
            self.fault(Code::WrongKind, kind_value.span().start, message, help);
            return None;
        };
        let flag = |this: &mut Self, key: &str| match table.get(key) {
            None => false,
            Some(value) => value.get_ref().as_bool().unwrap_or_else(|| {
                this.wrong(key, value, "true or false");
                false
            }),
        };
        let only_for = |this: &mut Self, key: &str, kinds: &[Kind]| {
            let value = table.get(key)?;
            if !kinds.contains(&kind) {
                let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
                let message =
                    format!("`{key}` is for the kinds {}, but `{attribute}` is of kind {kind}", names.join(", "));
                this.fault(Code::KeysExclude, value.span().start, message, Some(format!("remove `{key}`")));
                return None;
            }
            Some(value)
        };
        let choice_kinds = [Kind::Choice, Kind::State, Kind::Status];
        let max_length =
            only_for(self, "max-length", &[Kind::String]).and_then(|value| self.count("max-length", value));
        let scale = only_for(self, "scale", &[Kind::Decimal]).and_then(|value| {
            let scale = self.count("scale", value)?;
            if scale > DECIMAL_SCALE {
                let message = format!(
                    "`{attribute}` cannot be kept with {scale} digits after the point: CDMS's largest number, \
                     100,000,000,000, has place for {DECIMAL_SCALE} beside it in a column's 64 bits"
                );
                let help = format!(
                    "write `scale = {DECIMAL_SCALE}` if CDMS's form shows no more; a record with more digits then waits in \
                     quarantine, unless its field takes them as a text, by `with = \"module\", sql_type = \"string\"`"
                );
                self.fault(Code::WrongValue, value.span().start, message, Some(help));
                return None;
            }
            Some(scale)
        });
        if kind == Kind::Decimal && !table.contains_key("scale") {
            let message = format!("the decimal `{attribute}` does not say how many digits it has after the point");
            let help = format!("add `scale = 2`, or as many as CDMS's form shows, at most {DECIMAL_SCALE}");
            self.fault(Code::MissingKey, name.span().start, message, Some(help));
        }
        let zone = only_for(self, "zone", &[Kind::Date]).and_then(|value| self.zone(value));
        let choices = only_for(self, "choices", &choice_kinds).map_or_else(Vec::new, |value| self.choices(value));
        let targets = only_for(self, "target", &[Kind::Lookup]).map_or_else(Vec::new, |value| self.targets(value));
        let no_target =
            table.get("target").is_none_or(|value| value.get_ref().as_array().is_some_and(|all| all.is_empty()));
        if kind == Kind::Lookup && no_target {
            let message = format!("the lookup `{attribute}` does not say what it points to");
            let help = "add `target = \"account\"`, or a list of logical names".to_owned();
            self.fault(Code::MissingKey, name.span().start, message, Some(help));
        }
        if kind == Kind::Date && !table.contains_key("zone") {
            let message = format!("the date `{attribute}` does not say in which time zone CDMS holds its midnight");
            let help = "add `zone = \"Europe/London\"`".to_owned();
            self.fault(Code::MissingKey, name.span().start, message, Some(help));
        }
        let class = match table.get("class") {
            None => Class::Public,
            Some(value) => self.class(value),
        };
        Some(ContractAttribute {
            kind,
            required: flag(self, "required"),
            // CDMS ignores a state that is sent, so a field of it would differ without a word (fact sheet, 14).
            read_only: flag(self, "read-only") || kind == Kind::State,
            max_length,
            scale,
            zone,
            choices,
            targets,
            class,
            note: table.get("note").and_then(|value| self.string("note", value)),
            spot: self.spot(name.span().start),
            name: attribute,
        })
    }

    fn group(
        &mut self,
        name: &Spanned<Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        contract: &Contract,
    ) -> Option<Group> {
        let group = name.get_ref().to_string();
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(&group, value, "a table of members");
            return None;
        };
        let mut whole = Group { name: group, members: Vec::new() };
        self.members(table, "", contract, &mut whole);
        Some(whole)
    }

    /// Adds the members of a group, or of one within it, whose key is then the beginning of theirs.
    fn members(&mut self, table: &DeTable<'_>, within: &str, contract: &Contract, group: &mut Group) {
        for (name, value) in table {
            let key = format!("{within}{}", name.get_ref());
            if name.get_ref().contains('.') {
                let message =
                    format!("the key `{}` has a dot, which stands before the keys of a group within", name.get_ref());
                let help = "write it without quotes for a group within the group, or choose another key".to_owned();
                self.fault(Code::WrongValue, name.span().start, message, Some(help));
                continue;
            }
            if let Some(inner) = value.get_ref().as_table() {
                self.members(inner, &format!("{key}."), contract, group);
                continue;
            }
            let Some(attribute) = self.string(&key, value) else { continue };
            self.declared(&attribute, value.span().start, contract);
            if group.members.iter().any(|member| member.attribute == attribute) {
                let message = format!("`{attribute}` is twice in the group `{}`", group.name);
                self.fault(Code::MappedTwice, value.span().start, message, None);
            }
            let spot = self.spot(value.span().start);
            group.members.push(GroupMember { key, attribute, spot });
        }
    }

    fn constant(
        &mut self,
        name: &Spanned<Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        contract: &Contract,
    ) -> Option<ContractConstant> {
        let attribute = name.get_ref().to_string();
        let stated = self.declared(&attribute, name.span().start, contract)?;
        let constant = match value.get_ref() {
            DeValue::String(text) => ConstantValue::Text(text.to_string()),
            DeValue::Boolean(value) => ConstantValue::Boolean(*value),
            DeValue::Integer(number) => match i32::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => ConstantValue::Integer(number),
                Err(_) => {
                    let message = format!("{} is more than a constant of `{attribute}` can be", number.as_str());
                    let help = format!("write a number from {} to {}", i32::MIN, i32::MAX);
                    self.fault(Code::WrongValue, value.span().start, message, Some(help));
                    return None;
                }
            },
            _ => {
                self.wrong(&attribute, value, "a string, a number or a boolean");
                return None;
            }
        };
        if stated.read_only {
            let message = format!("`{attribute}` is read-only, so it cannot have a constant");
            let help = format!("remove the constant, or the `read-only` of `{attribute}`");
            self.fault(Code::KeysExclude, name.span().start, message, Some(help));
            return None;
        }
        let fits = match (&constant, stated.kind) {
            (ConstantValue::Text(text), Kind::String) => {
                if let Some(unknown) = placeholder(text) {
                    let message = format!("nothing is known to stand for `{unknown}` in a constant");
                    let help = "write `{actor}` for the acting user, or leave the braces out".to_owned();
                    self.fault(Code::WrongValue, value.span().start, message, Some(help));
                    return None;
                }
                // The acting user's name takes the braces' place, so the whole is measured before it is sent.
                let fixed = text.replace(ACTOR, "");
                let limit = stated.max_length.filter(|limit| fixed.encode_utf16().count() > *limit as usize);
                if let Some(limit) = limit {
                    let message = format!("the constant is longer than the {limit} characters of `{attribute}`");
                    self.fault(Code::WrongValue, value.span().start, message, Some("shorten it".to_owned()));
                    return None;
                }
                true
            }
            (ConstantValue::Boolean(_), Kind::Boolean) => true,
            (ConstantValue::Integer(_), Kind::Integer) => true,
            (ConstantValue::Integer(number), Kind::Choice | Kind::Status) => {
                let known = stated.choices.iter().any(|(_, option)| option == number);
                stated.choices.is_empty() || known
            }
            _ => false,
        };
        if !fits {
            let (message, help) = match (&constant, stated.kind) {
                (ConstantValue::Integer(number), Kind::Choice | Kind::Status) => {
                    let known: Vec<_> =
                        stated.choices.iter().map(|(name, number)| format!("{name} = {number}")).collect();
                    (format!("`{attribute}` has no option {number}"), Some(format!("one of: {}", known.join(", "))))
                }
                (_, kind @ (Kind::String | Kind::Boolean | Kind::Integer | Kind::Choice | Kind::Status)) => {
                    (format!("the constant for `{attribute}` is no {kind}"), None)
                }
                (_, kind) => {
                    let help = "constants are for the kinds string, boolean, integer, choice and status".to_owned();
                    (format!("`{attribute}` is of kind {kind}, which cannot have a constant"), Some(help))
                }
            };
            self.fault(Code::WrongValue, value.span().start, message, help);
            return None;
        }
        Some(ContractConstant { attribute, value: constant, spot: self.spot(name.span().start) })
    }

    /// The attribute that a group or a constant refers to. One that is stated with a fault is told there.
    fn declared<'c>(
        &mut self,
        attribute: &str,
        offset: usize,
        contract: &'c Contract,
    ) -> Option<&'c ContractAttribute> {
        let stated = contract.attribute(attribute);
        if stated.is_none() && !self.names.iter().any(|known| known == attribute) {
            let message = format!("`{attribute}` is not among the contract's [attributes]");
            let help = meant(attribute, self.names.iter().map(String::as_str))
                .unwrap_or_else(|| "state its kind there".to_owned());
            self.fault(Code::UnknownAttribute, offset, message, Some(help));
        }
        stated
    }

    fn string(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong(key, value, "a string");
        }
        text
    }

    /// One of the names at the top of a contract.
    fn name(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let name = self.string(key, value)?;
        let lowercase = name.to_lowercase();
        if name.is_empty() {
            let help = format!("write it exactly as in $metadata, or leave `{key}` out where it is the usual one");
            let help = if key == "entity" { "write it exactly as in $metadata".to_owned() } else { help };
            self.fault(Code::WrongValue, value.span().start, format!("`{key}` is empty"), Some(help));
            return None;
        }
        if key == "logical" && name != lowercase {
            let message = format!("`{name}` is no logical name: those are lowercase");
            self.fault(Code::WrongValue, value.span().start, message, Some(format!("write `{lowercase}`")));
            return Some(lowercase);
        }
        Some(name)
    }

    fn count(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<u32> {
        let number = value.get_ref().as_integer();
        let number = number.and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok());
        if number.is_none() {
            self.wrong(key, value, "a number that is not negative");
        }
        number
    }

    fn zone(&mut self, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let zone = self.string("zone", value)?;
        if zone.parse::<chrono_tz::Tz>().is_err() {
            let help = meant(&zone, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
            self.fault(Code::WrongValue, value.span().start, format!("no time zone is called `{zone}`"), help);
            return None;
        }
        Some(zone)
    }

    fn choices(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<(String, i32)> {
        let Some(table) = value.get_ref().as_table() else {
            self.wrong("choices", value, "a table such as { active = 0 }");
            return Vec::new();
        };
        let mut choices = Vec::new();
        let mut numbers = HashSet::new();
        for (name, value) in table {
            let number = value.get_ref().as_integer();
            let number = number.and_then(|number| i32::from_str_radix(number.as_str(), number.radix()).ok());
            let Some(number) = number else {
                self.wrong(name.get_ref(), value, "the option's number");
                continue;
            };
            if !numbers.insert(number) {
                let message = format!("two options have the number {number}");
                self.fault(Code::MappedTwice, value.span().start, message, None);
            }
            choices.push((name.get_ref().to_string(), number));
        }
        choices
    }

    fn targets(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<String> {
        let values: Vec<&Spanned<DeValue<'_>>> = match value.get_ref() {
            DeValue::String(_) => vec![value],
            DeValue::Array(values) => values.iter().collect(),
            _ => {
                self.wrong("target", value, "a logical name or a list of them");
                return Vec::new();
            }
        };
        let mut targets = Vec::new();
        for value in values {
            let Some(target) = self.string("target", value) else { continue };
            if target.to_lowercase() != target {
                let message = format!("`{target}` is no logical name: those are lowercase");
                let help = format!("write `{}`", target.to_lowercase());
                self.fault(Code::WrongValue, value.span().start, message, Some(help));
            }
            targets.push(target);
        }
        targets
    }

    fn class(&mut self, value: &Spanned<DeValue<'_>>) -> Class {
        let Some(class) = self.string("class", value) else { return Class::Public };
        match class.as_str() {
            "public" => Class::Public,
            "personal" => Class::Personal,
            "secret" => Class::Secret,
            other => {
                let help = meant(other, ["public", "personal", "secret"]);
                self.fault(Code::WrongValue, value.span().start, format!("no class is called `{other}`"), help);
                Class::Secret
            }
        }
    }

    fn unknown_key(&mut self, key: &Spanned<Cow<'_, str>>, of: &str, known: &[&str]) {
        let help = meant(key.get_ref(), known.iter().copied());
        self.fault(Code::UnknownKey, key.span().start, format!("{of} has no key `{}`", key.get_ref()), help);
    }

    fn wrong(&mut self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str) {
        let found = value.get_ref().type_str();
        let article = if found.starts_with(['a', 'i']) { "an" } else { "a" };
        self.fault(Code::WrongValue, value.span().start, format!("`{key}` is {expected}, not {article} {found}"), None);
    }
}

/// The first part of a constant that looks as if something were to take its place, but for the acting user's.
fn placeholder(text: &str) -> Option<&str> {
    let starts = text.match_indices('{').map(|(at, _)| &text[at..]);
    let braced = starts.filter_map(|rest| rest.find('}').map(|end| &rest[..=end]));
    let is_word = |inside: &str| {
        let allowed = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | ' ' | '.');
        !inside.trim().is_empty() && inside.chars().all(allowed)
    };
    braced.filter(|braced| *braced != ACTOR).find(|braced| is_word(&braced[1..braced.len() - 1]))
}
