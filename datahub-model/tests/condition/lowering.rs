//! What CDMS is asked for a condition, and what is refused with the way around it.

use cdms_odata::{Instant, Kind, Reference, Value};
use chrono::NaiveDate;
use datahub_model::condition::{Condition, RelatedModel, Wanted, Where, Why, attribute_of_order};
use datahub_model::filter::ODataV2;
use datahub_model::{Comparison, Filter, Literal, MaybeStatic, Mode, ModelDescriptor};
use uuid::Uuid;

use crate::model::{CONTACT, FIRM, SECTOR};

fn parsed(text: &str) -> Condition {
    Condition::parse(text, &FIRM, &[&FIRM, &SECTOR, &CONTACT]).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What CDMS is asked for a text.
fn asked(text: &str) -> String {
    match parsed(text).wanted(&FIRM, &ODataV2).unwrap_or_else(|error| panic!("{text}: {error}")) {
        Wanted::Everything => "everything".to_owned(),
        Wanted::Nothing => "nothing".to_owned(),
        Wanted::Where(Where { filter, expand: None, .. }) => filter,
        Wanted::Where(Where { filter, expand: Some(navigation), .. }) => format!("{filter} & {navigation}"),
    }
}

/// Why CDMS is not asked for a text.
fn refused(text: &str) -> String {
    let refused = parsed(text).wanted(&FIRM, &ODataV2).expect_err(text);
    assert_eq!(format!("{refused:?}"), refused.to_string(), "as a `main` that returns it prints it");
    refused.to_string()
}

#[test]
fn fields_become_attributes_and_nulls_are_explicit() {
    let id = "6f9619ff-8b86-d011-b42d-00c04fc964ff";
    for (text, filter) in [
        // A required attribute has no null.
        ("name = \"it's\"", "Name eq 'it''s'".to_owned()),
        ("name != 'x'", "Name ne 'x'".to_owned()),
        ("not name contains '%_'", "not (substringof('%_',Name))".to_owned()),
        ("name is null", "nothing".to_owned()),
        ("name contains ''", "everything".to_owned()),
        // A null is a value like no other.
        ("size != 3", "Size ne 3 or Size eq null".to_owned()),
        ("not size > 3", "Size le 3 or Size eq null".to_owned()),
        ("size is not null", "Size ne null".to_owned()),
        ("size in (1, 2)", "Size eq 1 or Size eq 2".to_owned()),
        ("size not in (1, 2)", "(Size ne 1 or Size eq null) and (Size ne 2 or Size eq null)".to_owned()),
        ("size between 1 and 2", "Size ge 1 and Size le 2".to_owned()),
        ("address.town starts_with 'L'", "startswith(Town,'L')".to_owned()),
        ("not address.town starts_with 'L'", "not (startswith(Town,'L')) or Town eq null".to_owned()),
        // A default stands for null.
        ("alias = ''", "Alias eq null".to_owned()),
        ("alias != ''", "Alias ne null".to_owned()),
        ("alias < 'b'", "Alias lt 'b' or Alias eq null".to_owned()),
        ("country = 'NONE'", "Country eq 'NONE' or Country eq null".to_owned()),
        ("country != 'none'", "Country ne 'none' and Country ne null".to_owned()),
        ("country contains 'on'", "substringof('on',Country) or Country eq null".to_owned()),
        ("country is null", "nothing".to_owned()),
        ("rank >= 3", "Rank ge 3 or Rank eq null".to_owned()),
        ("not rank >= 3", "Rank lt 3".to_owned()),
        ("year(seen) = 2001", "Seen ge datetime'2001-01-01T00:00:00Z' and Seen lt datetime'2002-01-01T00:00:00Z' or Seen eq null".to_owned()),
        // Kinds have literals of their own.
        ("vip = true", "Vip eq true".to_owned()),
        ("state = Active and industry = FineArts", "State/Value eq 0 and Industry/Value eq 3".to_owned()),
        ("met > 2026-01-31T12:00:00Z", "Met gt datetime'2026-01-31T12:00:00Z'".to_owned()),
        ("met >= 2026-01-31T12:00:00.5+01:00", "Met gt datetime'2026-01-31T11:00:00Z'".to_owned()),
        ("met = 2026-01-31T12:00:00.001Z", "nothing".to_owned()),
        ("met < 2026-01-31", "Met lt datetime'2026-01-31T00:00:00Z'".to_owned()),
        ("founded = 2016-06-15", "Founded ge datetime'2016-06-14T11:00:00Z' and Founded lt datetime'2016-06-15T11:00:00Z'".to_owned()),
        ("founded != 2016-06-15", "Founded lt datetime'2016-06-14T11:00:00Z' or Founded ge datetime'2016-06-15T11:00:00Z' or Founded eq null".to_owned()),
        (&format!("id = {id}"), format!("AccountId eq guid'{id}'")),
        (&format!("sector = {id}"), format!("Sector/Id eq guid'{id}'")),
        (&format!("boss = 'contact {id}'"), format!("Boss/Id eq guid'{id}'")),
        (&format!("modified_by != {id} and token = guid'{id}'"), format!("(ModifiedBy/Id ne guid'{id}' or ModifiedBy/Id eq null) and Token eq guid'{id}'")),
        ("modified > 2026-01-31 and created is null", "ModifiedOn gt datetime'2026-01-31T00:00:00Z' and CreatedOn eq null".to_owned()),
        // On the record that a lookup points to.
        ("sector.title = 'Food'", "sector_account/Title eq 'Food' & sector_account".to_owned()),
        ("sector.title = 'Food' or sector.code = 7", "sector_account/Title eq 'Food' or sector_account/Code eq 7 & sector_account".to_owned()),
        ("sector matches (code = 7 and title contains 'F')", "sector_account/Code eq 7 and substringof('F',sector_account/Title) & sector_account".to_owned()),
        ("sector.code != 7", "sector_account/SectorId ne null and (sector_account/Code ne 7 or sector_account/Code eq null) & sector_account".to_owned()),
        ("sector.opened < 2016-06-15", "sector_account/Opened lt datetime'2016-06-14T11:00:00Z' & sector_account".to_owned()),
    ] {
        assert_eq!(asked(text), filter, "{text}");
    }
}

#[test]
fn what_cdms_cannot_evaluate_is_refused_with_the_query_that_does_it() {
    let fresh = "bring the hub up to date with `hub.ensure_fresh(models![Firm], Freshness::MaxAge(…)).await?`, and query its rows with Diesel";
    for (text, why, query) in [
        (
            "note contains 'x'",
            "`note` is a local field, which CDMS does not have",
            "firms::table.filter(firms::note.like(\"%…%\"))",
        ),
        (
            "not phone = '020' or size < 3",
            "`phone` is made by a `with` module from Phone, so CDMS does not have its values",
            "firms::table.filter(firms::phone.ne(…).or(firms::phone.is_null()).or(firms::size.lt(…)))",
        ),
        ("limit > 1.5", "a condition on the money `Limit` is not supported", "firms::table.filter(firms::limit.gt(…))"),
        (
            "month(met) = 3",
            "a condition on the month of `Met` is not supported",
            "firms::table.filter(sql::<Bool>(\"extract(month from firms.met at time zone 'utc') = …\"))",
        ),
        (
            "day(founded) != 3 and address.town is null",
            "a condition on the day of `Founded` is not supported",
            "firms::table.filter(sql::<Bool>(\"extract(day from firms.founded) <> …\").and(firms::address_town.is_null()))",
        ),
        (
            "owner is null",
            "`owner` holds no reference to team, and CDMS cannot be asked what a lookup points to",
            "firms::table.filter(firms::owner.is_null())",
        ),
    ] {
        assert_eq!(refused(text), format!("{why}; {fresh}: `{query}`"));
    }
    let both = "bring the hub up to date with `hub.ensure_fresh(models![Firm, Sector], Freshness::MaxAge(…)).await?`, and query its rows with Diesel";
    let food = "firms::sector.eq_any(sectors::table.filter(sectors::title.eq(…)).select(sectors::id.nullable()))";
    for (text, why, query) in [
        (
            "sector.title = 'Food' and size = 3",
            "conditions on a related record cannot be combined with conditions on the record itself",
            format!("{food}.and(firms::size.eq(…))"),
        ),
        (
            "not sector.title = 'Food'",
            "a condition on the record that `sector` points to cannot be negated",
            format!("not({food}).or(firms::sector.is_null())"),
        ),
    ] {
        assert_eq!(refused(text), format!("{why}; {both}: `firms::table.filter({query})`"));
    }
    let no_way = refused("boss.last_name = 'X'");
    assert!(
        no_way.starts_with(
            "the contract does not state the navigation property from `Boss` to contact: add `navigation = "
        ),
        "{no_way}"
    );
}

#[test]
fn values_stay_out_of_a_refusal() {
    let secret = "correct horse";
    for text in [format!("note = '{secret}'"), format!("phone contains '{secret}' or note != '{secret}'")] {
        assert!(!refused(&text).contains(secret));
    }
}

#[test]
fn what_is_wrong_with_a_condition_has_no_way_around() {
    let compare = |field: &'static str, value| Condition::compare(field, Comparison::Greater, value);
    let related = |field: &'static str, model| Condition::Related {
        field: field.into(),
        model: RelatedModel(model),
        condition: Box::new(Condition::All(vec![])),
    };
    for (condition, why) in [
        (compare("nmae", Value::Null), "Firm has no field `nmae`"),
        (
            compare("size", Value::text("3")),
            "the value that `size` is compared with does not fit: expected integer, found text",
        ),
        (
            compare("name", Value::text("a\u{B}")),
            "the value that `name` is compared with does not fit: contains the character U+000B at position 2, which XML and CDMS do not allow; remove it",
        ),
        (
            compare("met", Value::Instant(Instant(i64::MIN))),
            "the value that `met` is compared with does not fit: is before 1753-01-01, the first day that CDMS supports",
        ),
        (related("size", &SECTOR), "`size` does not point to a Sector"),
        (related("sector", &CONTACT), "`sector` does not point to a Contact"),
    ] {
        let error = condition.lower(&FIRM).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.instead()), (why, None));
    }
    let error =
        compare("sector", Value::Lookup(Reference { logical_name: "sector".into(), id: Uuid::nil() })).lower(&FIRM);
    assert!(matches!(error.unwrap_err().why(), Why::NoOrder { kind: Kind::Lookup, .. }));
    let group = Condition::Related {
        field: "group".into(),
        model: RelatedModel(&SECTOR),
        condition: Box::new(Condition::compare("title", Comparison::Equal, Value::text("x"))),
    };
    let nested =
        Condition::Related { field: "sector".into(), model: RelatedModel(&SECTOR), condition: Box::new(group) };
    assert!(matches!(nested.lower(&FIRM).unwrap_err().why(), Why::NestedRelation { field: "sector" }));
    let detached = ModelDescriptor { mode: Mode::Detached, ..FIRM };
    let error = Condition::All(vec![]).lower(&detached).unwrap_err().to_string();
    assert_eq!(
        error,
        "Firm is detached from CDMS; query its rows with Diesel: `firms::table.filter(sql::<Bool>(\"true\"))`"
    );
}

static ACTIVE: Filter = Filter::compare("State", Comparison::Equal, Literal::Choice(0));

#[test]
fn a_list_asks_for_the_records_of_the_model() {
    let model = ModelDescriptor { only: Some(&ACTIVE), ..FIRM };
    let wanted = |condition: &Condition| condition.wanted(&model, &ODataV2).unwrap();
    let asks = |filter: &str, expand: Option<&str>, leaves_out_only| {
        Wanted::Where(Where { filter: filter.to_owned(), expand: expand.map(str::to_owned), leaves_out_only })
    };
    assert_eq!(wanted(&Condition::All(vec![])), asks("State/Value eq 0", None, false));
    assert_eq!(wanted(&Condition::Any(vec![])), Wanted::Nothing);
    assert_eq!(
        wanted(&parsed("size = 1 or size = 2")),
        asks("State/Value eq 0 and (Size eq 1 or Size eq 2)", None, false)
    );
    // CRM 2011 cannot combine the two, so the records are checked when they are there.
    let sector = asks("sector_account/Code eq 7", Some("sector_account"), true);
    assert_eq!(wanted(&parsed("sector.code = 7")), sector);
}

#[test]
fn a_related_record_is_one_of_its_model() {
    let asked = |only: &'static Filter, text: &str| {
        let sectors: &'static ModelDescriptor = Box::leak(Box::new(ModelDescriptor { only: Some(only), ..SECTOR }));
        let condition = Condition::parse(text, &FIRM, &[sectors]).unwrap();
        match condition.wanted(&FIRM, &ODataV2).unwrap() {
            Wanted::Where(Where { filter, leaves_out_only: false, .. }) => filter,
            other => panic!("{other:?}"),
        }
    };
    static NORTH: Filter = Filter::compare("Region", Comparison::Equal, Literal::text("north"));
    static ELSEWHERE: Filter = Filter::Not(MaybeStatic::Static(&NORTH));
    static UNCODED: Filter = Filter::compare("Code", Comparison::Equal, Literal::Null);
    let seven = "sector.code = 7";
    assert_eq!(asked(&NORTH, seven), "sector_account/Region eq 'north' and sector_account/Code eq 7");
    // What null means, it says as in any other condition, and a record must be there.
    assert_eq!(
        asked(&ELSEWHERE, seven),
        "(sector_account/Region ne 'north' or sector_account/Region eq null) and sector_account/Code eq 7"
    );
    assert_eq!(
        asked(&UNCODED, "sector.opened is null"),
        "sector_account/SectorId ne null and sector_account/Code eq null and sector_account/Opened eq null"
    );
    let only = "(Region ne 'north' or Region eq null) and Code eq 7";
    let sectors = ModelDescriptor { only: Some(&ELSEWHERE), ..SECTOR };
    let wanted = Condition::compare("code", Comparison::Equal, Value::Integer(7)).wanted(&sectors, &ODataV2).unwrap();
    assert_eq!(wanted, Wanted::Where(Where { filter: only.to_owned(), expand: None, leaves_out_only: false }));
    // The hub alone has the records of a detached model.
    let detached: &'static ModelDescriptor = Box::leak(Box::new(ModelDescriptor { mode: Mode::Detached, ..SECTOR }));
    let refused = Condition::parse(seven, &FIRM, &[detached]).unwrap().wanted(&FIRM, &ODataV2).unwrap_err();
    assert_eq!(refused.why(), &Why::Detached { model: "Sector" });
}

#[test]
fn records_are_ordered_by_the_attribute_of_a_field() {
    let attribute = |field| attribute_of_order(&FIRM, field).map_err(|error| error.to_string());
    assert_eq!(attribute("address.town"), Ok("Town"));
    assert_eq!(attribute("modified"), Ok("ModifiedOn"));
    assert_eq!(attribute("founded"), Ok("Founded"));
    assert_eq!(attribute("nmae"), Err("Firm has no field `nmae`".to_owned()));
    let refused = attribute("industry").unwrap_err();
    assert!(refused.contains("firms::table.order(firms::industry)"), "{refused}");
    for field in ["state", "sector", "id", "vip", "limit", "phone", "note"] {
        assert!(attribute(field).is_err(), "{field}");
    }
}

#[test]
fn a_date_means_the_day_that_people_see() {
    let day = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").map(Value::Date).unwrap();
    let summer = Condition::compare("founded", Comparison::Equal, day("2016-06-15"));
    let filter = summer.lower(&FIRM).unwrap();
    assert_eq!(filter, Filter::compare("Founded", Comparison::Equal, Literal::Date(736_130)));
    assert_eq!(filter.to_string(), "Founded eq 2016-06-15");
}
