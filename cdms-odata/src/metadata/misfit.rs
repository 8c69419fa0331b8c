//! What a mapping uses of an entity, held against a `$metadata` document.

use std::fmt;

use super::{EdmType, Metadata};
use crate::Kind;

/// What a mapping uses of an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityUse {
    /// The entity's name, for example `Account`.
    pub entity: String,
    /// Its set, for example `AccountSet`.
    pub set: String,
    /// Its key, for example `AccountId`.
    pub key: String,
    /// The attributes, each with the kind that it is read as.
    pub attributes: Vec<(String, Kind)>,
}

/// Something that a mapping uses and that a document has otherwise, or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// There is no such entity.
    NoEntity {
        /// Its name in the mapping.
        entity: String,
    },
    /// The entity has another set.
    Set {
        /// The entity.
        entity: String,
        /// The set in the mapping.
        stated: String,
        /// The set in the document.
        found: String,
    },
    /// Another attribute is the entity's key.
    Key {
        /// The entity.
        entity: String,
        /// The key in the mapping.
        stated: String,
        /// The key in the document.
        found: String,
    },
    /// The entity has no such attribute.
    NoAttribute {
        /// The entity.
        entity: String,
        /// The attribute.
        attribute: String,
    },
    /// The attribute has a type that cannot be read as its kind.
    Type {
        /// The entity.
        entity: String,
        /// The attribute.
        attribute: String,
        /// Its kind in the mapping.
        stated: Kind,
        /// Its type in the document.
        found: EdmType,
    },
}

impl Metadata {
    /// What of these uses does not fit this document, in the order of the uses.
    pub fn misfits(&self, uses: &EntityUse) -> Vec<Misfit> {
        let name = || uses.entity.clone();
        let Some(entity) = self.entity(&uses.entity) else { return vec![Misfit::NoEntity { entity: name() }] };
        let mut misfits = Vec::new();
        if entity.set != uses.set {
            misfits.push(Misfit::Set { entity: name(), stated: uses.set.clone(), found: entity.set.clone() });
        }
        if entity.key != uses.key {
            misfits.push(Misfit::Key { entity: name(), stated: uses.key.clone(), found: entity.key.clone() });
        }
        misfits.extend(uses.attributes.iter().filter_map(|(attribute, kind)| match entity.property(attribute) {
            None => Some(Misfit::NoAttribute { entity: name(), attribute: attribute.clone() }),
            Some(property) if property.edm.carries(*kind) => None,
            Some(property) => {
                Some(Misfit::Type { entity: name(), attribute: attribute.clone(), stated: *kind, found: property.edm })
            }
        }));
        misfits
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::NoEntity { entity } => write!(f, "CDMS has no entity `{entity}`"),
            Misfit::Set { entity, stated, found } => write!(f, "the set of `{entity}` is `{found}`, not `{stated}`"),
            Misfit::Key { entity, stated, found } => write!(f, "the key of `{entity}` is `{found}`, not `{stated}`"),
            Misfit::NoAttribute { entity, attribute } => write!(f, "`{entity}` has no attribute `{attribute}`"),
            Misfit::Type { entity, attribute, stated, found } => write!(
                f,
                "the type of `{attribute}` of `{entity}` is `{}`, which cannot be read as the kind {stated}",
                found.name()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"<Edmx><Schema Namespace="Ns"><EntityType Name="Account"><Key><PropertyRef Name="AccountId"/></Key>
<Property Name="AccountId" Type="Edm.Guid"/><Property Name="Name" Type="Edm.String"/></EntityType>
<EntityContainer><EntitySet Name="AccountSet" EntityType="Ns.Account"/></EntityContainer></Schema></Edmx>"#;

    fn uses(entity: &str, set: &str, key: &str, attributes: &[(&str, Kind)]) -> EntityUse {
        let attributes = attributes.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
        EntityUse { entity: entity.to_owned(), set: set.to_owned(), key: key.to_owned(), attributes }
    }

    #[test]
    fn everything_that_a_mapping_uses_is_compared() {
        let metadata = Metadata::parse(DOCUMENT).unwrap();
        let said = |uses: &EntityUse| metadata.misfits(uses).iter().map(ToString::to_string).collect::<Vec<_>>();
        let right = [("AccountId", Kind::Guid), ("Name", Kind::String)];
        assert_eq!(said(&uses("Account", "AccountSet", "AccountId", &right)), [""; 0]);
        assert_eq!(said(&uses("Contact", "ContactSet", "ContactId", &right)), ["CDMS has no entity `Contact`"]);
        assert_eq!(
            said(&uses("Account", "Accounts", "Id", &[("Name", Kind::Integer), ("Fax", Kind::String)])),
            [
                "the set of `Account` is `AccountSet`, not `Accounts`",
                "the key of `Account` is `AccountId`, not `Id`",
                "the type of `Name` of `Account` is `Edm.String`, which cannot be read as the kind integer",
                "`Account` has no attribute `Fax`",
            ]
        );
    }
}
