//! Firms and where they are.

/// A firm.
#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "firms")]
pub struct Firm {
    #[cdms(key)]
    pub id: Id<Firm>,
    #[cdms("Name")]
    pub name: String,
    #[cdms("EMail")]
    pub email: Option<String>,
    #[cdms("CountryId")]
    pub country: Option<Id<Country>>,
}

/// A country.
#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries", mode = "mirror")]
pub struct Country {
    #[cdms(key)]
    pub id: Id<Country>,
    #[cdms("Name")]
    pub name: String,
}
