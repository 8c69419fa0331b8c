//! From a contract's text to a contract, and every fault with its line.

mod attribute;
mod constant;
mod group;
mod name;
mod navigation;
mod unclosed;

use std::borrow::Cow;

use cdms_odata::metadata::{EntityType, Metadata};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::metadata::check_against_metadata;
use super::{Capture, Contract, ContractAttribute};
use crate::diagnostic::Spot;
use crate::diagnostic::{Code, Collected, Cure, Diagnostic, Diagnostics};
use crate::source::nearest::{meant_among, meant_attribute};
use crate::source::writable::{Writable, writable};

/// The keys of a contract's top level.
const TOP_KEYS: [&str; 12] = [
    "entity",
    "set",
    "key",
    "logical",
    "modified",
    "created",
    "modified-by",
    "capture",
    "attributes",
    "groups",
    "constants",
    "unmapped",
];

/// Those of them whose values are names of CDMS.
const NAMES: [&str; 7] = ["entity", "set", "key", "logical", "modified", "created", "modified-by"];

impl Contract {
    /// Parses a contract. All its faults are collected, in the order of the file. There is a contract whenever the file has
    /// an `entity`.
    pub fn parse(text: &str) -> Collected<Option<Self>, Spot> {
        Contract::parse_beside(text, None)
    }

    /// Like [`parse`](Contract::parse), and also checks the contract against `$metadata`.
    pub fn parse_beside(text: &str, metadata: Option<&Metadata>) -> Collected<Option<Self>, Spot> {
        Diagnostics::collect(|diagnostics| {
            let mut contract = read(text, metadata, diagnostics);
            if let (Some(contract), Some(metadata)) = (&mut contract, metadata) {
                check_against_metadata(contract, metadata, diagnostics);
            }
            diagnostics.sort();
            contract
        })
    }
}

fn read(text: &str, metadata: Option<&Metadata>, diagnostics: &mut Diagnostics<Spot>) -> Option<Contract> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { text, entity: None, diagnostics };
    if !errors.is_empty() {
        reader.toml(&errors);
        return None;
    }
    let entity = root.get_ref().get("entity").and_then(|name| name.get_ref().as_str());
    reader.entity = metadata.zip(entity).and_then(|(metadata, name)| metadata.entity(name));
    reader.contract(root.get_ref())
}

struct Reader<'r> {
    text: &'r str,
    /// The entity in `$metadata`, for the cures.
    entity: Option<&'r EntityType>,
    diagnostics: &'r mut Diagnostics<Spot>,
}

type Entry<'t> = (&'t Spanned<Cow<'t, str>>, &'t Spanned<DeValue<'t>>);

impl Reader<'_> {
    fn spot(&self, offset: usize) -> Spot {
        Spot::at(self.text, offset)
    }

    /// Why the text is not valid TOML. What follows an unclosed bracket is misread, so the bracket is reported alone.
    fn toml(&mut self, errors: &[toml::de::Error]) {
        let start = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
        let mut errors: Vec<_> = errors.iter().map(|error| (start(error), error.message())).collect();
        errors.sort_by_key(|(start, _)| *start);
        let is_unclosed = errors.iter().any(|(_, message)| message.contains("unclosed"));
        let first = errors.first().map_or(0, |(start, _)| *start);
        let before = self.text.get(..first).unwrap_or(self.text);
        if let Some((opener, bracket)) = unclosed::bracket(before).filter(|_| is_unclosed) {
            // A fault on the bracket's own line is reported as such: a quote may be missing, not the bracket.
            if self.spot(opener).line != self.spot(first).line {
                let help = format!("add the `{}` that closes it", if bracket == '{' { '}' } else { ']' });
                return self.fault(Code::FaultyToml, opener, format!("unclosed `{bracket}`"), help);
            }
        }
        errors.truncate(if is_unclosed { 1 } else { errors.len() });
        let mut lines = Vec::new();
        for (start, message) in errors {
            let line = self.spot(start).line;
            if !lines.contains(&line) {
                lines.push(line);
                self.fault(Code::FaultyToml, start, message.replace('\n', ", "), toml_cure(message));
            }
        }
    }

    fn fault(&mut self, code: Code, offset: usize, message: String, cure: impl Into<Cure>) {
        let spot = self.spot(offset);
        self.diagnostics.push(Diagnostic::of(code, spot, message).cure(cure));
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
                let message = "missing key `entity` in the contract".to_owned();
                let help = "begin the contract with `entity = \"Account\"`, spelled exactly as in $metadata";
                self.fault(Code::MissingKey, 0, message, help);
                None
            }
        };
        // Without an entity there is no contract, but its other faults are still reported.
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
            capture: root.get("capture").and_then(|value| self.capture(value)),
            attributes: Vec::new(),
            stated: Vec::new(),
            groups: Vec::new(),
            constants: Vec::new(),
            unmapped: Vec::new(),
            spots,
            questions: Vec::new(),
            faulty: Vec::new(),
            is_partial,
            in_metadata: self.entity.map(|entity| entity.properties.iter().map(|known| known.name.clone()).collect()),
        };
        for table in ["attributes", "groups"] {
            contract.is_partial |= root.get(table).is_some_and(|value| !value.get_ref().is_table());
        }
        for (name, value) in self.table(root, "attributes") {
            let before = self.diagnostics.count();
            let read = self.attribute(name, value);
            contract.stated.push(read.stated);
            // Without an answer that its values depend on, the attribute cannot be used.
            let is_usable = !read.questions.iter().any(|question| question.is_needed);
            contract.questions.extend(read.questions);
            match read.attribute.filter(|_| is_usable && self.diagnostics.count() == before) {
                Some(mut attribute) => {
                    // What CDMS itself keeps of a record cannot be written, whatever the contract says.
                    let is_kept = writable(&attribute.name, attribute.kind) == Writable::Never;
                    attribute.read_only |= is_kept || contract.is_engines(&attribute.name);
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
                if contract.stated.iter().any(|stated| stated.name == attribute) {
                    let message = format!("`{attribute}` is in both [attributes] and [unmapped]");
                    self.fault(Code::KeysExclude, name.span().start, message, "remove it from one of the two");
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
                    let help = format!("write `[{name}]` on a line of its own, and its entries on the lines below");
                    self.wrong(name, value, "a table", help);
                    Vec::new()
                }
            },
        }
    }

    /// The attribute that a group or a constant refers to. One that is stated with a fault is reported there.
    fn declared<'c>(
        &mut self,
        attribute: &str,
        offset: usize,
        contract: &'c Contract,
    ) -> Option<&'c ContractAttribute> {
        let names = || contract.stated.iter().map(|stated| stated.name.as_str());
        let stated = contract.attribute(attribute);
        if stated.is_none() && !names().any(|known| known == attribute) {
            let message = format!("unknown attribute `{attribute}`");
            let help = meant_attribute(attribute, names(), contract);
            self.fault(Code::UnknownAttribute, offset, message, help);
        }
        stated
    }

    fn string(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong(key, value, "a string", format!("write `{key} = \"…\"`"));
        }
        text
    }

    /// Which attributes reads keep.
    fn capture(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Capture> {
        let stated = self.string("capture", value)?;
        let found = Capture::ALL.into_iter().find(|capture| capture.name() == stated);
        if found.is_none() {
            let names = Capture::ALL.map(Capture::name);
            let help = meant_among(&stated, &names);
            self.fault(Code::WrongValue, value.span().start, format!("unknown value `{stated}` for `capture`"), help);
        }
        found
    }

    fn unknown_key(&mut self, key: &Spanned<Cow<'_, str>>, of: &str, known: &[&str]) {
        let help = meant_among(key.get_ref(), known);
        self.fault(Code::UnknownKey, key.span().start, format!("unknown key `{}` in {of}", key.get_ref()), help);
    }

    fn wrong(&mut self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str, cure: impl Into<Cure>) {
        let found = match value.get_ref() {
            DeValue::Integer(number) if expected.contains("integer") => format!("`{}`", number.as_str()),
            other => {
                let sort = other.type_str();
                let article = if sort.starts_with(['a', 'i']) { "an" } else { "a" };
                format!("{article} {sort}")
            }
        };
        let message = format!("`{key}` must be {expected}, found {found}");
        self.fault(Code::WrongValue, value.span().start, message, cure);
    }
}

/// How to fix what the TOML parser reports.
fn toml_cure(message: &str) -> &'static str {
    const CURES: [(&str, &str); 7] = [
        ("duplicate key", "remove one of the two, or correct its name"),
        ("string values must be quoted", "put the text in quotes"),
        ("invalid basic string", "end the text with a quote on the same line"),
        ("invalid literal string", "end the text with a quote on the same line"),
        ("missing comma", "put a comma between the two"),
        ("missing assignment", "write `key = value`"),
        ("missing inline table opening", "remove the `}`, or add the `{` that it closes"),
    ];
    let cure = CURES.into_iter().find(|(begin, _)| message.starts_with(begin));
    cure.map_or("write each key on a line of its own, as `key = value`", |(_, cure)| cure)
}
