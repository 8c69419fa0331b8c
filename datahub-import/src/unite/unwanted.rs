//! What solutions and replies describe that the import was not asked for, so that no entity of a source is passed over in silence.

use std::fmt;

use cdms_odata::metadata::Metadata;

use super::{Wanted, described};
use crate::source::Source;

/// The entities that solutions and replies describe and that are not wanted, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unwanted {
    /// Those that can be asked for.
    pub known: Vec<String>,
    /// Those that `$metadata` lacks.
    pub lacked: Vec<Lacked>,
}

/// An entity that another source describes and `$metadata` lacks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lacked {
    /// Its name.
    pub entity: String,
    /// The source that describes it.
    pub source: String,
    /// The `$metadata` that lacks it.
    pub metadata: String,
}

impl fmt::Display for Lacked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Lacked { entity, source, metadata } = self;
        write!(
            f,
            "`{entity}` is in {source}, but not in {metadata}: save the $metadata of your CDMS, which knows it, and import \
             that first"
        )
    }
}

/// What is described and not wanted; nothing if everything is wanted.
pub fn unwanted(sources: &[Source], wanted: &Wanted) -> Unwanted {
    let Some(names) = &wanted.entities else { return Unwanted::default() };
    let mut unwanted = Unwanted::default();
    for (_, _, entity) in described(sources).into_iter().filter(|(_, _, entity)| entity.is_own) {
        let name = &entity.name;
        if names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)) {
            continue;
        }
        match lacked(sources, name) {
            Some(lacked) => unwanted.lacked.push(lacked),
            None => unwanted.known.push(name.clone()),
        }
    }
    unwanted.known.sort();
    unwanted.known.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
    unwanted.lacked.sort();
    unwanted.lacked.dedup_by(|one, other| one.entity.eq_ignore_ascii_case(&other.entity));
    unwanted
}

/// The entity of this name that a source describes and `$metadata` lacks.
pub(super) fn lacked(sources: &[Source], name: &str) -> Option<Lacked> {
    let has = |metadata: &Metadata| metadata.entities.iter().any(|known| known.name.eq_ignore_ascii_case(name));
    let metadata = sources.iter().find(|source| source.metadata().is_some_and(|(metadata, _)| !has(metadata)))?;
    let of = |(.., entity): &(_, _, &super::Described)| entity.is_own && entity.name.eq_ignore_ascii_case(name);
    let (source, _, entity) = described(sources).into_iter().find(of)?;
    Some(Lacked { entity: entity.name.clone(), source: source.to_owned(), metadata: metadata.name.clone() })
}
