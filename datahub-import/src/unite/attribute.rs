//! One attribute: what each source says of it, brought into the form of a contract.

use std::collections::HashSet;

use cdms_odata::Kind;
use cdms_odata::metadata::EdmType;
use datahub_model::source::{Writable, writable};

use super::Stated;
use crate::facts::{Entity, Facts, Key, Options, Origin, Texts, Value};
use crate::known;
use crate::naming::{Words, is_name, is_shown_by, option_name};
use crate::navigation;
use crate::source::{DescribedAttribute, DescribedOption, Requirement};

/// The most digits after the point that a contract states of a decimal.
const DECIMAL_SCALE: u32 = 7;

pub(super) struct Reading<'r> {
    pub(super) name: &'r str,
    /// The entity, with its navigation properties.
    pub(super) of: &'r Entity,
    /// Its type in `$metadata`, if there is that document.
    pub(super) edm: Option<EdmType>,
    /// The logical names in `$metadata`, if there is that document.
    pub(super) logical: Option<&'r HashSet<String>>,
    /// The time zone of CDMS's users.
    pub(super) zone: Option<&'r str>,
    /// Whether it may refer to more than a source shows.
    pub(super) is_partly_shown: bool,
    /// What a person should know, and whether it is a contradiction.
    pub(super) remarks: Vec<(String, bool)>,
}

impl Reading<'_> {
    /// The attribute's facts, or why a contract cannot state it.
    pub(super) fn facts(&mut self, stated: &[Stated<'_>]) -> Result<Facts, String> {
        if self.edm.is_some_and(|edm| edm.kinds().is_empty()) {
            return Err("a managed property, which no kind can hold".to_owned());
        }
        let (kind, origin) = self.kind(stated)?;
        let mut facts = Facts::default();
        facts.state(Key::Kind, Value::Text(kind.name().to_owned()), origin);
        let is_of_kind = |described: &DescribedAttribute| {
            described.kinds.contains(&kind) || (kind == Kind::DateTime && described.kinds == [Kind::Date])
        };
        for (source, origin, described) in stated.iter().filter(|(.., described)| is_of_kind(described)) {
            if !described.can_read {
                return Err("CDMS does not return it to programs".to_owned());
            }
            if let Some(scale) = described.scale.filter(|scale| kind == Kind::Decimal && *scale > DECIMAL_SCALE) {
                return Err(format!(
                    "has {scale} digits after the point, and a contract at most {DECIMAL_SCALE}; if its values have no more, \
                     state it with `scale = {DECIMAL_SCALE}`"
                ));
            }
            for (key, value) in self.described(kind, described) {
                self.state(&mut facts, key, value, *origin, source);
            }
        }
        if kind == Kind::Lookup {
            self.navigation(&mut facts, stated);
        }
        if kind == Kind::Lookup
            && facts.get(Key::Target).is_none()
            && let Some(targets) = known::targets(self.name)
        {
            // What an excerpt of `$metadata` does not have cannot be stated.
            let targets: Vec<String> = targets.iter().map(|target| (*target).to_owned()).collect();
            if self.logical.is_none_or(|logical| targets.iter().all(|target| logical.contains(target))) {
                facts.state(Key::Target, Value::Names(targets), Origin::Product);
            }
        }
        if let (Kind::Date, Some(zone)) = (kind, self.zone) {
            facts.state(Key::Zone, Value::Text(zone.to_owned()), Origin::Person);
        }
        Ok(facts)
    }

    /// The kind, and who decided among those that the type in `$metadata` can have.
    fn kind(&mut self, stated: &[Stated<'_>]) -> Result<(Kind, Origin), String> {
        let mut chosen = None;
        for (source, origin, described) in stated {
            let fits = |kind: &&Kind| self.edm.is_none_or(|edm| edm.carries(**kind));
            match (described.kinds.iter().find(fits), self.edm) {
                (Some(kind), _) => chosen = Some((*kind, *origin)),
                (None, Some(edm)) if !described.kinds.is_empty() => {
                    let text = format!(
                        "`{}` has the type `{}` in $metadata, but `{}` in {source}; $metadata decides, and nothing else is taken \
                         from there",
                        self.name,
                        edm.name(),
                        described.type_name
                    );
                    self.remarks.push((text, true));
                }
                _ => {}
            }
        }
        let Some(edm) = self.edm else {
            let chosen = chosen.ok_or_else(|| "has a type that no kind can hold".to_owned())?;
            let is_instant = chosen.0 == Kind::Date && known::is_instant(self.name);
            return Ok(if is_instant { (Kind::DateTime, Origin::Product) } else { chosen });
        };
        Ok(match (edm.kinds(), chosen) {
            ([only], _) => (*only, Origin::Metadata),
            // Forms show the day alone of what is a time.
            _ if known::is_instant(self.name) => (Kind::DateTime, Origin::Product),
            (_, Some(chosen)) => chosen,
            (kinds, None) => match known::kind(self.name).filter(|kind| kinds.contains(kind)) {
                Some(kind) => (kind, Origin::Product),
                None => (kinds[0], Origin::Metadata),
            },
        })
    }

    /// States a fact; one that a source of lower rank stated otherwise is a contradiction.
    fn state(&mut self, facts: &mut Facts, key: Key, value: Value, origin: Origin, source: &str) {
        let differs = facts.get(key).filter(|known| !is_same(&known.value, &value));
        if let Some(known) = differs.filter(|known| known.origin != origin && !matches!(key, Key::Note | Key::Labels)) {
            let text = format!(
                "`{}` of `{}` is {} in {}, but {} in {source}; {source} is taken",
                key.name(),
                self.name,
                shown(&known.value),
                known.origin,
                shown(&value),
            );
            self.remarks.push((text, true));
        }
        facts.state(key, value, origin);
    }

    /// States what leads from a lookup to its records, by the relationships that sources name.
    fn navigation(&mut self, facts: &mut Facts, stated: &[Stated<'_>]) {
        let mut known: Texts = Texts::new();
        for (source, origin, described) in stated {
            for (target, relationship) in &described.relationships {
                let Some(name) = navigation::of_relationship(self.of, target, relationship) else { continue };
                match known.iter_mut().find(|(of, _)| of == target) {
                    None => known.push((target.clone(), name)),
                    Some((_, other)) if *other == name => {}
                    Some((_, other)) => {
                        let text = format!(
                            "`{}` leads to {target} by `{other}`, but by `{name}` in {source}; {source} is taken",
                            self.name
                        );
                        self.remarks.push((text, true));
                        *other = name;
                    }
                }
                facts.state(Key::Navigation, Value::Texts(known.clone()), *origin);
            }
        }
    }

    /// What one source says, as far as it belongs to the kind.
    fn described(&mut self, kind: Kind, described: &DescribedAttribute) -> Vec<(Key, Value)> {
        let mut said = Vec::new();
        // CDMS itself fills in an owner that a create does not name.
        let is_filled = self.name.eq_ignore_ascii_case("OwnerId");
        match described.requirement {
            Some(Requirement::System) if !is_filled => said.push((Key::Required, Value::Flag(true))),
            Some(Requirement::OnForms) => said.push((Key::Required, Value::Text("on-forms".to_owned()))),
            Some(Requirement::Recommended) => said.push((Key::Required, Value::Text("recommended".to_owned()))),
            Some(_) => said.push((Key::Required, Value::Flag(false))),
            None => {}
        }
        if let (Some(create), Some(update)) = (described.can_create, described.can_update) {
            // What CDMS never takes need not be stated.
            let is_stated = writable(self.name, kind) != Writable::Never;
            said.push((Key::ReadOnly, Value::Flag(!create && !update && is_stated)));
        }
        if let Some(length) = described.max_length.filter(|length| kind == Kind::String && *length > 0) {
            said.push((Key::MaxLength, Value::Number(length.into())));
        }
        let most = match kind {
            Kind::Decimal => Some(DECIMAL_SCALE),
            Kind::Double => Some(5),
            Kind::Money => Some(4),
            _ => None,
        };
        if let Some(scale) = described.scale.filter(|scale| most.is_some_and(|most| *scale <= most)) {
            said.push((Key::Scale, Value::Number(scale.into())));
        }
        if kind == Kind::Lookup && described.may_have_more_targets {
            self.is_partly_shown = true;
        } else if kind == Kind::Lookup {
            let targets = self.existing(&described.targets);
            if !targets.is_empty() {
                said.push((Key::Target, Value::Names(targets)));
            }
        }
        if let (Kind::Choice | Kind::State | Kind::Status, Some(options)) = (kind, &described.options) {
            let (options, labels) = named(options);
            said.push((Key::Choices, Value::Options(options)));
            said.push((Key::Labels, Value::Texts(labels)));
        }
        if let Some(label) = &described.label {
            let names = [
                Words::of(self.name, None),
                Words::of(self.name, None).without_last("id"),
                Words::of(self.name, None).without_last("code"),
                Words::of(self.name, Some(label)),
            ];
            if !names.iter().any(|name| name.snake() == option_name(label)) {
                said.push((Key::Note, Value::Text(label.clone())));
            }
        }
        said
    }

    /// The targets that `$metadata` has, each once.
    fn existing(&mut self, said: &[String]) -> Vec<String> {
        let mut targets: Vec<String> = Vec::new();
        for target in said.iter().filter(|target| is_name(target)) {
            if !targets.contains(target) {
                targets.push(target.clone());
            }
        }
        let Some(logical) = self.logical else { return targets };
        let (known, lacking): (Vec<_>, Vec<_>) = targets.into_iter().partition(|target| logical.contains(target));
        if !lacking.is_empty() {
            let text = format!(
                "`{}` refers to what $metadata does not have; left out of its targets: {}",
                self.name,
                lacking.join(", ")
            );
            self.remarks.push((text, false));
        }
        known
    }
}

/// Whether two values mean the same: names and options in any order.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Names(one), Value::Names(other)) => {
            one.len() == other.len() && one.iter().all(|name| other.contains(name))
        }
        (Value::Options(one), Value::Options(other)) => {
            let numbers = |options: &[(String, i32)]| {
                let mut numbers: Vec<_> = options.iter().map(|(_, number)| *number).collect();
                numbers.sort_unstable();
                numbers
            };
            numbers(one) == numbers(other)
        }
        _ => one == other,
    }
}

/// A value in a message.
fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("\"{text}\""),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Names(names) => names.join(" or "),
        Value::Options(options) => {
            let options: Vec<_> = options.iter().map(|(name, number)| format!("{name} = {number}")).collect();
            options.join(", ")
        }
        Value::Texts(texts) => format!("{} labels", texts.len()),
    }
}

/// Names for options, each once, and the labels that the names do not show.
fn named(options: &[DescribedOption]) -> (Options, Texts) {
    let (mut named, mut labels) = (Options::new(), Texts::new());
    for option in options {
        if named.iter().any(|(_, number)| *number == option.number) {
            continue;
        }
        let words = option.label.as_deref().or(option.invariant.as_deref()).map(option_name).unwrap_or_default();
        let number = option.number.to_string().replace('-', "minus_");
        let name = if words.is_empty() { format!("option_{number}") } else { words };
        let is_taken = named.iter().any(|(known, _)| *known == name);
        let name = if is_taken { format!("{name}_{number}") } else { name };
        if let Some(label) = option.label.as_ref().filter(|label| !is_shown_by(&name, label)) {
            labels.push((name.clone(), label.clone()));
        }
        named.push((name, option.number));
    }
    (named, labels)
}
