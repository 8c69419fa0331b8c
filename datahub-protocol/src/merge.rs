//! The three-way merge of a caller's changes with CDMS's, by field.

use std::borrow::Cow;

use cdms_odata::{Attributes, Value};

use crate::{Mapping, Values};

/// The result of a merge.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Merged {
    /// The attributes to send; empty if there is nothing to do.
    pub patch: Attributes,
    /// The fields that both sides changed, by position.
    pub conflicts: Vec<usize>,
    /// The values that CDMS had received in those fields' attributes.
    pub overwritten: Attributes,
    /// The model's values with both sides' changes.
    pub values: Vec<Value>,
}

/// What a caller loaded; its changes are computed against this.
#[derive(Clone, Debug, PartialEq)]
pub struct Base {
    /// The attributes, in raw form.
    pub seen: Attributes,
    /// The model's values of them.
    pub values: Values,
}

/// A record's attributes, and the model's values of them.
#[derive(Clone, Copy, Debug)]
pub struct Decoded<'r> {
    /// The attributes, in raw form.
    pub seen: &'r Attributes,
    /// The values, one per field.
    pub values: &'r [Value],
}

impl Base {
    /// The loaded record, to merge with.
    pub fn decoded(&self) -> Decoded<'_> {
        Decoded { seen: &self.seen, values: &self.values }
    }
}

/// Merges the caller's values, which were derived from `base`, into what CDMS has now.
///
/// A field has changed if its value differs from the base's; what a conversion loses is not a change. If both sides
/// changed a field to different values, the caller's value wins and all its attributes are sent, encoded against what
/// CDMS has now, so that the result is never a value that no one entered. Fields that share an attribute are encoded
/// one after the other, each into the result of those before it.
///
/// # Errors
///
/// If a value does not convert.
pub fn merge<M: Mapping>(
    mapping: &M,
    base: Decoded<'_>,
    mine: &[Value],
    current: Decoded<'_>,
) -> Result<Merged, M::Fault> {
    // What the base does not know, because an older mapping loaded it, takes its current value: it is not a change by
    // the caller.
    let mut known_base = current.seen.clone();
    known_base.merge(base.seen);
    let mut merged = Merged { values: current.values.to_vec(), ..Merged::default() };
    let mut seen = current.seen.clone();
    for field in mapping.updatable() {
        let now = &current.values[field];
        let is_known = mapping.attributes_of(field).into_iter().all(|name| base.seen.contains(name));
        let before = match is_known {
            true => Cow::Borrowed(&base.values[field]),
            false => Cow::Owned(mapping.decode_field(field, &known_base)?),
        };
        if mine[field] == *before || mine[field] == *now {
            continue;
        }
        let mut parts = mapping.encode(field, &mine[field], &seen)?;
        if *now == *before {
            parts.retain(|name, value| seen.get(name) != Some(value));
        } else {
            merged.conflicts.push(field);
            for name in mapping.attributes_of(field) {
                let overwritten = current.seen.get(name).filter(|value| known_base.get(name) != Some(value));
                if let Some(value) = overwritten {
                    merged.overwritten.insert(name.to_owned(), value.clone());
                }
            }
        }
        merged.values[field] = mine[field].clone();
        seen.merge(&parts);
        merged.patch.merge(&parts);
    }
    Ok(merged)
}

/// The attributes that put the writable fields back to an earlier state, in their raw form: a null stays null, even if
/// a default stands for it in the model. A field that is only a part of its attributes is put back by its value,
/// encoded into their current values.
///
/// # Errors
///
/// If the attributes no longer convert.
pub fn put_back<M: Mapping>(mapping: &M, then: &Attributes, now: Decoded<'_>) -> Result<Merged, M::Fault> {
    let mut merged = Merged { values: now.values.to_vec(), ..Merged::default() };
    let mut after = now.seen.clone();
    let (parts, whole): (Vec<_>, Vec<_>) = mapping.updatable().into_iter().partition(|field| mapping.is_part(*field));
    for name in whole.into_iter().flat_map(|field| mapping.attributes_of(field)) {
        if let Some(value) = then.get(name).filter(|value| now.seen.get(name) != Some(value)) {
            merged.patch.insert(name.to_owned(), value.clone());
            after.insert(name.to_owned(), value.clone());
        }
    }
    if !parts.is_empty() {
        let mut known = now.seen.clone();
        known.merge(then);
        for field in parts {
            let then = mapping.decode_field(field, &known)?;
            if then != now.values[field] {
                let encoded = mapping.encode(field, &then, &after)?;
                after.merge(&encoded);
                merged.patch.merge(&encoded);
            }
        }
    }
    for (field, value) in merged.values.iter_mut().enumerate() {
        if mapping.attributes_of(field).into_iter().any(|name| merged.patch.contains(name)) {
            *value = mapping.decode_field(field, &after)?;
        }
    }
    Ok(merged)
}
