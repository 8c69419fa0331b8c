//! `$filter`: what it finds, and what it refuses.

use cdms_odata::{Instant, Reference, Value};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::scene::{ACCOUNT, Cdms, query};

const CONTACT: Uuid = Uuid::from_u128(0xc0);

/// Four accounts: 1 to 3 with values, 4 without any.
fn accounts(cdms: &Cdms) {
    let lookup = || Value::Lookup(Reference { logical_name: "contact".into(), id: CONTACT });
    let money = |text: &str| Value::Money(text.parse().unwrap());
    let rate = |text: &str| Value::Decimal(text.parse::<Decimal>().unwrap());
    for (id, values) in [
        (
            1_u128,
            vec![
                ("Name", Value::text("Café Ltd")),
                ("NumberOfEmployees", Value::Integer(5)),
                ("DoNotPhone", Value::Boolean(true)),
                ("ExchangeRate", rate("1.5")),
                ("Address1_Latitude", Value::Double(51.5)),
                ("optevia_LastVerified", Value::Instant(Instant(1_472_338_800_000))),
                ("IndustryCode", Value::Choice(7)),
                ("Revenue", money("5000000")),
                ("PrimaryContactId", lookup()),
                ("Address1_City", Value::text("100%_[a]")),
            ],
        ),
        (2, vec![("Name", Value::text("O'Neil & Sons")), ("NumberOfEmployees", Value::Integer(50))]),
        (3, vec![("Name", Value::text("cafe  ")), ("DoNotPhone", Value::Boolean(false)), ("ExchangeRate", rate("1"))]),
        (4, vec![("ExchangeRate", Value::Null)]),
    ] {
        let key = ("AccountId", Value::Guid(Uuid::from_u128(id)));
        cdms.simulator.seed("Account", values.into_iter().chain([key]).collect::<cdms_odata::Attributes>());
    }
}

/// The numbers of the accounts that a condition finds.
async fn found(cdms: &Cdms, condition: &str) -> Vec<u128> {
    let path = format!("AccountSet?$select=AccountId&{}", query(&[("$filter", condition)]));
    let rows = cdms.get(&path).await.results();
    rows.iter().map(|row| row["AccountId"].as_str().unwrap().parse::<Uuid>().unwrap().as_u128()).collect()
}

#[tokio::test]
async fn every_kind_of_value_is_compared() {
    let cdms = Cdms::start();
    accounts(&cdms);
    for (condition, ids) in [
        ("NumberOfEmployees eq 5", &[1][..]),
        ("NumberOfEmployees ge 5 and NumberOfEmployees lt 50", &[1]),
        ("NumberOfEmployees gt 5L", &[2]),
        ("NumberOfEmployees le 5.5", &[1]),
        ("ExchangeRate gt 1.2M", &[1]),
        ("ExchangeRate lt 1.2", &[2, 3]),
        ("Address1_Latitude lt 52", &[1]),
        ("Revenue/Value ge 5000000.0000M", &[1]),
        ("IndustryCode/Value eq 7", &[1]),
        ("DoNotPhone eq false", &[3]),
        ("optevia_LastVerified ge datetime'2016-08-27T23:00:00Z'", &[1]),
        ("optevia_LastVerified gt datetime'2016-08-27T23:00:00Z'", &[]),
        ("optevia_LastVerified lt datetime'2016-08-28'", &[1]),
        ("AccountId eq guid'00000000-0000-0000-0000-000000000002'", &[2]),
        ("PrimaryContactId/Id eq guid'000000C0-0000-0000-0000-000000000000'", &[]),
        ("PrimaryContactId/Id eq guid'00000000-0000-0000-0000-0000000000C0'", &[1]),
        ("VersionNumber eq null", &[1, 2, 3, 4]),
    ] {
        assert_eq!(found(&cdms, condition).await, ids, "{condition}");
    }
}

#[tokio::test]
async fn conditions_are_joined_and_negated() {
    let cdms = Cdms::start();
    accounts(&cdms);
    let keys = "AccountId eq guid'00000000-0000-0000-0000-000000000002'";
    for (condition, ids) in [
        ("NumberOfEmployees eq 5 or NumberOfEmployees eq 50", &[1, 2][..]),
        ("DoNotPhone eq true or DoNotPhone eq false and NumberOfEmployees eq 50", &[1]),
        ("(DoNotPhone eq true or NumberOfEmployees eq 50) and Name ne null", &[1, 2]),
        ("not (Name eq null)", &[1, 2, 3]),
        ("not (Name ne null or NumberOfEmployees eq 5)", &[4]),
        ("not startswith(Name,'caf')", &[2, 4]),
        (&format!("{keys} and Name ne null"), &[2]),
        (&format!("{keys} and AccountId eq guid'{ACCOUNT}'"), &[]),
        (&format!("{keys} or AccountId eq guid'{ACCOUNT}'"), &[2]),
        (&format!("{keys} or Name eq null"), &[2, 4]),
    ] {
        assert_eq!(found(&cdms, condition).await, ids, "{condition}");
    }
}

#[tokio::test]
async fn null_is_found_by_its_name_and_differs_from_every_value() {
    let cdms = Cdms::start();
    accounts(&cdms);
    for (condition, ids) in [
        ("NumberOfEmployees eq null", &[3, 4][..]),
        ("PrimaryContactId/Id ne null", &[1]),
        ("NumberOfEmployees ne 5", &[2, 3, 4]),
        ("not (NumberOfEmployees eq 5)", &[2, 3, 4]),
        ("NumberOfEmployees lt 1000", &[1, 2]),
        // The opposite of a comparison by size is another one.
        ("not (NumberOfEmployees lt 50)", &[2]),
        ("not substringof('x',Name)", &[1, 2, 3, 4]),
    ] {
        assert_eq!(found(&cdms, condition).await, ids, "{condition}");
    }
    let cdms = Cdms::with(|builder| builder.null_differs(false));
    accounts(&cdms);
    assert_eq!(found(&cdms, "NumberOfEmployees ne 5").await, [2]);
    assert_eq!(found(&cdms, "not substringof('x',Name)").await, [1, 2, 3]);
}

#[tokio::test]
async fn text_is_compared_without_case_accents_and_trailing_blanks() {
    let cdms = Cdms::start();
    accounts(&cdms);
    for (condition, ids) in [
        ("Name eq 'CAFÉ'", &[3][..]),
        ("Name eq 'cafe ltd'", &[1]),
        ("Name eq ' cafe'", &[]),
        ("Name gt 'cafe ltd'", &[2]),
        ("Name le 'cafe ltd'", &[1, 3]),
        ("substringof('FÉ',Name)", &[1, 3]),
        ("startswith(Name,'o''n')", &[2]),
        ("endswith(Name,'cafe')", &[]),
        ("endswith(Name,'cafe  ')", &[3]),
        ("Name eq ''", &[]),
        ("startswith(Name,'')", &[1, 2, 3]),
    ] {
        assert_eq!(found(&cdms, condition).await, ids, "{condition}");
    }
    let cdms = Cdms::with(|builder| builder.accents_count(true));
    accounts(&cdms);
    assert_eq!(found(&cdms, "startswith(Name,'caf\u{e9}')").await, [1]);
    assert_eq!(found(&cdms, "Name eq 'CAFE'").await, [3]);
}

#[tokio::test]
async fn signs_of_patterns_are_plain_text_or_by_the_switch_wildcards() {
    let found_in = async |cdms: &Cdms, part: &str| found(cdms, &format!("substringof('{part}',Address1_City)")).await;
    let cdms = Cdms::start();
    accounts(&cdms);
    for (part, ids) in [("%", &[1][..]), ("%_[a]", &[1]), ("1_0", &[]), ("[a]", &[1]), ("0%[", &[])] {
        assert_eq!(found_in(&cdms, part).await, ids, "{part}");
    }
    let cdms = Cdms::with(|builder| builder.like_has_wildcards(true));
    accounts(&cdms);
    for (part, ids) in [("%", &[1][..]), ("1_0", &[1]), ("[a]", &[1]), ("[b]", &[]), ("0%[", &[1])] {
        assert_eq!(found_in(&cdms, part).await, ids, "{part}");
    }
}

#[tokio::test]
async fn what_crm_2011_does_not_evaluate_is_refused() {
    let cdms = Cdms::start();
    accounts(&cdms);
    let incompatible = "incompatible with operand types";
    for (condition, text) in [
        ("NumberOfEmployees add 1 eq 2", "Arithmetic is not supported at position 18."),
        ("NumberOfEmployees eq -(2)", "Arithmetic"),
        ("tolower(Name) eq 'a'", "The function 'tolower' is not supported at position 0."),
        ("year(CreatedOn) eq 2011", "The function 'year' is not supported"),
        ("length(Name) gt 1", "The function 'length' is not supported"),
        ("substringof(Name,'x')", "No applicable function exists for 'substringof'"),
        ("startswith(Name)", "No applicable function"),
        ("startswith(NumberOfEmployees,'5')", "No applicable function"),
        ("NoSuch eq 1", "No property 'NoSuch' exists in type 'Microsoft.Crm.Sdk.Data.Services.Account' at position 0."),
        ("DoNotPhone eq true and name eq 'x'", "No property 'name' exists in type"),
        ("IndustryCode/Id eq 1", "No property 'Id' exists in type 'Microsoft.Crm.Sdk.Data.Services.OptionSetValue'"),
        ("Name/Value eq 'x'", "No property 'Value' exists in type 'Edm.String'"),
        ("IndustryCode eq 7", "types 'Microsoft.Crm.Sdk.Data.Services.OptionSetValue' and 'Edm.Int32' at position 13."),
        ("PrimaryContactId eq null", incompatible),
        ("NumberOfEmployees eq '5'", incompatible),
        ("Name eq 5", incompatible),
        ("DoNotPhone eq 1", incompatible),
        ("DoNotPhone gt false", incompatible),
        ("Name gt null", incompatible),
        ("Address1_Latitude eq 1.5M", incompatible),
        ("ModifiedOn ge '2011-11-14'", incompatible),
        (&format!("AccountId gt guid'{ACCOUNT}'"), incompatible),
        ("PrimaryContactId/Name eq 'x'", "It is not known that CRM 2011 supports 'PrimaryContactId/Name'"),
        ("'x' eq Name", "It is not known"),
        ("Name eq Address1_City", "It is not known"),
        ("DoNotPhone", "It is not known"),
        ("true", "It is not known"),
        ("not DoNotPhone eq true", "It is not known"),
        ("startswith(Name,'x') eq true", "It is not known"),
        ("NumberOfEmployees eq 5000000000", "Unrecognized 'Edm.Int32' literal '5000000000' in '21'."),
        ("AccountId eq guid'x'", "Unrecognized 'Edm.Guid' literal 'guid'x'' in '13'."),
        ("ModifiedOn eq datetime'2011-11-14T16:43:8Z'", "Unrecognized 'Edm.DateTime' literal"),
        ("ModifiedOn eq time'PT1H'", "Syntax error at position 14."),
        ("", "Syntax error at position 0."),
        ("Name eq", "Syntax error at position 7."),
        ("Name eq 'x", "Unterminated string literal at position 8."),
        ("Name == 'x'", "Syntax error at position 5."),
        ("Name EQ 'x'", "Syntax error at position 5."),
        ("(Name eq 'x'", "Syntax error at position 12."),
        (&"(".repeat(500), "Recursion limit reached"),
    ] {
        cdms.get(&format!("AccountSet?{}", query(&[("$filter", condition)]))).await.refused(400, "", text);
    }
}
