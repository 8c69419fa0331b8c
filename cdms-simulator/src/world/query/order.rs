//! `$orderby`: which record comes first.

use std::cmp::{Ordering, Reverse};

use cdms_odata::Attributes;
use cdms_odata::metadata::EntityType;
use uuid::Uuid;

use super::literal::Comparable;
use super::place::{Found, Place};
use super::text::Collation;
use crate::refusal::Refusal;
use crate::world::World;

/// The order of a list. Records that are equal in it come in the order of their keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::world) struct Order(pub(super) Vec<Column>);

/// A value to order by.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub(super) place: Place,
    pub(super) descending: bool,
}

/// A record's place in an order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::world) struct Position {
    pub(super) values: Vec<Directed>,
    pub(in crate::world) id: Uuid,
}

/// A value in the direction of its column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Directed {
    Ascending(Comparable),
    Descending(Reverse<Comparable>),
}

impl PartialOrd for Directed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Directed {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Directed::Ascending(one), Directed::Ascending(other)) => one.cmp(other),
            (Directed::Descending(one), Directed::Descending(other)) => one.cmp(other),
            // The values of one column have one direction.
            (Directed::Ascending(_), Directed::Descending(_)) => Ordering::Less,
            (Directed::Descending(_), Directed::Ascending(_)) => Ordering::Greater,
        }
    }
}

impl Column {
    pub(super) fn directed(&self, value: Comparable) -> Directed {
        if self.descending { Directed::Descending(Reverse(value)) } else { Directed::Ascending(value) }
    }
}

impl Order {
    /// Parses the order of a list: names, each with `asc` or `desc` behind it if need be.
    pub(super) fn parse(world: &World, entity: &EntityType, text: &str) -> Result<Self, Refusal> {
        let (mut columns, mut at) = (Vec::new(), 0);
        for part in text.split(',') {
            let mut words = part.split([' ', '\t']).filter(|word| !word.is_empty());
            let (path, direction) = (words.next(), words.next());
            let (Some(path), None) = (path, words.next()) else { return Err(Refusal::syntax(at)) };
            let descending = match direction {
                None | Some("asc") => false,
                Some("desc") => true,
                Some(_) => return Err(Refusal::syntax(at)),
            };
            let names: Vec<String> = path.split('/').map(str::to_owned).collect();
            if entity.property(&names[0]).is_none() && entity.navigates(&names[0]) {
                return Err(Refusal::order_of_the_root_alone(at));
            }
            match Place::find(world, entity, &names, at)? {
                Found::Value(place) if place.has_known_order() => columns.push(Column { place, descending }),
                _ => return Err(Refusal::not_known_to_work(&format!("an order by '{path}'"), at)),
            }
            at += part.chars().count() + 1;
        }
        Ok(Order(columns))
    }

    /// A record's place in it.
    pub(in crate::world) fn position(&self, id: Uuid, record: &Attributes, collation: Collation) -> Position {
        let values = self.0.iter().map(|column| column.directed(column.place.of(record, collation)));
        Position { values: values.collect(), id }
    }

    /// Whether it is the order of a key.
    pub(super) fn is_by(&self, key: &str) -> bool {
        self.0.first().is_none_or(|column| column.place.name == key && !column.descending)
    }

    /// Whether it is the order of a time, and for equal times that of the key; then whether it is descending.
    pub(super) fn is_by_time(&self, attribute: &str, key: &str) -> Option<bool> {
        let (first, rest) = self.0.split_first()?;
        let by_key = rest.first().is_none_or(|column| column.place.name == key && !column.descending);
        let is_it = first.place.name == attribute && first.place.type_name() == "Edm.DateTime";
        (is_it && by_key).then_some(first.descending)
    }
}
