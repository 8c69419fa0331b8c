//! What a query asks of CDMS: which list, and which records of it.

use std::sync::Arc;

use cdms_odata::dialect::{Direction, Expand, ListError, ListQuery};
use datahub_model::ModelDescriptor;
use datahub_model::condition::{Condition, NotLowered, Wanted, Where, attribute_of_order};
use datahub_model::filter::ODataV2;

use crate::cdms::{RecordShape, of_model};
use crate::engine::Engine;
use crate::{Error, ErrorKind};

/// A query of a model's records, without the model's type.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) model: &'static ModelDescriptor,
    pub(super) condition: Condition,
    pub(super) order: Vec<FieldOrder>,
}

/// An order by a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FieldOrder {
    pub(super) field: &'static str,
    pub(super) is_descending: bool,
}

/// The list that answers a query.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Asked {
    /// None: no record can satisfy the condition.
    Nothing,
    /// A list of CDMS's.
    List(AskedList),
}

/// A list of CDMS's.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AskedList {
    pub(super) query: ListQuery,
    /// Whether records are listed that do not belong to the model.
    pub(super) has_others: bool,
}

impl Query {
    /// What to ask of CDMS.
    ///
    /// # Errors
    ///
    /// CDMS cannot evaluate the condition, or cannot order by a field.
    pub(super) fn asked(&self) -> Result<Asked, NotLowered> {
        let Query { model, condition, order } = self;
        // What CDMS may understand differently of the model's own condition is not asked, but looked at in the records.
        let plain = ModelDescriptor { only: None, ..**model };
        let (filter, expand) = match condition.wanted(&plain, &ODataV2)? {
            Wanted::Nothing => return Ok(Asked::Nothing),
            Wanted::Everything => (None, None),
            Wanted::Where(Where { filter, expand, .. }) => (Some(filter), expand),
        };
        let only = of_model(model).filter(|_| expand.is_none());
        let has_others = model.only.is_some() && !is_whole(model, only.as_deref());
        let filter = match (only, filter) {
            (Some(only), Some(filter)) => Some(format!("({only}) and ({filter})")),
            (only, filter) => only.or(filter),
        };
        let related = condition.related_models().into_iter().next();
        let expand = expand
            .zip(related)
            .map(|(navigation, related)| Expand { navigation: navigation.into(), key: related.entity.key.into() });
        let by = order.iter().map(|by| {
            let direction = if by.is_descending { Direction::Descending } else { Direction::Ascending };
            Ok((attribute_of_order(model, by.field)?.into(), direction))
        });
        let mut by = by.collect::<Result<Vec<(std::borrow::Cow<'_, str>, _)>, NotLowered>>()?;
        // Without the key, records with equal values could change places from page to page. The key is CDMS's own order.
        if !by.is_empty() && by.iter().all(|(name, _)| *name != model.entity.key) {
            by.push((model.entity.key.into(), Direction::Ascending));
        }
        Ok(Asked::List(AskedList { query: ListQuery { filter, order: by, top: None, expand }, has_others }))
    }

    /// Like [`asked`](Query::asked), as an operation refuses it.
    pub(super) fn asked_of_cdms(&self, engine: &Engine, shape: &RecordShape) -> Result<Asked, Error> {
        let asked = self.asked().map_err(refused)?;
        if let Asked::List(list) = &asked {
            engine.client()?.address(shape, &list.query).map_err(|error| self.too_long(&error))?;
        }
        Ok(asked)
    }

    /// The error of a query whose address would be too long.
    pub(super) fn too_long(&self, error: &ListError) -> Error {
        Error::new(ErrorKind::Invalid, error.to_string()).advise(format!("or {}", self.condition.instead(self.model)))
    }

    /// What is read to know which records there are, and no more.
    pub(super) fn keys(&self, list: &AskedList) -> Arc<RecordShape> {
        let needed = self.model.only.filter(|_| list.has_others).map(|only| only.attributes());
        Arc::new(RecordShape::only(self.model, &needed.unwrap_or_default()))
    }
}

/// Whether this is the model's whole condition.
fn is_whole(model: &ModelDescriptor, asked: Option<&str>) -> bool {
    let whole = Condition::All(Vec::new()).wanted(model, &ODataV2);
    matches!((whole, asked), (Ok(Wanted::Where(whole)), Some(asked)) if whole.filter == asked)
}

/// The error of a query that CDMS cannot evaluate.
pub(super) fn refused(why: NotLowered) -> Error {
    let error = Error::new(ErrorKind::Invalid, format!("CDMS cannot answer this query: {}", why.why()));
    match why.instead() {
        Some(instead) => error.advise(instead),
        None => error,
    }
}
