//! A mirror without the glue for Diesel, referred to by others.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "lands", mode = "mirror", diesel(table = false))]
pub(crate) struct Country {
    #[cdms(key)]
    pub(crate) id: Id<Country>,
}

#[test]
fn a_mirror_has_no_constants_and_reads_what_it_maps() {
    assert!(Country::DESCRIPTOR.constants.is_empty() && Country::DESCRIPTOR.attributes.is_empty());
    let country = Country { id: Id::new() };
    assert_eq!(country.id(), country.id);
}
