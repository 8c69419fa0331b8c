//! The types of properties, as `$metadata` names them.

use crate::Kind;

/// The types of properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EdmType {
    /// `Edm.String`.
    String,
    /// `Edm.Int32`.
    Int32,
    /// `Edm.Int64`.
    Int64,
    /// `Edm.Decimal`.
    Decimal,
    /// `Edm.Double`.
    Double,
    /// `Edm.Boolean`.
    Boolean,
    /// `Edm.DateTime`.
    DateTime,
    /// `Edm.Guid`.
    Guid,
    /// The complex type `EntityReference`.
    EntityReference,
    /// The complex type `OptionSetValue`.
    OptionSetValue,
    /// The complex type `Money`.
    Money,
    /// The complex type `BooleanManagedProperty`.
    BooleanManagedProperty,
}

impl EdmType {
    pub(super) const ALL: [EdmType; 12] = [
        EdmType::String,
        EdmType::Int32,
        EdmType::Int64,
        EdmType::Decimal,
        EdmType::Double,
        EdmType::Boolean,
        EdmType::DateTime,
        EdmType::Guid,
        EdmType::EntityReference,
        EdmType::OptionSetValue,
        EdmType::Money,
        EdmType::BooleanManagedProperty,
    ];

    /// The type's name: `Edm.String`, or for a complex type its name without the namespace.
    pub const fn name(self) -> &'static str {
        match self {
            EdmType::String => "Edm.String",
            EdmType::Int32 => "Edm.Int32",
            EdmType::Int64 => "Edm.Int64",
            EdmType::Decimal => "Edm.Decimal",
            EdmType::Double => "Edm.Double",
            EdmType::Boolean => "Edm.Boolean",
            EdmType::DateTime => "Edm.DateTime",
            EdmType::Guid => "Edm.Guid",
            EdmType::EntityReference => "EntityReference",
            EdmType::OptionSetValue => "OptionSetValue",
            EdmType::Money => "Money",
            EdmType::BooleanManagedProperty => "BooleanManagedProperty",
        }
    }

    /// Whether the type is complex: an object with members on the wire.
    pub const fn is_complex(self) -> bool {
        matches!(
            self,
            EdmType::EntityReference | EdmType::OptionSetValue | EdmType::Money | EdmType::BooleanManagedProperty
        )
    }

    /// The kinds that a contract may give to a property of this type, the simplest first; empty for managed properties.
    pub const fn kinds(self) -> &'static [Kind] {
        match self {
            EdmType::String => &[Kind::String],
            EdmType::Int32 => &[Kind::Integer],
            EdmType::Int64 => &[Kind::BigInt],
            EdmType::Decimal => &[Kind::Decimal],
            EdmType::Double => &[Kind::Double],
            EdmType::Boolean => &[Kind::Boolean],
            EdmType::DateTime => &[Kind::DateTime, Kind::Date],
            EdmType::Guid => &[Kind::Guid],
            EdmType::EntityReference => &[Kind::Lookup],
            EdmType::OptionSetValue => &[Kind::Choice, Kind::State, Kind::Status],
            EdmType::Money => &[Kind::Money],
            EdmType::BooleanManagedProperty => &[],
        }
    }

    /// Whether a property of this type can be an attribute of this kind.
    pub fn carries(self, kind: Kind) -> bool {
        self.kinds().contains(&kind)
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        // A schema's own types are prefixed with its namespace, which may itself begin with `Edm.`.
        let short = match name.rsplit_once('.') {
            None | Some(("Edm", _)) => name,
            Some((_, short)) => short,
        };
        EdmType::ALL.into_iter().find(|edm| edm.name() == short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_fits_a_type_or_not() {
        assert!(EdmType::DateTime.carries(Kind::Date));
        assert!(!EdmType::String.carries(Kind::Guid));
        for kind in Kind::ALL {
            assert_eq!(EdmType::ALL.into_iter().filter(|edm| edm.carries(kind)).count(), 1, "{kind}");
        }
    }
}
