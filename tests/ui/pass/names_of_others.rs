//! A module where the names that an expansion could lean on mean something else.

#![allow(dead_code, non_camel_case_types, reason = "they only stand in the way")]

type Result = ();
struct Some;
struct Value;
struct Kind;
mod core {}
mod std {}
mod private {}

#[derive(Clone, datahub_runtime::CdmsSynced)]
#[cdms(mapping = "account.toml", table = "companies", mode = "mirror")]
pub(crate) struct Company {
    #[cdms(key)]
    pub(crate) id: datahub_runtime::Id<Company>,
    #[cdms("Alias", default = "none")]
    pub(crate) row: String,
    #[cdms("Parent")]
    pub(crate) parent: Option<datahub_runtime::Id<Company>>,
}

#[test]
fn the_expansion_leans_on_none_of_them() {
    use datahub_runtime::CdmsSynced;
    assert_eq!(Company::DESCRIPTOR.columns[1].name, "row");
}
