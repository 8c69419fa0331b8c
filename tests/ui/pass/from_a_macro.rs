//! Models that a `macro_rules!` makes, whose types come in invisible groups.

use datahub_runtime::prelude::*;

macro_rules! reference_data {
    ($name:ident, $mapping:literal, $table:literal, $attribute:literal, $field:ident: $type:ty) => {
        #[derive(Clone, CdmsSynced)]
        #[cdms(mapping = $mapping, table = $table, mode = "mirror")]
        pub(crate) struct $name {
            #[cdms(key)]
            pub(crate) id: Id<$name>,
            #[cdms($attribute)]
            pub(crate) $field: $type,
        }
    };
}

reference_data!(Nation, "country.toml", "nations", "Name", name: String);
reference_data!(Firm, "account.toml", "firms", "Alias", alias: Option<String>);

#[test]
fn they_are_models_like_any_other() {
    let nullable = |model: &datahub_runtime::__v1::ModelDescriptor| model.columns[1].nullable;
    assert!(!nullable(Nation::DESCRIPTOR) && nullable(Firm::DESCRIPTOR));
    assert_eq!(models![Nation, Firm].iter().len(), 2);
}
