//! Schemas from a few words: a line for each table, such as `contacts: id key, name string, fax string? <Fax>`.

use datahub_migrate::{Answers, Plan, Snapshot, Undecided, plan};
use datahub_model::schema::{ColumnSource, SnapshotColumn, SnapshotIndex, SnapshotTable};

/// A schema. A column has a name and a kind, which `?` makes nullable and a number gives a scale; `local`, `engine` or an
/// attribute (`Name` if none is given); `=` with a default; and `was`. A table may have `was` after its name.
pub(crate) fn schema(text: &str) -> Snapshot {
    let tables = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(table);
    Snapshot { engine: 6, tables: tables.collect(), ..Snapshot::default() }
}

fn table(line: &str) -> (String, SnapshotTable) {
    let (head, columns) = line.split_once(':').unwrap();
    let (name, was) = head.split_once(" was ").map_or((head, None), |(name, was)| (name, Some(was.to_owned())));
    let columns: Vec<_> = columns.split(',').map(|words| column(words.trim())).collect();
    let lookups = columns.iter().filter(|column| column.kind == cdms_odata::Kind::Lookup);
    let indexes = lookups.map(|column| SnapshotIndex::of_column(name, &column.name)).collect();
    let (model, entity) = (format!("Model of {name}"), was.clone().unwrap_or_else(|| name.to_owned()));
    (name.to_owned(), SnapshotTable { model, entity, was, epoch: 0, columns, indexes })
}

fn column(words: &str) -> SnapshotColumn {
    let (words, was) = words.split_once(" was ").map_or((words, None), |(words, was)| (words, Some(was.to_owned())));
    let (words, default) = words.split_once(" = ").map_or((words, None), |(words, default)| (words, Some(default)));
    let mut words = words.split(' ');
    let name = words.next().unwrap().to_owned();
    let said = words.next().unwrap();
    if said == "key" {
        return described(&name, "guid", false, ColumnSource::Key, None, was);
    }
    let (kind, nullable) = said.strip_suffix('?').map_or((said, false), |kind| (kind, true));
    let source = match words.next() {
        Some("local") => ColumnSource::Local,
        Some("engine") => ColumnSource::Engine,
        attribute => ColumnSource::Attributes(vec![attribute.unwrap_or("Name").to_owned()]),
    };
    described(&name, kind, nullable, source, default, was)
}

fn described(
    name: &str,
    kind: &str,
    nullable: bool,
    source: ColumnSource,
    default: Option<&str>,
    was: Option<String>,
) -> SnapshotColumn {
    let digits = kind.find(|letter: char| letter.is_ascii_digit()).unwrap_or(kind.len());
    let (kind, scale) = kind.split_at(digits);
    let (name, field) = (name.to_owned(), name.to_owned());
    let (kind, scale, default) = (kind.parse().unwrap(), scale.parse().ok(), default.map(str::to_owned));
    SnapshotColumn { name, field, kind, scale, nullable, default, was, source }
}

/// Answers: names to drop, and renames with an arrow, separated by commas.
pub(crate) fn answers(text: &str) -> Answers {
    let mut answers = Answers::default();
    for answer in text.split(',').map(str::trim).filter(|answer| !answer.is_empty()) {
        match answer.split_once(" -> ") {
            Some((from, to)) => drop(answers.rename.insert(from.to_owned(), to.to_owned())),
            None => drop(answers.drop.insert(answer.to_owned())),
        }
    }
    answers
}

/// The plan from one schema to another.
pub(crate) fn planned(from: &str, to: &str, answered: &str) -> Result<Plan, Undecided> {
    plan(&schema(from), &schema(to), &answers(answered))
}
