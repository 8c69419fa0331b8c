//! Organisations as real ones are, in a simulated CDMS: most attributes have a value.

use datahub_runtime::Value;
use datahub_runtime::testing::Kit;
use uuid::Uuid;

/// The attributes of an organisation; its texts contain its number.
pub(crate) fn attributes(number: u64) -> [(&'static str, Value); 15] {
    let text = |what: &str| Value::text(format!("{what} {number}"));
    [
        ("Name", text("Firm")),
        ("optevia_Alias", text("Alias")),
        ("optevia_CompaniesHouseNumber", Value::text(format!("{number:08}"))),
        ("Description", text("A company that does business with government, since the year")),
        ("WebSiteURL", Value::text(format!("https://firm-{number}.example"))),
        ("optevia_ukorganisation", Value::Boolean(number.is_multiple_of(2))),
        ("optevia_Address1", text("High Street")),
        ("optevia_TownCity", Value::text("Leeds")),
        ("optevia_PostCode", Value::text("LS1 1AA")),
        ("optevia_CountryCode", Value::text("+44")),
        ("optevia_AreaCode", Value::text("113")),
        ("optevia_TelephoneNumber", Value::text(format!("{number:07}"))),
        ("EMailAddress1", Value::text(format!("office@firm-{number}.example"))),
        ("CreditLimit", Value::Money(number.into())),
        ("Address1_Latitude", Value::Double(53.75)),
    ]
}

/// Adds an organisation.
pub(crate) fn seed(kit: &Kit, number: u64) -> Uuid {
    kit.simulator.seed("Account", attributes(number))
}
