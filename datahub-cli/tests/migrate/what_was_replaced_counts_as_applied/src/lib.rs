//! The models.

#[derive(CdmsSynced)]
#[cdms(mapping = "contact.toml", table = "contacts")]
pub struct Contact {
    #[cdms(key)]
    pub id: Id<Contact>,
    #[cdms("LastName")]
    pub name: String,
    #[cdms("Fax")]
    pub fax: Option<String>,
}
