//! The three-way merge of a caller's changes with CDMS's, by field.

use std::borrow::Cow;

use cdms_odata::{Attributes, Value};

use crate::{Mapping, Values};

/// What a merge comes to.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Merged {
    /// The attributes to send; empty: nothing to do.
    pub patch: Attributes,
    /// The fields that both sides changed, by position.
    pub conflicts: Vec<usize>,
    /// The values CDMS had got in those fields' attributes.
    pub overwritten: Attributes,
    /// The model's values with both sides' changes.
    pub values: Vec<Value>,
}

/// What a caller loaded, against which its changes are told.
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
    /// What was loaded, to merge with.
    pub fn decoded(&self) -> Decoded<'_> {
        Decoded { seen: &self.seen, values: &self.values }
    }
}

/// Merges the caller's values, which grew out of `base`, into what CDMS has now.
///
/// A field changed if its value differs from the base's; what a conversion loses is no change. Where both sides
/// changed a field to different values the caller's value is taken and all its attributes are sent, encoded against
/// what CDMS has now, so that no value arises that nobody typed. Fields that share an attribute are encoded one after the
/// other, each into what those before it have made.
///
/// # Errors
///
/// A value that does not convert.
pub fn merge<M: Mapping>(
    mapping: &M,
    base: Decoded<'_>,
    mine: &[Value],
    current: Decoded<'_>,
) -> Result<Merged, M::Fault> {
    // What the base does not know, because an older mapping loaded it, counts as it is now: no change of the caller's.
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

/// What puts the writable fields back to attributes of an earlier time, in their raw form: a null where there was one,
/// though a default may stand for it in the model. A field that is but a part of its attributes is put back by its value,
/// into what they are now.
///
/// # Errors
///
/// Attributes that do not convert any more.
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
