//! `$filter`: its names and types, and the limits of what the service evaluates (docs/protocol.md, 3.1).

use cdms_odata::metadata::EntityType;

use super::condition::Condition;
use super::expand::Expansion;
use super::literal::Literal;
use super::place::{Found, Place};
use super::syntax::{Expression, Operator, parse};
use super::text::Matching;
use super::token::Word;
use crate::refusal::Refusal;
use crate::world::World;

/// The condition of a list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Filter {
    pub(super) condition: Condition,
    /// The expanded relation whose records it is about, by its place among the expansions; `None`: the listed ones.
    pub(super) about: Option<usize>,
}

impl Filter {
    /// Parses the condition of a list that expands these relations.
    pub(super) fn parse(
        world: &World,
        entity: &EntityType,
        expanded: &[Expansion],
        text: &str,
    ) -> Result<Self, Refusal> {
        let mut reader = Reader { world, entity, expanded, about: None };
        let condition = reader.condition(&parse(text)?, false)?;
        Ok(Filter { condition, about: reader.about.flatten() })
    }
}

struct Reader<'r> {
    world: &'r World,
    entity: &'r EntityType,
    expanded: &'r [Expansion],
    /// What the conditions so far are about.
    about: Option<Option<usize>>,
}

impl Reader<'_> {
    /// The condition, or its opposite.
    fn condition(&mut self, expression: &Expression, opposite: bool) -> Result<Condition, Refusal> {
        match expression {
            Expression::Not(part, _) => self.condition(part, !opposite),
            Expression::And(parts) | Expression::Or(parts) => {
                let parts: Result<Vec<_>, _> = parts.iter().map(|part| self.condition(part, opposite)).collect();
                let all = matches!(expression, Expression::And(_)) != opposite;
                Ok(if all { Condition::All(parts?) } else { Condition::Any(parts?) })
            }
            Expression::Compare { operator, at, left, right } => self.comparison(*operator, *at, left, right, opposite),
            Expression::Call { name, at, arguments } => self.function(name, *at, arguments, opposite),
            Expression::Path { names, at } => {
                self.find(names, *at)?;
                Err(Refusal::not_known_to_work("a property as a condition", *at))
            }
            Expression::Literal(word, at) => {
                Literal::read(word, *at)?;
                Err(Refusal::not_known_to_work("a literal as a condition", *at))
            }
        }
    }

    fn comparison(
        &mut self,
        operator: Operator,
        at: usize,
        left: &Expression,
        right: &Expression,
        opposite: bool,
    ) -> Result<Condition, Refusal> {
        for side in [left, right] {
            if let Expression::Call { name, at, arguments } = side {
                self.function(name, *at, arguments, false)?;
            }
        }
        let (Expression::Path { names, at: path }, Expression::Literal(word, place_of_literal)) = (left, right) else {
            return Err(Refusal::not_known_to_work("a comparison of anything but a property with a literal", at));
        };
        let literal = Literal::read(word, *place_of_literal)?;
        let incompatible = |left: &str| Refusal::incompatible(operator.name(), left, literal.type_name(), at);
        let place = match self.find(names, *path)? {
            Found::Value(place) => place,
            Found::Complex(type_name) => return Err(incompatible(&type_name)),
        };
        let collation = self.world.switches.comparing.collation;
        let value = place.comparable(&literal, collation).ok_or_else(|| incompatible(place.type_name()))?;
        let by_size = !matches!(operator, Operator::Equal | Operator::NotEqual);
        if by_size && (literal == Literal::Null || !place.has_size()) {
            return Err(incompatible(place.type_name()));
        }
        let operator = if opposite { operator.opposite() } else { operator };
        Ok(Condition::Compare { place, operator, value })
    }

    fn function(
        &mut self,
        name: &str,
        at: usize,
        arguments: &[Expression],
        opposite: bool,
    ) -> Result<Condition, Refusal> {
        let matching = match name {
            "substringof" => Matching::Anywhere,
            "startswith" => Matching::AtStart,
            "endswith" => Matching::AtEnd,
            _ => return Err(Refusal::unknown_function(name, at)),
        };
        let no_match = || Refusal::no_such_function(name, at);
        let [first, second] = arguments else { return Err(no_match()) };
        let (path, part) = if matching == Matching::Anywhere { (second, first) } else { (first, second) };
        let (Expression::Path { names, at: path }, Expression::Literal(Word::Text(part), _)) = (path, part) else {
            return Err(no_match());
        };
        let place = match self.find(names, *path)? {
            Found::Value(place) if place.type_name() == "Edm.String" => place,
            _ => return Err(no_match()),
        };
        let part = self.world.switches.comparing.collation.folded(part);
        Ok(Condition::Has { place, matching, part, opposite })
    }

    /// What a path leads to, in the listed or in expanded records.
    fn find(&mut self, names: &[String], at: usize) -> Result<Found, Refusal> {
        let [first, rest @ ..] = names else { return Err(Refusal::syntax(at)) };
        if self.entity.property(first).is_some() || !self.entity.navigates(first) {
            self.is_about(None, at)?;
            return Place::find(self.world, self.entity, names, at);
        }
        let expanded = self.expanded.iter().position(|expansion| expansion.name == *first);
        let Some(place) = expanded else { return Err(Refusal::not_expanded(first, at)) };
        let target = self.world.entity(&self.expanded[place].relation.target)?;
        match rest {
            [] => Err(Refusal::not_known_to_work("a comparison with a related record", at)),
            [further, ..] if target.property(further).is_none() && target.navigates(further) => {
                Err(Refusal::one_level(at))
            }
            rest => {
                self.is_about(Some(place), at)?;
                Place::find(self.world, target, rest, at)
            }
        }
    }

    /// Refuses conditions about different records.
    fn is_about(&mut self, about: Option<usize>, at: usize) -> Result<(), Refusal> {
        match self.about {
            Some(before) if before != about => Err(Refusal::mixed_conditions(at)),
            _ => {
                self.about = Some(about);
                Ok(())
            }
        }
    }
}
