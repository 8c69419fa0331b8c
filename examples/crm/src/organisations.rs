//! The list of organisations with its search, and the page of one.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect};
use datahub_runtime::prelude::*;
use datahub_runtime::query::{Condition, ParseError};
use datahub_runtime::{Cost, Cursor, Find, Side, Synced};
use example_domain::{Contact, Organisation, Sector};
use serde::Deserialize;

use crate::failure::Answer;
use crate::form::{Form, Input, Slot};
use crate::page::{Notice, Page, as_of, html};
use crate::request::{Path, Query};
use crate::user::Acting;

/// How many organisations a page has.
const PAGE: u32 = 20;

/// What the search form sends; empty where nothing was chosen.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Search {
    q: String,
    sector: String,
    town: String,
    uk: String,
    r#where: String,
    sort: String,
    after: String,
}

impl Search {
    /// The query, without its page.
    fn find(&self, hub: &Hub) -> Result<Find<Organisation>, ParseError> {
        let f = Organisation::FIELDS;
        let mut find = Organisation::find(hub).order_by(match self.sort.as_str() {
            "-name" => f.name.desc(),
            "town" => f.registered_address.town.asc(),
            "-created" => f.created.desc(),
            _ => f.name.asc(),
        });
        if !self.q.is_empty() {
            find = find.filter(f.name.contains(&self.q).or(f.alias.contains(&self.q)));
        }
        if let Ok(sector) = self.sector.parse::<Id<Sector>>() {
            find = find.filter(f.sector.eq(sector));
        }
        if !self.town.is_empty() {
            find = find.filter(f.registered_address.town.starts_with(&self.town));
        }
        if !self.uk.is_empty() {
            find = find.filter(f.uk_organisation.eq(self.uk == "yes"));
        }
        if !self.r#where.is_empty() {
            find = find.filter(Condition::parse(&self.r#where, &example_domain::models())?);
        }
        Ok(find)
    }

    /// The address of a page of this search.
    fn url(&self, after: Option<&Cursor>) -> String {
        let Search { q, sector, town, uk, r#where, sort, after: _ } = self;
        let chosen = [("q", q), ("sector", sector), ("town", town), ("uk", uk), ("where", r#where), ("sort", sort)];
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(chosen.into_iter().filter(|(_, value)| !value.is_empty()));
        query.extend_pairs(after.map(|cursor| ("after", cursor.to_string())));
        format!("/organisations?{}", query.finish())
    }
}

#[derive(Template)]
#[template(path = "organisations.html")]
struct List {
    page: Page,
    sectors: Vec<Synced<Sector>>,
    /// Why there is no answer, if the advanced search is none that CDMS can evaluate.
    why: Option<String>,
    found: Option<FoundPage>,
    search: Search,
}

struct FoundPage {
    rows: Vec<Row>,
    left_out: usize,
    /// How many the hub has, which costs no request.
    known: u64,
    side: Side,
    cost: Cost,
    next: Option<String>,
}

struct Row {
    organisation: Synced<Organisation>,
    sector: String,
}

/// `GET /organisations`
pub(crate) async fn list(Acting(hub): Acting, Query(search): Query<Search>) -> Answer {
    let sectors = sectors(&hub).await?;
    let refused = |search, sectors, why| {
        let page = html(&List { page: Page::of(&hub), sectors, why: Some(why), found: None, search })?;
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
    };
    let find = match search.find(&hub) {
        Ok(find) => find,
        Err(error) => return refused(search, sectors, error.to_string()),
    };
    let known = find.clone().freshness(Freshness::LocalOnly).count().await?;
    let mut find = find.limit(PAGE).or_local();
    if let Ok(cursor) = search.after.parse::<Cursor>() {
        find = find.after(cursor);
    }
    let found = match find.load().await {
        Ok(found) => found,
        // CDMS has gone away between two pages, or the search is another one: from the beginning.
        Err(error) if !search.after.is_empty() => {
            tracing::info!(%error, "a list begins again");
            return Ok(Redirect::to(&search.url(None)).into_response());
        }
        Err(error) if error.kind() == ErrorKind::Invalid => return refused(search, sectors, error.to_string()),
        Err(error) => return Err(error.into()),
    };
    let names = Organisation::load_related(&hub, &found, Organisation::FIELDS.sector).known_only().await?;
    let page = match found.side {
        Side::Cdms => Page::of(&hub),
        Side::Hub if search.after.is_empty() => Page::of(&hub).away(as_of(&hub).await?),
        Side::Hub => Page { notice: Some(Notice::BegunAway(as_of(&hub).await?)), ..Page::of(&hub) },
    };
    let next = found.next.as_ref().map(|cursor| search.url(Some(cursor)));
    let rows = found.records.into_iter().map(|organisation| {
        let sector = names.get(organisation.sector).map_or_else(String::new, |sector| sector.name.clone());
        Row { organisation, sector }
    });
    let rows = rows.collect();
    let found = FoundPage { rows, left_out: found.left_out.len(), known, side: found.side, cost: found.cost, next };
    html(&List { page, sectors, why: None, found: Some(found), search })
}

/// The sectors that the hub has, for forms: they seldom change, and the watch keeps them up to date.
pub(crate) async fn sectors(hub: &Hub) -> Result<Vec<Synced<Sector>>, Error> {
    let sectors = Sector::find(hub).order_by(Sector::FIELDS.name.asc()).freshness(Freshness::LocalOnly).load().await?;
    Ok(sectors.records)
}

#[derive(Template)]
#[template(path = "organisation.html")]
struct Show {
    page: Page,
    organisation: Synced<Organisation>,
    sector: Option<String>,
    contacts: Vec<Synced<Contact>>,
    more_contacts: bool,
}

impl Show {
    /// The lines of the address that are known.
    fn address(&self) -> impl Iterator<Item = &str> {
        let address = &self.organisation.registered_address;
        let lines = [&address.line_1, &address.line_2, &address.line_3, &address.line_4];
        lines.into_iter().chain([&address.town, &address.county, &address.postcode]).filter_map(Option::as_deref)
    }
}

/// How many contacts the page of an organisation shows.
const CONTACTS: u32 = 50;

/// `GET /organisations/{id}`
pub(crate) async fn show(Acting(hub): Acting, Path(id): Path<Id<Organisation>>) -> Answer {
    let organisation = Organisation::get(&hub, id).or_local().await?;
    let sectors = Organisation::load_related(&hub, [&organisation], Organisation::FIELDS.sector).known_only().await?;
    let c = Contact::FIELDS;
    let contacts = Contact::find(&hub).filter(c.organisation.eq(id)).order_by(c.last_name.asc()).limit(CONTACTS);
    let contacts = contacts.or_local().load().await?;
    html(&Show {
        page: Page::showing(&hub, organisation.checked()).await?,
        sector: sectors.get(organisation.sector).map(|sector| sector.name.clone()),
        organisation,
        more_contacts: contacts.next.is_some(),
        contacts: contacts.records,
    })
}

impl Form for Organisation {
    const NAME: &'static str = "organisation";

    fn inputs() -> Vec<Input<Self>> {
        let f = Organisation::FIELDS;
        vec![
            Input::new(f.name, "Name", |organisation| Slot::Text(&mut organisation.name)),
            Input::new(f.alias, "Alias", |organisation| Slot::Text(&mut organisation.alias)),
            Input::new(f.sector, "Sector", |organisation| Slot::Sector(&mut organisation.sector)),
            Input::new(f.website, "Website", |organisation| Slot::Optional(&mut organisation.website)),
            Input::new(f.phone, "Telephone", |organisation| Slot::Phone(&mut organisation.phone)),
            Input::new(f.registered_address.line_1, "Street", |organisation| {
                Slot::Optional(&mut organisation.registered_address.line_1)
            }),
            Input::new(f.registered_address.town, "Town", |organisation| {
                Slot::Optional(&mut organisation.registered_address.town)
            }),
            Input::new(f.registered_address.postcode, "Postcode", |organisation| {
                Slot::Optional(&mut organisation.registered_address.postcode)
            }),
            Input::new(f.uk_organisation, "UK organisation", |organisation| {
                Slot::Flag(&mut organisation.uk_organisation)
            }),
            Input::new(f.description, "Description", |organisation| Slot::Text(&mut organisation.description)),
        ]
    }

    fn url(&self) -> String {
        format!("/organisations/{}", self.id)
    }

    fn title(&self) -> String {
        self.name.clone()
    }

    fn shown_at(&self) -> String {
        self.url()
    }
}
