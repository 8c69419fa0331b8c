//! What the derive finds before it looks at the contract hides nothing either, and the table stays.

use datahub_runtime::prelude::*;
use diesel::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "organisations", mode = "mirror", diesel(changeset))]
struct Organisation {
    #[cdms(key)]
    id: uuid::Uuid,
    #[cdms("Town")]
    town: Option<i32>,
    #[cdms("StateCode", readonly)]
    state: i32,
}

/// A key that says something else too.
#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries", mode = "mirror")]
struct Country {
    #[cdms(key, "CountryId")]
    id: Id<Country>,
    #[cdms("Name")]
    name: Option<String>,
}

/// Nobody knows what a parameter is, outside.
#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "generic", mode = "mirror")]
struct Generic<T: Clone + Send + Sync + 'static> {
    #[cdms(key)]
    id: Id<Generic<T>>,
    #[cdms("Nmae")]
    name: String,
    #[cdms(local, sql_type = "string")]
    notes: Vec<T>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(table = "notes", mode = "detatched")]
struct Note {
    #[cdms(key)]
    id: Id<Note>,
    #[cdms(local, sql_type = "string")]
    text: String,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "acount.toml", table = "firms", mode = "mirror", diesel(changeset))]
struct Firm {
    #[cdms(key)]
    id: Id<Firm>,
    #[cdms("Name")]
    name: String,
}

fn named(connection: &mut SqliteConnection) -> QueryResult<Vec<Organisation>> {
    let countries: Vec<Country> = countries::table.select(Country::as_select()).load(connection)?;
    let _ = (countries.len(), generic::name.eq("Acme"), notes::text.eq("new"), firms::name.ne("Acme"));
    organisations::table.filter(organisations::town.is_not_null()).select(Organisation::as_select()).load(connection)
}

fn main() {}
