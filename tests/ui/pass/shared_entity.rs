//! Two models of one entity, each with the records that are its own.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "suppliers", mode = "mirror", only = "Employees gt 0")]
pub(crate) struct Supplier {
    #[cdms(key)]
    pub(crate) id: Id<Supplier>,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "customers", mode = "mirror", only = "not (Employees gt 0)")]
pub(crate) struct Customer {
    #[cdms(key)]
    pub(crate) id: Id<Customer>,
    /// Either of the two, since both are of the entity that the contract's lookup points to.
    #[cdms("Parent")]
    pub(crate) parent: Option<Id<Supplier>>,
}

#[test]
fn both_are_listed() {
    let models = models![Supplier, Customer];
    let tables: Vec<_> = models.iter().map(|model| (model.table, model.entity.name)).collect();
    assert_eq!(tables, [("suppliers", "Account"), ("customers", "Account")]);
}
