//! The pages of a list.

use std::collections::BinaryHeap;

use cdms_odata::Attributes;
use cdms_odata::metadata::EntityType;
use percent_encoding::utf8_percent_encode;
use uuid::Uuid;

use super::condition::Condition;
use super::literal::Comparable;
use super::order::{Directed, Position};
use super::skiptoken::write;
use super::{ENCODED, Query};
use crate::refusal::Refusal;
use crate::world::records::INDEXED;
use crate::world::{Relation, World};

/// How far `$skip` and `$top` go together in a list that the platform reads as distinct records.
const DISTINCT_MAX: usize = 5_000;

/// One page of a list.
pub(crate) struct Listing {
    pub(crate) ids: Vec<Uuid>,
    /// The query string of the next page.
    pub(crate) next: Option<String>,
}

/// Records with their ids, in an order.
type Rows<'r> = Box<dyn Iterator<Item = (Uuid, &'r Attributes)> + 'r>;

impl Query {
    /// The page that the query requests; `pairs` are its options as they were sent.
    pub(crate) fn page(
        &self,
        world: &World,
        entity: &EntityType,
        pairs: &[(String, String)],
    ) -> Result<Listing, Refusal> {
        let top = self.top.unwrap_or(usize::MAX);
        if self.is_distinct() && self.skip.saturating_add(self.top.unwrap_or(0)) > DISTINCT_MAX {
            return Err(Refusal::too_deep_a_page(DISTINCT_MAX));
        }
        let size = world.switches.page_size;
        // One more record than the page has shows whether there is another page.
        let wanted = top.min(size.saturating_add(1));
        let mut found: Vec<_> =
            self.rows(world, entity, self.skip.saturating_add(wanted)).skip(self.skip).take(wanted).collect();
        if found.is_empty() && self.skip > 0 && wanted > 0 && world.switches.refuse_skip_beyond_end {
            return Err(Refusal::beyond_the_end());
        }
        let more = found.len() > size;
        found.truncate(size);
        let next = match (found.first(), found.last()) {
            (Some((first, _)), Some(last)) if more => Some(self.next(entity, pairs, found.len(), *last, *first)),
            _ => None,
        };
        Ok(Listing { ids: found.into_iter().map(|(id, _)| id).collect(), next })
    }

    /// Whether the platform reads distinct records: those of a condition on several related ones.
    fn is_distinct(&self) -> bool {
        self.about().is_some_and(|relation| relation.reverse)
    }

    /// The relation that the condition is about.
    fn about(&self) -> Option<&Relation> {
        let about = self.filter.as_ref()?.about?;
        self.expansions.get(about).map(|expansion| &expansion.relation)
    }

    /// Has the records' order and the relations kept in indexes, from which pages are read.
    pub(crate) fn prepare(&self, world: &mut World, entity: &EntityType) {
        let is_kept = self.order.is_by(&entity.key) || self.order.is_by_time(INDEXED, &entity.key).is_some();
        if !is_kept && let Some(records) = world.records.get_mut(&entity.name) {
            records.keep_order(&self.order, self.comparing.collation);
        }
        for expansion in self.expansions.iter().filter(|expansion| expansion.relation.reverse) {
            world.keep_lookup(&expansion.relation.target, &expansion.relation.lookup);
        }
    }

    /// The records of this and of further pages in the list's order, at least as many of them as are wanted.
    fn rows<'r>(&'r self, world: &'r World, entity: &'r EntityType, wanted: usize) -> Rows<'r> {
        let Some(records) = world.records(entity) else { return Box::new(std::iter::empty()) };
        let after = self.at.as_ref().map(|at| &at.after);
        let condition = self.filter.as_ref().map(|filter| &filter.condition);
        let of_the_root = condition.filter(|_| self.about().is_none());
        // The only records that can satisfy the condition, where a few ids are known.
        if let Some(ids) = of_the_root.and_then(|condition| condition.ids(&entity.key)) {
            let rows = ids.into_iter().filter_map(|id| Some((id, records.get(id)?)));
            return self.sorted(self.matching(world, entity, Box::new(rows)), after, wanted);
        }
        let descending = self.order.is_by_time(INDEXED, &entity.key);
        let rows: Rows<'r> = if self.order.is_by(&entity.key) {
            Box::new(records.after(after.map(|after| after.id)))
        } else if let Some(descending) = descending {
            let since = of_the_root.and_then(|condition| condition.earliest(INDEXED));
            let after = after.map(|after| (modified(after), after.id));
            if descending {
                Box::new(records.newest_first(since, after))
            } else {
                Box::new(records.oldest_first(since, after))
            }
        } else if let Some(rows) = records.in_order(&self.order, self.comparing.collation, after) {
            Box::new(rows)
        } else {
            return self.sorted(self.matching(world, entity, Box::new(records.after(None))), after, wanted);
        };
        self.matching(world, entity, rows)
    }

    /// Whether records without a related one are found: then its values count as null.
    fn finds_unrelated(&self, world: &World, condition: &Condition) -> bool {
        world.switches.unrelated_is_null && condition.holds(&Attributes::new(), self.comparing)
    }

    /// The rows that satisfy the condition.
    fn matching<'r>(&'r self, world: &'r World, entity: &'r EntityType, rows: Rows<'r>) -> Rows<'r> {
        let Some(filter) = &self.filter else { return rows };
        let condition = &filter.condition;
        let Some(relation) = self.about() else {
            return Box::new(rows.filter(|(_, record)| condition.holds(record, self.comparing)));
        };
        let unrelated = self.finds_unrelated(world, condition);
        Box::new(rows.filter(move |(id, record)| {
            let related = world.related(entity, relation, *id, record);
            let holds = related.iter().any(|(_, related)| condition.holds(related, self.comparing));
            holds || (unrelated && related.is_empty())
        }))
    }

    /// The first of these rows behind a place, in the list's order. Keeps no more of them than are wanted.
    fn sorted<'r>(&'r self, rows: Rows<'r>, after: Option<&Position>, wanted: usize) -> Rows<'r> {
        let mut first: BinaryHeap<Row<'r>> = BinaryHeap::new();
        for (id, record) in rows {
            let position = self.order.position(id, record, self.comparing.collation);
            let is_behind = after.is_none_or(|after| position > *after);
            let is_early = first.len() < wanted || first.peek().is_some_and(|last| position < last.position);
            if is_behind && is_early {
                first.push(Row { position, record });
                if first.len() > wanted {
                    first.pop();
                }
            }
        }
        Box::new(first.into_sorted_vec().into_iter().map(|row| (row.position.id, row.record)))
    }

    /// The query string of the page behind these records.
    fn next(
        &self,
        entity: &EntityType,
        pairs: &[(String, String)],
        shown: usize,
        last: (Uuid, &Attributes),
        first: Uuid,
    ) -> String {
        let kept = pairs.iter().filter(|(name, _)| !matches!(name.as_str(), "$skip" | "$skiptoken" | "$top"));
        let mut parts: Vec<_> =
            kept.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, ENCODED))).collect();
        if let Some(top) = self.top {
            parts.push(format!("$top={}", top.saturating_sub(shown)));
        }
        parts.push(format!("$skiptoken={}", write(self, entity, last, first)));
        parts.join("&")
    }
}

/// The time of change at a place in an order that begins with it.
fn modified(position: &Position) -> Option<i64> {
    let value = match position.values.first()? {
        Directed::Ascending(value) => value,
        Directed::Descending(value) => &value.0,
    };
    match value {
        Comparable::Instant(ms) => Some(*ms),
        _ => None,
    }
}

/// A record at its place.
struct Row<'r> {
    position: Position,
    record: &'r Attributes,
}

impl PartialEq for Row<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.position == other.position
    }
}

impl Eq for Row<'_> {}

impl PartialOrd for Row<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Row<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.position.cmp(&other.position)
    }
}
