//! The values of a record that conditions and orders look at, by name and type.

use cdms_odata::metadata::{EdmType, EntityType, Property};
use cdms_odata::{Attributes, Value};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::literal::{Comparable, Finite, Literal, decimal};
use super::text::Collation;
use crate::refusal::Refusal;
use crate::world::World;

/// A value of each record: an attribute, or the member of it that has an order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) name: String,
    edm: EdmType,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found {
    /// A value that can be compared.
    Value(Place),
    /// A complex value as a whole, of this type.
    Complex(String),
}

impl Place {
    /// What a path leads to in an entity's records. `at` is where the path is in the query.
    pub(super) fn find(world: &World, entity: &EntityType, path: &[String], at: usize) -> Result<Found, Refusal> {
        let [name, members @ ..] = path else { return Err(Refusal::syntax(at)) };
        let unknown = || Refusal::unknown_in_query(name, &world.type_name(entity), at);
        let property = entity.property(name).ok_or_else(unknown)?;
        Self::member(&world.metadata.namespace, property, members, at)
    }

    fn member(namespace: &str, property: &Property, members: &[String], at: usize) -> Result<Found, Refusal> {
        let edm = property.edm;
        let type_name = if edm.is_complex() { format!("{namespace}.{}", edm.name()) } else { edm.name().to_owned() };
        let found = || Found::Value(Place { name: property.name.clone(), edm });
        let (compared, others): (_, &[&str]) = match edm {
            EdmType::OptionSetValue | EdmType::Money => ("Value", &[]),
            EdmType::EntityReference => ("Id", &["LogicalName", "Name"]),
            EdmType::BooleanManagedProperty => ("Value", &["CanBeChanged", "ManagedPropertyLogicalName"]),
            _ => ("", &[]),
        };
        match members {
            [] if edm.is_complex() => Ok(Found::Complex(type_name)),
            [] => Ok(found()),
            [member] if member == compared => Ok(found()),
            [member] if others.contains(&member.as_str()) => {
                Err(Refusal::not_known_to_work(&format!("'{}/{member}'", property.name), at))
            }
            [member, ..] => Err(Refusal::unknown_in_query(member, &type_name, at)),
        }
    }

    /// The name of the value's type.
    pub(super) fn type_name(&self) -> &'static str {
        match self.edm {
            EdmType::OptionSetValue => "Edm.Int32",
            EdmType::Money => "Edm.Decimal",
            EdmType::EntityReference => "Edm.Guid",
            EdmType::BooleanManagedProperty => "Edm.Boolean",
            edm => edm.name(),
        }
    }

    /// Whether the service orders records by this value as this server does.
    pub(super) fn has_known_order(&self) -> bool {
        !matches!(self.edm, EdmType::OptionSetValue | EdmType::EntityReference | EdmType::BooleanManagedProperty)
    }

    /// Whether values can be greater than others, besides being equal or not.
    pub(super) fn has_size(&self) -> bool {
        !matches!(self.type_name(), "Edm.Guid" | "Edm.Boolean")
    }

    /// The value with which a literal is compared here; `None` if their types do not fit.
    pub(super) fn comparable(&self, literal: &Literal, collation: Collation) -> Option<Comparable> {
        Some(match (self.type_name(), literal) {
            (_, Literal::Null) => Comparable::Null,
            ("Edm.Boolean", Literal::Boolean(value)) => Comparable::Boolean(*value),
            ("Edm.DateTime", Literal::Instant(ms)) => Comparable::Instant(*ms),
            ("Edm.String", Literal::Text(text)) => Comparable::Text(collation.key(text)),
            ("Edm.Guid", Literal::Guid(id)) => Comparable::Guid(*id),
            ("Edm.Double", literal) => Comparable::Double(Finite::new(match literal {
                Literal::Int32(number) => f64::from(*number),
                Literal::Int64(number) => number.to_f64()?,
                Literal::Double(number, _) => *number,
                _ => return None,
            })?),
            ("Edm.Int32" | "Edm.Int64" | "Edm.Decimal", literal) => Comparable::Number(match literal {
                Literal::Int32(number) => Decimal::from(*number),
                Literal::Int64(number) => Decimal::from(*number),
                Literal::Decimal(number) => *number,
                Literal::Double(_, digits) => decimal(digits)?,
                _ => return None,
            }),
            _ => return None,
        })
    }

    /// The text that a record has here.
    pub(super) fn text<'r>(&self, record: &'r Attributes) -> Option<&'r str> {
        match record.get(&self.name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The value that a record has here.
    pub(super) fn of(&self, record: &Attributes, collation: Collation) -> Comparable {
        let value = record.get(&self.name).unwrap_or(&Value::Null);
        match (self.edm, value) {
            // Never filled by this endpoint (docs/protocol.md, 9).
            (EdmType::Int64, _) if self.name == "VersionNumber" => Comparable::Null,
            (EdmType::BooleanManagedProperty, value) => Comparable::Boolean(*value == Value::Boolean(true)),
            (_, Value::Text(text)) => Comparable::Text(collation.key(text)),
            (_, Value::Integer(number) | Value::Choice(number)) => Comparable::Number(Decimal::from(*number)),
            (_, Value::BigInt(number)) => Comparable::Number(Decimal::from(*number)),
            (_, Value::Decimal(number) | Value::Money(number)) => Comparable::Number(*number),
            (_, Value::Double(number)) => Finite::new(*number).map_or(Comparable::Null, Comparable::Double),
            (_, Value::Boolean(value)) => Comparable::Boolean(*value),
            (_, Value::Instant(instant)) => Comparable::Instant(instant.0),
            (_, Value::Guid(id)) => Comparable::Guid(*id),
            (_, Value::Lookup(reference)) => Comparable::Guid(reference.id),
            (_, Value::Null | Value::Date(_)) => Comparable::Null,
        }
    }
}
