//! The merge of one attribute, key by key; options one by one.

use toml_edit::Item;

use super::{Merging, edit, knowledge};
use crate::contract::{Written, is_origins, origins, written};
use crate::facts::{Facts, Key, Origin, Value};

impl Merging<'_> {
    /// Merges an attribute that the contract states.
    pub(super) fn attribute(&mut self, name: &str, before: Option<&Facts>, now: &Facts) {
        if self.ours(name).is_none_or(|item| item.as_table_like().is_none()) {
            // The parser of contracts reports what is not a table.
            return;
        }
        let count = self.changes.len();
        // How sensitive a value is, people decide once an attribute is in their contract.
        let is_merged = |key: &Key| !matches!(key, Key::Choices | Key::Labels | Key::Class);
        let targets = edit::targets(&self.document, name);
        for key in Key::ALL.into_iter().filter(is_merged) {
            if key == Key::Navigation {
                self.navigation_of(name, &targets);
            }
            self.key(name, key, before, now);
        }
        self.options(name, before, now);
        self.comment(name, now, self.changes.len() > count);
    }

    fn key(&mut self, name: &str, key: Key, before: Option<&Facts>, now: &Facts) {
        let ours = self.said(name, key);
        let targets = edit::targets(&self.document, name);
        let of = |facts: &Facts| match key {
            Key::Navigation => Written::navigation(facts, &targets),
            key => Written::of(facts, key),
        };
        let (now_said, before_said) = (of(now), before.map(of));
        let was_left = self.was_left(Some(name), key.name());
        let is_news = was_left || !before_said.as_ref().is_some_and(|before| is_same(key, before, &now_said));
        if is_same(key, &ours, &now_said) || !is_news {
            return;
        }
        let shown = now.get(key).map_or(String::new(), |fact| format!(" ({})", fact.origin));
        let is_untouched = match &before_said {
            _ if was_left => ours == Written::Open,
            Some(before) => is_same(key, &ours, before) || ours == Written::Open,
            // Without a last import, what is not stated may be added, unless it changes what is valid.
            None => ours == Written::Open || (ours == Written::Absent && !matches!(key, Key::Required | Key::ReadOnly)),
        };
        if (before_said.is_none() || was_left) && now_said == Written::Open {
            return;
        }
        if before_said.is_none() && now_said == Written::Absent {
            // What a person stated and no source denies.
            return;
        }
        if !is_untouched {
            let text = format!("`{}` is {}, and CDMS has {}{shown}", key.name(), ours.shown(), now_said.shown());
            return self.differs(Some(name), key.name(), text);
        }
        let value = now_said.toml();
        if let Some(table) = self.attribute_table(name) {
            edit::put(table, key.name(), value);
        }
        let text = match (&ours, &now_said) {
            (Written::Open, Written::Absent) => format!("`{}` is answered: it has none", key.name()),
            (ours, Written::Absent) => format!("`{}` is removed, was {}", key.name(), ours.shown()),
            (Written::Absent | Written::Open, now) => format!("`{}` is {}{shown}", key.name(), now.shown()),
            (ours, now) => format!("`{}` is {}{shown}, was {}", key.name(), now.shown(), ours.shown()),
        };
        self.changed(Some(name), text);
    }

    /// Where the targets of a lookup have changed, what leads to them keeps up: what led to others goes, and where there are
    /// several, each is named.
    fn navigation_of(&mut self, name: &str, before: &[String]) {
        let targets = edit::targets(&self.document, name);
        let stated = match (self.said(name, Key::Navigation), before) {
            (Written::Is(Value::Text(navigation)), [only]) => vec![(only.clone(), navigation)],
            (Written::Is(Value::Texts(by_target)), _) => by_target,
            _ => return,
        };
        if targets == before {
            return;
        }
        let mut facts = Facts::default();
        facts.state(Key::Navigation, Value::Texts(stated), Origin::Person);
        let kept = Written::navigation(&facts, &targets);
        if let Some(table) = self.attribute_table(name) {
            edit::put(table, Key::Navigation.name(), kept.toml());
        }
    }

    fn said(&self, name: &str, key: Key) -> Written {
        self.ours(name).and_then(Item::as_table_like).map_or(Written::Absent, |table| edit::written(table, key))
    }

    /// Options by their numbers: names belong to people, numbers to CDMS.
    fn options(&mut self, name: &str, before: Option<&Facts>, now: &Facts) {
        let Some(wanted) = knowledge::options(now) else { return };
        let ours = match self.said(name, Key::Choices) {
            Written::Is(Value::Options(ours)) => ours,
            Written::Is(_) => return,
            Written::Absent if before.is_some_and(|before| Written::of(before, Key::Choices) != Written::Absent) => {
                // A person removed them.
                return;
            }
            Written::Open | Written::Absent => return self.all_options(name, now),
        };
        let known = before.and_then(knowledge::options).unwrap_or_default();
        for (option, number) in &wanted {
            let is_known = known.iter().any(|(_, known)| known == number);
            if is_known || ours.iter().any(|(_, ours)| ours == number) {
                continue;
            }
            let is_taken = ours.iter().any(|(ours, _)| ours == option);
            let option = if is_taken {
                format!("{option}_{}", number.to_string().replace('-', "minus_"))
            } else {
                option.clone()
            };
            self.edit_options(name, Key::Choices, &option, Some(i64::from(*number).into()));
            self.changed(Some(name), format!("the option `{option} = {number}` is new"));
        }
        for (option, number) in known.iter().filter(|(_, number)| !wanted.iter().any(|(_, wanted)| wanted == number)) {
            let Some((own, _)) = ours.iter().find(|(_, ours)| ours == number) else { continue };
            if own == option {
                self.edit_options(name, Key::Choices, own, None);
                self.edit_options(name, Key::Labels, own, None);
                self.changed(Some(name), format!("the option `{option} = {number}` is no longer in CDMS"));
            } else {
                self.differs(
                    Some(name),
                    &the_option(*number),
                    format!("the option `{own} = {number}` is no longer in CDMS, but has its own name here"),
                );
            }
        }
        let is_in = |options: &[(String, i32)], number: i32| options.iter().any(|(_, known)| *known == number);
        for (own, number) in ours.iter().filter(|(_, number)| !is_in(&wanted, *number) && !is_in(&known, *number)) {
            if before.is_none() || self.was_left(Some(name), &the_option(*number)) {
                let text = format!("the option `{own} = {number}` is not in CDMS");
                self.differs(Some(name), &the_option(*number), text);
            }
        }
        self.labels(name, before, now);
    }

    /// All options, where the contract has none.
    fn all_options(&mut self, name: &str, now: &Facts) {
        let shown = now.get(Key::Choices).map_or(String::new(), |fact| format!(" ({})", fact.origin));
        for key in [Key::Choices, Key::Labels] {
            let said = Written::of(now, key);
            if said != Written::Absent
                && let Some(table) = self.attribute_table(name)
            {
                edit::put(table, key.name(), said.toml());
            }
        }
        let text = format!("`choices` is {}{shown}", Written::of(now, Key::Choices).shown());
        self.changed(Some(name), text);
    }

    /// The labels of options, which a person may have renamed.
    fn labels(&mut self, name: &str, before: Option<&Facts>, now: &Facts) {
        let Written::Is(Value::Options(ours)) = self.said(name, Key::Choices) else { return };
        let texts = |said: Written| if let Written::Is(Value::Texts(texts)) = said { texts } else { Vec::new() };
        let stated = texts(self.said(name, Key::Labels));
        let label_of = |facts: &Facts, number: i32| {
            let options = knowledge::options(facts)?;
            let (option, _) = options.iter().find(|(_, known)| *known == number)?;
            knowledge::labels(facts).into_iter().find(|(of, _)| of == option).map(|(_, label)| label)
        };
        for (own, number) in &ours {
            let now_label = label_of(now, *number);
            let before_label = before.and_then(|before| label_of(before, *number));
            let our_label = stated.iter().find(|(of, _)| of == own).map(|(_, label)| label.clone());
            let was_left = self.was_left(Some(name), &the_label(*number));
            if now_label == our_label || (before.is_some() && now_label == before_label && !was_left) {
                continue;
            }
            let shown =
                |label: &Option<String>| label.as_ref().map_or("none".to_owned(), |label| format!("\"{label}\""));
            let (is, was) = (shown(&now_label), shown(&our_label));
            let is_untouched = our_label == before_label && !was_left;
            if is_untouched && now_label.is_some() {
                self.edit_options(name, Key::Labels, own, now_label.map(Into::into));
                self.changed(Some(name), format!("the label of `{own}` is {is}, was {was}"));
            } else if is_untouched {
                self.edit_options(name, Key::Labels, own, None);
                self.changed(Some(name), format!("the label of `{own}` is its name again"));
            } else if now_label.is_some() {
                let text = format!("the label of `{own}` is {was}, and CDMS has {is}");
                self.differs(Some(name), &the_label(*number), text);
            }
        }
    }

    fn edit_options(&mut self, name: &str, key: Key, option: &str, value: Option<toml_edit::Value>) {
        let Some(table) = self.attribute_table(name) else { return };
        if value.is_some() && table.get(key.name()).is_none() {
            edit::put(table, key.name(), Some(toml_edit::InlineTable::new().into()));
        }
        if let Some(options) = table.get_mut(key.name()) {
            edit::put(options, option, value);
            // A table of labels that has none is left over.
            let is_empty = options.as_table_like().is_some_and(|options| options.is_empty());
            if is_empty && key == Key::Labels {
                edit::put(table, key.name(), None);
            }
        }
    }

    /// Lets the comment say again where the attribute's facts come from, unless a person wrote another one.
    fn comment(&mut self, name: &str, now: &Facts, is_changed: bool) {
        let comment = edit::comment(&self.document, name);
        let is_ours = comment.as_deref().is_some_and(is_origins);
        if !(is_ours || comment.is_none() && is_changed) {
            return;
        }
        let Some(ours) = self.ours(name).and_then(Item::as_table_like) else { return };
        let agreed: Vec<_> = written(now)
            .filter(|(key, _)| is_same(*key, &edit::written(ours, *key), &Written::of(now, *key)))
            .collect();
        let origins = origins(agreed.into_iter());
        if origins != comment {
            edit::set_comment(&mut self.document, name, origins.as_deref());
            if !is_changed {
                self.changed(Some(name), "its comment names the sources of its facts again".to_owned());
            }
        }
    }
}

/// What a conflict about an option is about.
fn the_option(number: i32) -> String {
    format!("option {number}")
}

/// What a conflict about an option's label is about.
fn the_label(number: i32) -> String {
    format!("label {number}")
}

/// Whether two statements mean the same: targets and options in any order.
pub(super) fn is_same(key: Key, one: &Written, other: &Written) -> bool {
    let sorted = |said: &Written| match (key, said) {
        (Key::Target, Written::Is(Value::Names(names))) => {
            let mut names = names.clone();
            names.sort();
            Written::Is(Value::Names(names))
        }
        (Key::Choices, Written::Is(Value::Options(options))) => {
            let mut options = options.clone();
            options.sort();
            Written::Is(Value::Options(options))
        }
        // Where there is one target, it need not be named.
        (Key::Navigation, Written::Is(Value::Texts(texts))) if texts.len() == 1 => {
            Written::Is(Value::Text(texts[0].1.clone()))
        }
        (Key::Labels | Key::Navigation, Written::Is(Value::Texts(texts))) => {
            let mut texts = texts.clone();
            texts.sort();
            Written::Is(Value::Texts(texts))
        }
        (Key::Required | Key::ReadOnly, Written::Is(Value::Flag(false))) => Written::Absent,
        (_, said) => said.clone(),
    };
    sorted(one) == sorted(other)
}
