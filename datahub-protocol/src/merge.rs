//! The three-way merge of a caller's changes with CDMS's, by field.

use cdms_odata::{Attributes, Value};

use crate::Mapping;

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

/// Merges the caller's values, which grew out of `base`, into what CDMS has now.
///
/// A field changed if its value differs from the decoded base; what a conversion loses is no change. Where both sides
/// changed a field to different values the caller's value is taken and all its attributes are sent, encoded against
/// what CDMS has now, so that no value arises that nobody typed. Fields that share an attribute are encoded one after the
/// other, each into what those before it have made.
///
/// # Errors
///
/// A value that does not convert.
pub fn merge<M: Mapping>(
    mapping: &M,
    base: &Attributes,
    mine: &[Value],
    current: &Attributes,
) -> Result<Merged, M::Fault> {
    // What the base does not know, because an older mapping loaded it, counts as it is now: no change of the caller's.
    let mut known_base = current.clone();
    known_base.merge(base);
    let before = mapping.decode(&known_base)?;
    let now = mapping.decode(current)?;
    let mut merged = Merged { values: now.clone(), ..Merged::default() };
    let mut seen = current.clone();
    for field in mapping.updatable() {
        if mine[field] == before[field] || mine[field] == now[field] {
            continue;
        }
        let mut parts = mapping.encode(field, &mine[field], &seen)?;
        if now[field] == before[field] {
            parts.retain(|name, value| seen.get(name) != Some(value));
        } else {
            merged.conflicts.push(field);
            for name in mapping.attributes_of(field) {
                let overwritten = current.get(name).filter(|value| known_base.get(name) != Some(value));
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
pub fn put_back<M: Mapping>(mapping: &M, then: &Attributes, now: &Attributes) -> Result<Merged, M::Fault> {
    let mut merged = Merged::default();
    let mut after = now.clone();
    let (parts, whole): (Vec<_>, Vec<_>) = mapping.updatable().into_iter().partition(|field| mapping.is_part(*field));
    for name in whole.into_iter().flat_map(|field| mapping.attributes_of(field)) {
        if let Some(value) = then.get(name).filter(|value| now.get(name) != Some(value)) {
            merged.patch.insert(name.to_owned(), value.clone());
            after.insert(name.to_owned(), value.clone());
        }
    }
    if !parts.is_empty() {
        let mut known = now.clone();
        known.merge(then);
        let (then, now) = (mapping.decode(&known)?, mapping.decode(now)?);
        for field in parts.into_iter().filter(|field| then[*field] != now[*field]) {
            let encoded = mapping.encode(field, &then[field], &after)?;
            after.merge(&encoded);
            merged.patch.merge(&encoded);
        }
    }
    merged.values = mapping.decode(&after)?;
    Ok(merged)
}
