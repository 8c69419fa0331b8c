//! Reads the models of the rows: a line for the model's keys, then one for each field.
//!
//! `Organisation table=organisations only="Name ne null"`, then `alias?: "Alias" default="none" create_only`; a question
//! mark stands for an Option and a star for a type that only the compiler knows, `no_table`, `insertable` and `changeset` after the model's name for what is in `diesel(…)`, `unreadable` for an unknown key. Places are named `Organisation`, `table`, `alias`, `alias:type`, `alias.default` and so on.

use datahub_model::source::{DefaultValue, DieselGlue, EngineField, FieldAnnotation, ModelAnnotation, Placed};

type Text = Placed<String, String>;

/// The annotations of a model.
pub(crate) fn model(text: &str) -> ModelAnnotation<String> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut words = words(lines.next().expect("a model has a name")).into_iter();
    let name = words.next().expect("a model has a name");
    let mut model = ModelAnnotation {
        was: None,
        name: placed(&name, &name),
        table: None,
        mode: None,
        only: None,
        diesel: DieselGlue::default(),
        fields: lines.map(field).collect(),
        is_faulty: false,
    };
    for word in words {
        let Some((key, value)) = word.split_once('=') else {
            let slot = match word.as_str() {
                "no_table" => &mut model.diesel.no_table,
                "insertable" => &mut model.diesel.insertable,
                "changeset" => &mut model.diesel.changeset,
                "unreadable" => {
                    model.is_faulty = true;
                    continue;
                }
                other => panic!("these models have no key {other}"),
            };
            *slot = Some(word);
            continue;
        };
        let slot = match key {
            "table" => &mut model.table,
            "was" => &mut model.was,
            "mode" => &mut model.mode,
            "only" => &mut model.only,
            other => panic!("these models have no key {other}"),
        };
        *slot = Some(placed(unquoted(value), key));
    }
    model
}

fn field(line: &str) -> FieldAnnotation<String> {
    let (name, rest) = line.split_once(':').unwrap_or((line, ""));
    let (name, is_option) = name.strip_suffix('?').map_or((name, false), |name| (name, true));
    let (name, is_opaque) = name.strip_suffix('*').map_or((name, false), |name| (name, true));
    let mut field = FieldAnnotation::new(placed(name, name), format!("{name}:type"), is_option);
    field.is_opaque = is_opaque;
    for word in words(rest) {
        let (key, value) = match word.split_once('=') {
            _ if word.starts_with('"') => ("attribute", word.as_str()),
            None => (word.as_str(), ""),
            Some(pair) => pair,
        };
        let place = format!("{name}.{key}");
        let text = Some(placed(unquoted(value), &place));
        let engine = |value| Some(Placed { value, place: place.clone() });
        match key {
            "attribute" => field.attribute = text,
            "attributes" => {
                let names = unquoted(value).split(',').filter(|name| !name.is_empty());
                let names = names.map(|name| placed(name, &format!("{place}.{name}"))).collect();
                field.attributes = Some(Placed { value: names, place });
            }
            "with" => field.with = text,
            "key" => field.key = Some(place),
            "modified" => field.engine = engine(EngineField::Modified),
            "created" => field.engine = engine(EngineField::Created),
            "modified_by" => field.engine = engine(EngineField::ModifiedBy),
            "default" => {
                let value = match value {
                    "" => DefaultValue::OfType,
                    text if text.starts_with('"') => DefaultValue::Text(unquoted(text).to_owned()),
                    value => DefaultValue::Expression(value.to_owned()),
                };
                field.default = Some(Placed { value, place });
            }
            "read_only" => field.read_only = Some(place),
            "create_only" => field.create_only = Some(place),
            "flatten" => field.flatten = text,
            "prefix" => field.prefix = text,
            "local" => field.local = Some(place),
            "sql_type" => field.sql_type = text,
            "column" => field.column = text,
            "was" => field.was = text,
            "class" => field.class = text,
            "type" => field.written_type = unquoted(value).to_owned(),
            "unreadable" => field.is_faulty = true,
            other => panic!("these fields have no key {other}"),
        }
    }
    field
}

fn placed(value: &str, place: &str) -> Text {
    Placed { value: value.to_owned(), place: place.to_owned() }
}

fn unquoted(value: &str) -> &str {
    value.trim_matches('"')
}

/// Words, with blanks inside of quotes kept.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        quoted ^= letter == '"';
        match words.last_mut() {
            Some(word) if quoted || letter != ' ' => word.push(letter),
            _ => words.push(String::new()),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
