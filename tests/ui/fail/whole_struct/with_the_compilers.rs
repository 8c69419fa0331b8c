//! What only the compiler can tell is told in the same compilation as what the derive finds itself; and what names the
//! table's columns is not at fault.

use datahub_runtime::prelude::*;
use diesel::prelude::*;

/// It has no kind.
#[derive(Clone)]
struct Colour;

/// It gives something else than its field is.
mod upper {
    use datahub_runtime::{Attributes, Fault};

    pub(crate) fn decode(_street: &Attributes) -> Result<u8, Fault> {
        Ok(0)
    }

    pub(crate) fn encode(_street: &Option<String>, _seen: &Attributes) -> Result<Attributes, Fault> {
        Ok(Attributes::new())
    }
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "miror", only = "Nmae eq 'a'")]
struct Organisation {
    #[cdms(key)]
    id: Id<Organisation>,
    #[cdms("Nmae")]
    name: String,
    #[cdms("Alias", defualt)]
    alias: String,
    #[cdms("Town")]
    town: Option<i32>,
    #[cdms("Street", with = "upper", sql_type = "string")]
    street: Option<String>,
    #[cdms("Parent")]
    parent: Option<Id<Country>>,
    #[cdms("WebSiteURL", default = 7)]
    website: String,
    #[cdms(local, sql_type = "integer")]
    colour: Option<Colour>,
    #[cdms("StateCode", sql_type = "string")]
    state: Option<i32>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries", mode = "mirror")]
struct Country {
    #[cdms(key)]
    id: Id<Country>,
    #[cdms("Name")]
    name: Option<String>,
    #[cdms(local, sql_type = "guid")]
    seat: Option<uuid::Uuid>,
}

diesel::joinable!(countries -> organisations (seat));
diesel::allow_tables_to_appear_in_same_query!(countries, organisations);

fn by_name(connection: &mut SqliteConnection) -> QueryResult<Vec<Organisation>> {
    organisations::table
        .inner_join(countries::table)
        .filter(organisations::name.eq("Acme").and(organisations::alias.ne("")).and(countries::name.is_not_null()))
        .select(Organisation::as_select())
        .load(connection)
}

async fn rename(hub: &Hub, id: Id<Organisation>) -> Result<(), Error> {
    let mut organisation = Organisation::get(hub, id).await?;
    organisation.name = "Acme".to_owned();
    organisation.save(hub).await?;
    Ok(())
}

fn main() {
    models![Organisation, Country];
}
