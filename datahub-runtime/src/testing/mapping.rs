//! Property tests of a mapping: a model loses only what its annotations declare.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use cdms_odata::{Attributes, Facts, Instant, Value};
use datahub_model::conversion::{self, Row};
use datahub_model::{Column, Fault, Source};
use datahub_protocol::{Decoded, Mapping, merge};
use uuid::Uuid;

use super::records::Records;
use crate::CdmsSynced;
use crate::engine::mapping::ModelMapping;
use crate::model::{model_of, row_of};

/// Generates four tests of mappings, each over many random records of each model. Call it once in a test module.
///
/// - `attributes_survive_the_model`: from CDMS's attributes to the model and back, only declared losses occur: by
///   `default`, by `with`, or by a reference to one model where CDMS allows several. Read-only fields are tested too.
/// - `what_is_written_reads_back`: a field's value, written to any record, reads as that value, and an update can write
///   some values.
/// - `an_unchanged_model_makes_no_patch`: saving an unchanged value sends nothing, whatever CDMS has now.
/// - `what_is_not_touched_is_not_sent`: changing some fields sends only their attributes. The parts of an untouched
///   join, other fields of the same attribute, and a null that a `default` stands for stay as they are.
///
/// A failure names the model, the record's attributes at fault and the seed. `DATAHUB_SEED=n` runs that seed alone;
/// `DATAHUB_SEEDS=n` runs this number of seeds instead of 200, for example if there are hundreds of models. Needs the
/// feature `testing`.
///
/// ```
/// use datahub_runtime::prelude::*;
///
/// /// The sector that an organisation works in.
/// #[derive(Clone, Debug, PartialEq, CdmsSynced)]
/// #[cdms(mapping = "sector.toml", table = "sectors", mode = "mirror")]
/// pub struct Sector {
///     #[cdms(key)]
///     pub id: Id<Sector>,
///     #[cdms("optevia_name")]
///     pub name: String,
/// }
///
/// #[cfg(test)]
/// mod mappings {
///     datahub_runtime::mapping_tests!(super::Sector);
/// }
/// # fn main() {
/// #     datahub_runtime::testing::attributes_survive::<Sector>();
/// #     datahub_runtime::testing::unchanged_makes_no_patch::<Sector>();
/// # }
/// ```
#[macro_export]
macro_rules! mapping_tests {
    ($($model:ty),+ $(,)?) => {
        #[::core::prelude::v1::test]
        fn attributes_survive_the_model() {
            $($crate::testing::attributes_survive::<$model>();)+
        }

        #[::core::prelude::v1::test]
        fn what_is_written_reads_back() {
            $($crate::testing::written_reads_back::<$model>();)+
        }

        #[::core::prelude::v1::test]
        fn an_unchanged_model_makes_no_patch() {
            $($crate::testing::unchanged_makes_no_patch::<$model>();)+
        }

        #[::core::prelude::v1::test]
        fn what_is_not_touched_is_not_sent() {
            $($crate::testing::untouched_is_not_sent::<$model>();)+
        }
    };
}

/// The default number of seeds for a test.
const SEEDS: u64 = 200;

/// The model's records of one seed: three that convert, with their rows.
struct Case<T> {
    seed: u64,
    mapping: ModelMapping,
    records: [(Attributes, Row, T); 3],
}

/// Runs a test on every seed.
#[track_caller]
fn each_seed<T: CdmsSynced>(test: impl Fn(&Case<T>) -> Result<(), String>) {
    let seeds = match (number("DATAHUB_SEED"), number("DATAHUB_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(SEEDS),
    };
    for seed in seeds {
        let case = Case::<T>::drawn(seed).unwrap_or_else(|reason| panic!("{}: {reason}", T::DESCRIPTOR.name));
        if let Err(reason) = test(&case) {
            panic!("{}: {reason}\n(seed {}: DATAHUB_SEED={} runs it alone)", T::DESCRIPTOR.name, case.seed, case.seed);
        }
    }
}

/// The number in a variable. Does not guess if the variable is not a number.
#[track_caller]
fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, found {text:?}")))
}

/// Facts that CDMS states about the records, which are not part of their contents.
const SOME_FACTS: Facts = Facts { modified: Instant(0), created: Some(Instant(0)), modified_by: Some(Uuid::nil()) };

/// How many records in a row may be refused, by a `with` module or by the fields' own types.
const REFUSALS_MAX: usize = 1_000;

impl<T: CdmsSynced> Case<T> {
    fn drawn(seed: u64) -> Result<Self, String> {
        let mut records = Records::of(T::DESCRIPTOR, seed);
        let mapping = ModelMapping::new(T::DESCRIPTOR, records.id(), Arc::from("test"));
        let mut draw = || {
            let mut last = None;
            for mut attributes in records.by_ref().take(REFUSALS_MAX) {
                conversion::with_calendar_dates(T::DESCRIPTOR, &mut attributes);
                let mut row = match mapping.decode(&SOME_FACTS, &attributes) {
                    Ok(row) => row.to_vec(),
                    Err(fault) => {
                        last = Some(fault);
                        continue;
                    }
                };
                for (column, value) in T::DESCRIPTOR.columns.iter().zip(&mut row) {
                    if column.is_local() {
                        *value = conversion::initial(column);
                    }
                }
                match model_of::<T>(&row) {
                    Ok(model) => {
                        keeps_what_it_says(&row, &model)?;
                        return Ok((attributes, row, model));
                    }
                    Err(fault) if said_to_keep_all::<T>(&fault) => {
                        return Err(format!(
                            "its type declares that it keeps all values (`KEEPS_ALL`), but refuses one: {fault}"
                        ));
                    }
                    Err(fault) => last = Some(fault),
                }
            }
            let last = last.map(|fault| fault.to_string()).unwrap_or_default();
            Err(format!("none of {REFUSALS_MAX} records that the contract allows can be read; the last reason: {last}"))
        };
        let records = [draw()?, draw()?, draw()?];
        Ok(Case { seed, mapping, records })
    }

    /// The columns that an update may send, with their positions.
    fn updatable(&self) -> impl Iterator<Item = (usize, &'static Column)> {
        self.mapping.updatable().into_iter().map(|position| (position, &T::DESCRIPTOR.columns[position]))
    }
}

/// The fields with values from CDMS whose types declare that they keep all of them.
fn keeping_all<T: CdmsSynced>() -> impl Iterator<Item = (usize, &'static Column)> {
    T::DESCRIPTOR.columns.iter().enumerate().filter(|(_, column)| !column.is_local() && column.through.is_none())
}

fn said_to_keep_all<T: CdmsSynced>(fault: &Fault) -> bool {
    keeping_all::<T>().any(|(_, column)| fault.place() == Some(column.field))
}

/// Whether a model has all values of its row that its types declare to keep.
fn keeps_what_it_says<T: CdmsSynced>(row: &[Value], model: &T) -> Result<(), String> {
    let again = row_of(model).map_err(|fault| message(&fault))?;
    match keeping_all::<T>().find(|(at, _)| row[*at] != again[*at]) {
        None => Ok(()),
        Some((at, column)) => Err(format!(
            "the type of `{}` declares that it keeps all values (`KEEPS_ALL`), but changes {} to {}",
            column.field, row[at], again[at]
        )),
    }
}

fn message(fault: &Fault) -> String {
    fault.to_string()
}

/// From attributes to the model and back; see [`mapping_tests!`](crate::mapping_tests).
///
/// # Panics
///
/// When an undeclared loss occurs.
#[track_caller]
pub fn attributes_survive<T: CdmsSynced>() {
    each_seed::<T>(|case| {
        let (attributes, _, model) = &case.records[0];
        let again = row_of(model).map_err(|fault| message(&fault))?;
        // Read-only fields too: a value that a model does not have cannot be shown.
        for (position, column) in T::DESCRIPTOR.columns.iter().enumerate() {
            let field = column.field;
            let Source::Attribute { attribute, targets, .. } = column.source else { continue };
            let default = conversion::default_of(column).map_err(|fault| message(&fault))?;
            let sent = case.mapping.encode(position, &again[position], attributes).map_err(|fault| message(&fault))?;
            let (before, after) = (attributes.get(attribute), sent.get(attribute));
            let stands_for_null =
                before.is_none_or(Value::is_null) && default.is_some_and(|default| default == again[position]);
            let of_another_model = matches!(
                before, Some(Value::Lookup(reference)) if !targets.is_empty() && !targets.contains(&&*reference.logical_name)
            );
            if before != after && !stands_for_null && !of_another_model {
                let show = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
                let (before, after) = (show(before), show(after));
                return Err(format!("`{attribute}` was {before}, but `{field}` returns it as {after}"));
            }
        }
        Ok(())
    });
}

/// A field's value, written to another record and read; see [`mapping_tests!`](crate::mapping_tests).
///
/// # Panics
///
/// When a value reads as another value.
#[track_caller]
pub fn written_reads_back<T: CdmsSynced>() {
    let refused = RefCell::new(BTreeMap::<&str, (u32, Option<Fault>)>::new());
    each_seed::<T>(|case| {
        let [(seen, row, _), (_, wanted, _), _] = &case.records;
        let decoded = Decoded { seen, values: row };
        for (position, column) in case.updatable() {
            // A value that does not fit the attributes, such as a joined name that is too long, is refused with a
            // reason.
            let encoded = case.mapping.encode(position, &wanted[position], seen);
            note(&mut refused.borrow_mut(), column.field, &encoded);
            let Ok(patch) = encoded else { continue };
            let mut after = seen.clone();
            after.merge(&patch);
            let read = case.mapping.decode(&SOME_FACTS, &after).map_err(|fault| message(&fault))?;
            if read[position] != wanted[position] {
                let (field, wanted, read) = (column.field, &wanted[position], &read[position]);
                return Err(format!(
                    "`{field}` is written as {wanted} but reads as {read}\nover {}\nas   {}",
                    shown(seen, column),
                    shown(&after, column)
                ));
            }
        }
        // All at once, to test fields that share an attribute.
        let Ok(merged) = merge(&case.mapping, decoded, wanted, decoded) else { return Ok(()) };
        let mut after = seen.clone();
        after.merge(&merged.patch);
        let read = case.mapping.decode(&SOME_FACTS, &after).map_err(|fault| message(&fault))?;
        for (position, column) in case.updatable() {
            if read[position] != wanted[position] {
                let (field, wanted, read) = (column.field, &wanted[position], &read[position]);
                return Err(format!(
                    "`{field}` is written as {wanted} along with all others but reads as {read}\nover {}\nas   {}",
                    shown(seen, column),
                    shown(&after, column)
                ));
            }
        }
        Ok(())
    });
    // With a single seed, the result is valid for that seed only.
    let enough = match (number("DATAHUB_SEED"), number("DATAHUB_SEEDS").unwrap_or(SEEDS)) {
        (Some(_), _) => return,
        (None, seeds) => REFUSALS_TOLD.min(u32::try_from(seeds).unwrap_or(REFUSALS_TOLD)),
    };
    for (field, (tries, fault)) in refused.into_inner() {
        if let Some(fault) = fault.filter(|_| tries >= enough) {
            let name = T::DESCRIPTOR.name;
            panic!("{name}: `{field}` cannot be written: all {tries} values were refused, the last reason: {fault}");
        }
    }
}

/// This number of refusals in a row, without an accepted value, is reported.
const REFUSALS_TOLD: u32 = 20;

/// Records whether a field's value could be written: as long as none could, the number of attempts and the last reason.
fn note(
    refused: &mut BTreeMap<&'static str, (u32, Option<Fault>)>,
    field: &'static str,
    encoded: &Result<Attributes, Fault>,
) {
    let (tries, fault) = refused.entry(field).or_default();
    match encoded {
        Ok(_) => (*tries, *fault) = (u32::MAX, None),
        Err(reason) if *tries < u32::MAX => (*tries, *fault) = (*tries + 1, Some(reason.clone())),
        Err(_) => {}
    }
}

/// Saving an unchanged value; see [`mapping_tests!`](crate::mapping_tests).
///
/// # Panics
///
/// When something would be sent.
#[track_caller]
pub fn unchanged_makes_no_patch<T: CdmsSynced>() {
    each_seed::<T>(|case| {
        let [(base, row, model), (other, other_row, _), _] = &case.records;
        let (base, other) = (Decoded { seen: base, values: row }, Decoded { seen: other, values: other_row });
        let mine = row_of(model).map_err(|fault| message(&fault))?;
        for current in [base, other] {
            let merged = merge(&case.mapping, base, &mine, current).map_err(|fault| message(&fault))?;
            if !merged.patch.is_empty() {
                return Err(format!("nothing was changed, but a save would send {}", listed(&merged.patch)));
            }
        }
        let merged = merge(&case.mapping, base, &mine, other).map_err(|fault| message(&fault))?;
        for (position, column) in case.updatable() {
            if merged.values[position] != other_row[position] {
                return Err(format!(
                    "`{}` was not changed by the caller, but CDMS's change of it is lost",
                    column.field
                ));
            }
        }
        Ok(())
    });
}

/// Changing some fields and not others; see [`mapping_tests!`](crate::mapping_tests).
///
/// # Panics
///
/// When an attribute of an untouched field would be sent.
#[track_caller]
pub fn untouched_is_not_sent<T: CdmsSynced>() {
    each_seed::<T>(|case| {
        let [(base, row, _), (_, wanted, _), (current, current_row, _)] = &case.records;
        let (base, current) = (Decoded { seen: base, values: row }, Decoded { seen: current, values: current_row });
        for (touched, column) in case.updatable() {
            let mut mine = row.clone();
            mine[touched].clone_from(&wanted[touched]);
            // The fields' types may refuse a combination of two records.
            let Ok(model) = model_of::<T>(&mine) else { continue };
            let mine = row_of(&model).map_err(|fault| message(&fault))?;
            for current in [base, current] {
                let Ok(merged) = merge(&case.mapping, base, &mine, current) else { continue };
                let mut after = current.seen.clone();
                after.merge(&merged.patch);
                if let (Ok(before), Ok(after)) =
                    (case.mapping.decode(&SOME_FACTS, current.seen), case.mapping.decode(&SOME_FACTS, &after))
                {
                    let mut others = case.updatable().filter(|(position, _)| *position != touched);
                    if let Some((_, other)) = others.find(|(position, _)| before[*position] != after[*position]) {
                        let (field, other) = (column.field, other.field);
                        return Err(format!("only `{field}` was changed, but a save would change `{other}` too"));
                    }
                }
                let stray = merged.patch.names().find(|name| !column.attributes().contains(&name.as_ref()));
                if let Some(stray) = stray {
                    return Err(format!("only `{}` was changed, but a save would send `{stray}` too", column.field));
                }
            }
        }
        let (position, body) = match case.mapping.encode_new(row) {
            Ok(body) => (case.updatable(), body),
            Err(_) => return Ok(()),
        };
        for (position, column) in position {
            if let Source::Attribute { attribute, .. } = column.source
                && conversion::default_of(column).map_err(|fault| message(&fault))?.as_ref() == Some(&row[position])
                && body.contains(attribute)
            {
                return Err(format!("a create would send the default of `{}`, which stands for a null", column.field));
            }
        }
        Ok(())
    });
}

fn shown(attributes: &Attributes, column: &Column) -> String {
    let mut own = attributes.clone();
    own.retain(|name, _| column.attributes().contains(&name));
    listed(&own)
}

fn listed(attributes: &Attributes) -> String {
    attributes.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
}
