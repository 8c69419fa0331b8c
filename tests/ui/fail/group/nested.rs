//! Groups within a group that are not what the contract's are.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsFields)]
struct Place {
    town: Option<String>,
}

#[derive(Clone, CdmsFields)]
struct Country {
    town: Option<String>,
    country: Option<String>,
}

#[derive(Clone, CdmsFields)]
struct Area {
    code: Option<String>,
}

#[derive(Clone, CdmsFields)]
struct Phone {
    number: Option<String>,
    #[cdms(flatten)]
    area: Area,
}

#[derive(Clone, CdmsFields)]
struct NoGroup {
    street: Option<String>,
    place: Option<String>,
    #[cdms(flatten)]
    phone: Phone,
}

#[derive(Clone, CdmsFields)]
struct GroupOfOne {
    #[cdms(flatten)]
    street: Place,
    #[cdms(flatten)]
    place: Place,
    #[cdms(flatten)]
    phone: Phone,
}

#[derive(Clone, CdmsFields)]
struct OneMore {
    street: Option<String>,
    #[cdms(flatten)]
    place: Country,
    #[cdms(flatten)]
    phone: Phone,
}

#[derive(Clone, CdmsFields)]
struct OneLess {
    street: Option<String>,
    #[cdms(flatten)]
    place: Place,
    #[cdms(flatten)]
    phone: Area,
}

#[derive(Clone, CdmsFields)]
struct NoPlace {
    street: Option<String>,
    #[cdms(flatten)]
    phone: Phone,
}

#[derive(Clone, CdmsFields)]
struct Keys {
    #[cdms(flatten, default)]
    place: Place,
    #[cdms(flatten = "phone")]
    phone: Phone,
}

#[derive(Clone, CdmsFields)]
struct NotDerived {
    #[cdms(flatten)]
    street: String,
}

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "nested.toml", table = "sites", mode = "mirror")]
struct Site {
    #[cdms(key)]
    id: Id<Site>,
    #[cdms(flatten = "reach")]
    no_group: NoGroup,
    #[cdms(flatten = "reach", read_only)]
    group_of_one: GroupOfOne,
    #[cdms(flatten = "reach", read_only)]
    one_more: OneMore,
    #[cdms(flatten = "reach", read_only)]
    one_less: OneLess,
    #[cdms(flatten = "reach", read_only)]
    no_place: NoPlace,
}

fn main() {}
