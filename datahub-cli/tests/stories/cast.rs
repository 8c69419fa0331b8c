//! Who and what appears in the stories: values, and records in number.

use datahub_runtime::Value;
use uuid::Uuid;

use crate::stage::Stage;

pub(crate) fn text(text: impl Into<String>) -> Value {
    Value::text(text.into())
}

/// The number of records besides those that a story is about.
pub(crate) const CROWD: usize = 120;

/// Three records that a story is about, and a crowd of others: the values of each, by its name and its number.
pub(crate) fn seeded<const N: usize>(
    stage: &Stage,
    entity: &str,
    names: [&str; 3],
    values: impl Fn(&str, usize) -> [(&'static str, Value); N],
) -> [Uuid; 3] {
    for number in 0..CROWD {
        stage.seed(entity, values(&format!("Number {number:03}"), number + 3));
    }
    let mut number = 0;
    names.map(|name| {
        number += 1;
        stage.seed(entity, values(name, number - 1))
    })
}
