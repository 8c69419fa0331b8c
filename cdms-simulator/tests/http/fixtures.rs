//! The exchanges in `cdms-odata/fixtures`, replayed against the simulator: it answers as the client expects.

use std::fs;
use std::path::Path;

use cdms_odata::metadata::{EdmType, EntityType, Metadata, Property};
use cdms_odata::{Attributes, Instant, Reference, Value};
use cdms_simulator::Simulator;
use serde_json::Value as Json;

use crate::scene::{Reply, client, reply};

/// The address in the fixtures that stands for the simulator's.
const HOST: &str = "https://crm.example.gov.uk";

struct Fixture {
    name: String,
    given: Vec<(String, Json)>,
    request: Message,
    answer: Message,
}

struct Message {
    first: String,
    headers: Vec<(String, String)>,
    body: String,
}

#[tokio::test]
async fn every_exchange_that_holds_for_both_sides_is_answered_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cdms-odata/fixtures");
    let document = read(&folder.join("metadata/document.http"), "metadata/document".to_owned()).answer.body;
    let metadata = Metadata::parse(&document).unwrap();
    let (mut played, mut differences) = (0, Vec::new());
    for fixture in all(&folder) {
        played += 1;
        let answer = play(&metadata, &fixture).await;
        if let Err(difference) = equal(&fixture.answer, &answer) {
            differences.push(format!("{}: {difference}", fixture.name));
        }
    }
    assert!(differences.is_empty(), "{} of {played}:\n{}", differences.len(), differences.join("\n"));
    assert!(played > 60, "only {played} fixtures were found");
}

/// The fixtures for both sides, in the order of their names.
fn all(folder: &Path) -> Vec<Fixture> {
    let mut fixtures = Vec::new();
    for group in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in fs::read_dir(&group).unwrap().map(|entry| entry.unwrap().path()) {
            let stem = file.strip_prefix(folder).unwrap().with_extension("");
            let name = stem.iter().map(|part| part.to_str().unwrap()).collect::<Vec<_>>().join("/");
            if !fs::read_to_string(&file).unwrap().lines().any(|line| line == "# for client") {
                fixtures.push(read(&file, name));
            }
        }
    }
    fixtures.sort_by(|one, other| one.name.cmp(&other.name));
    fixtures
}

fn read(file: &Path, name: String) -> Fixture {
    let text = fs::read_to_string(file).unwrap();
    let (head, answer) = text.split_once("\n=== answer\n").unwrap();
    let comments = head.lines().take_while(|line| line.starts_with('#'));
    let given = comments.filter_map(|line| line.strip_prefix("# given ")).map(|record| {
        let (set, json) = record.split_once(' ').unwrap();
        (set.to_owned(), serde_json::from_str(json).unwrap())
    });
    let start = head.lines().take_while(|line| line.starts_with('#')).map(|line| line.len() + 1).sum();
    Fixture { name, given: given.collect(), request: message(&head[start..]), answer: message(answer) }
}

fn message(text: &str) -> Message {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let first = lines.next().unwrap().to_owned();
    let headers = lines.map(|line| line.split_once(": ").unwrap()).map(|(name, value)| (name.into(), value.into()));
    Message { first, headers: headers.collect(), body: body.trim_end_matches('\n').to_owned() }
}

async fn play(metadata: &Metadata, fixture: &Fixture) -> Reply {
    let simulator = Simulator::builder().metadata(metadata.clone()).start().unwrap();
    for (set, record) in &fixture.given {
        let entity = metadata.entity_by_set(set).unwrap();
        if entity.name == "Organization" {
            // There is only one organisation: the given one replaces it.
            simulator.remove("Organization", simulator.organisation());
        }
        simulator.seed(&entity.name, given(entity, record));
        for target in record.as_object().unwrap().values().filter(|value| value["Name"].is_string()) {
            point_to(&simulator, metadata, target);
        }
    }
    let [method, target, "HTTP/1.1"] = fixture.request.first.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{}: {}", fixture.name, fixture.request.first)
    };
    let origin = simulator.root().trim_end_matches("/ORG").to_owned();
    let mut request = client().request(method.parse().unwrap(), format!("{origin}{target}"));
    for (name, value) in fixture.request.headers.iter().filter(|(name, _)| name != "Host") {
        request = request.header(name, value);
    }
    let mut answer = reply(request.body(fixture.request.body.clone())).await;
    answer.body = answer.body.replace(&origin, HOST);
    if let Some(location) = answer.headers.get_mut("location") {
        *location = location.to_str().unwrap().replace(&origin, HOST).parse().unwrap();
    }
    answer
}

/// Seeds the record whose name a lookup shows, unless it is given itself.
fn point_to(simulator: &Simulator, metadata: &Metadata, lookup: &Json) {
    let logical_name = lookup["LogicalName"].as_str().unwrap();
    let entity = metadata.entities.iter().find(|entity| entity.name.eq_ignore_ascii_case(logical_name)).unwrap();
    let id = lookup["Id"].as_str().unwrap().parse().unwrap();
    if simulator.record(&entity.name, id).is_none() {
        let name =
            ["Name", "FullName", "optevia_name"].into_iter().find(|name| entity.property(name).is_some()).unwrap();
        let shown = Value::text(lookup["Name"].as_str().unwrap());
        simulator.seed(&entity.name, [(entity.key.clone(), Value::Guid(id)), (name.to_owned(), shown)]);
    }
}

/// The values of a record, from the form in which it is read.
fn given(entity: &EntityType, record: &Json) -> Attributes {
    let property = |name: &str| entity.property(name).unwrap();
    record.as_object().unwrap().iter().map(|(name, json)| (name.clone(), value(property(name), json))).collect()
}

fn value(property: &Property, json: &Json) -> Value {
    let text = |json: &Json| json.as_str().unwrap().to_owned();
    let whole = |json: &Json| i32::try_from(json.as_i64().unwrap()).unwrap();
    let inner = |name: &str| json.get(name).cloned().unwrap_or_default();
    match property.edm {
        _ if json.is_null() => Value::Null,
        EdmType::String => Value::text(text(json)),
        EdmType::Int32 => Value::Integer(whole(json)),
        EdmType::Int64 => Value::BigInt(text(json).parse().unwrap()),
        EdmType::Decimal => Value::Decimal(text(json).parse().unwrap()),
        EdmType::Double => Value::Double(json.as_f64().unwrap()),
        EdmType::Boolean => Value::Boolean(json.as_bool().unwrap()),
        EdmType::Guid => Value::Guid(text(json).parse().unwrap()),
        EdmType::DateTime => {
            let text = text(json);
            let ms = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")).unwrap();
            Value::Instant(Instant(ms.parse().unwrap()))
        }
        EdmType::Money | EdmType::OptionSetValue if inner("Value").is_null() => Value::Null,
        EdmType::Money => Value::Money(text(&inner("Value")).parse().unwrap()),
        EdmType::OptionSetValue => Value::Choice(whole(&inner("Value"))),
        EdmType::EntityReference if inner("Id").is_null() => Value::Null,
        EdmType::EntityReference => Value::Lookup(Reference {
            logical_name: text(&inner("LogicalName")).into(),
            id: text(&inner("Id")).parse().unwrap(),
        }),
        EdmType::BooleanManagedProperty => Value::Boolean(inner("Value").as_bool().unwrap()),
    }
}

/// Compares as the README of the fixtures describes.
fn equal(expected: &Message, answer: &Reply) -> Result<(), String> {
    let status: u16 = expected.first.split(' ').nth(1).unwrap().parse().unwrap();
    if status != answer.status {
        return Err(format!("expected status {status}, found {}: {}", answer.status, answer.body));
    }
    for (name, value) in &expected.headers {
        let given = answer.header(name).unwrap_or_default();
        if !matches(&value.replace("XRMServices", "xrmservices"), given) {
            return Err(format!("{name}: expected {value}, found {given}"));
        }
    }
    if expected.body.is_empty() {
        return if answer.body.is_empty() { Ok(()) } else { Err(format!("expected no body, found {}", answer.body)) };
    }
    let wanted: Json = serde_json::from_str(&expected.body).map_err(|error| format!("{error}: {}", expected.body))?;
    let given: Json = serde_json::from_str(&answer.body).map_err(|error| format!("{error}: {}", answer.body))?;
    same(&wanted, &given, "")
}

fn same(wanted: &Json, given: &Json, place: &str) -> Result<(), String> {
    match (wanted, given) {
        (Json::Object(wanted), Json::Object(given)) => {
            if let Some(name) = given.keys().find(|name| !wanted.contains_key(*name)) {
                return Err(format!("{place}/{name} is not expected"));
            }
            wanted.iter().try_for_each(|(name, wanted)| {
                let given = given.get(name).ok_or_else(|| format!("{place}/{name} is missing"))?;
                same(wanted, given, &format!("{place}/{name}"))
            })
        }
        (Json::Array(wanted), Json::Array(given)) if wanted.len() == given.len() => {
            let pairs = wanted.iter().zip(given).enumerate();
            pairs.into_iter().try_for_each(|(at, (wanted, given))| same(wanted, given, &format!("{place}/{at}")))
        }
        (Json::String(wanted), Json::String(given))
            if matches(&wanted.replace("XRMServices", "xrmservices"), given) =>
        {
            Ok(())
        }
        _ if wanted == given => Ok(()),
        _ => Err(format!("{place}: expected {wanted}, found {given}")),
    }
}

/// Whether a text matches the pattern, in which `{any}` stands for one or more characters.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once("{any}") {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            let ends = rest.char_indices().skip(1).map(|(at, _)| at).chain([rest.len()]);
            !rest.is_empty() && ends.into_iter().any(|end| matches(after, &rest[end..]))
        }),
    }
}
