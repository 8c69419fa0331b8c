//! Any text as the query of a list, by the simulator: it is refused with a reason, or its pages are the same list however long
//! they are.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use cdms_odata::metadata::Metadata;
use cdms_odata::{Attributes, Instant, Reference, Value};
use cdms_simulator::pages;
use uuid::Uuid;

/// An account has a property of every type, a contact and contacts.
const SCHEMA: &str = r#"<Schema Namespace="N">
<EntityType Name="Account"><Key><PropertyRef Name="Id"/></Key>
<Property Name="Id" Type="Edm.Guid"/><Property Name="Name" Type="Edm.String"/><Property Name="City" Type="Edm.String"/>
<Property Name="Count" Type="Edm.Int32"/><Property Name="Views" Type="Edm.Int64"/><Property Name="Rate" Type="Edm.Decimal"/>
<Property Name="Ratio" Type="Edm.Double"/><Property Name="Open" Type="Edm.Boolean"/>
<Property Name="ModifiedOn" Type="Edm.DateTime"/><Property Name="Since" Type="Edm.DateTime"/>
<Property Name="Contact" Type="N.EntityReference"/><Property Name="Kind" Type="N.OptionSetValue"/>
<Property Name="Revenue" Type="N.Money"/><Property Name="Managed" Type="N.BooleanManagedProperty"/>
<NavigationProperty Name="account_contact" Relationship="N.account_contact" FromRole="a" ToRole="b"/>
<NavigationProperty Name="children" Relationship="N.account_parent" FromRole="b" ToRole="a"/></EntityType>
<EntityType Name="Contact"><Key><PropertyRef Name="ContactId"/></Key>
<Property Name="ContactId" Type="Edm.Guid"/><Property Name="Parent" Type="N.EntityReference"/></EntityType>
<Association Name="account_contact"><End Role="a" Type="N.Account" Multiplicity="*"/>
<End Role="b" Type="N.Contact" Multiplicity="0..1"/></Association>
<Association Name="account_parent"><End Role="a" Type="N.Contact" Multiplicity="*"/>
<End Role="b" Type="N.Account" Multiplicity="0..1"/></Association>
<EntityContainer Name="C"><EntitySet Name="AccountSet" EntityType="N.Account"/>
<EntitySet Name="ContactSet" EntityType="N.Contact"/></EntityContainer></Schema>"#;

/// Texts that are equal, or nearly, and such as have a meaning in queries.
const TEXTS: [&str; 8] = ["", "Café", "cafe  ", "it's, 'so'", "100%_[a]", "a&b=c+d", "\u{1}\n", "😀"];

static METADATA: LazyLock<Metadata> =
    LazyLock::new(|| Metadata::parse(SCHEMA).unwrap_or_else(|error| panic!("{error}")));

/// Asks for a list in long and in short pages.
pub fn run(data: &[u8]) {
    let Ok(query) = std::str::from_utf8(data) else { return };
    let asked = |size| pages(&METADATA, "AccountSet", query, records(), size);
    let (long, short) = match (asked(1000), asked(3)) {
        (Ok(long), Ok(short)) => (long, short),
        (Err(long), Err(short)) => {
            assert!(!long.is_empty() && long == short, "{query:?}: {long:?}, {short:?}");
            return;
        }
        other => panic!("{query:?}: {other:?}"),
    };
    assert_eq!(long.concat(), short.concat(), "{query:?}");
    let ids: BTreeSet<_> = long.iter().flatten().collect();
    assert_eq!(ids.len(), long.concat().len(), "{query:?} shows a record twice");
    let (_, full) = short.split_last().expect("there is a page");
    assert!(full.iter().all(|page| page.len() == 3), "{query:?}: {short:?}");
}

/// Twelve records, the last one without any values.
fn records() -> impl Iterator<Item = Attributes> {
    (0..12_i32).map(|number| {
        let id = Uuid::from_u128(0x1000 - number.unsigned_abs() as u128);
        let key = ("Id", Value::Guid(id));
        if number == 11 {
            return Attributes::from([key, ("ModifiedOn", Value::Null)]);
        }
        let text = |at: i32| Value::text(TEXTS[at.unsigned_abs() as usize % TEXTS.len()]);
        let decimal = |mantissa: i32| rust_decimal::Decimal::new(mantissa.into(), 1);
        let contact = Reference { logical_name: "contact".into(), id: Uuid::from_u128(7) };
        Attributes::from([
            key,
            ("Name", text(number)),
            ("City", text(number / 2)),
            ("Count", Value::Integer(number % 3 - 1)),
            ("Views", Value::BigInt(i64::MAX - i64::from(number % 2))),
            ("Rate", Value::Decimal(decimal(number % 4))),
            ("Ratio", Value::Double(f64::from(number % 5) / 3.0 - 0.5)),
            ("Open", Value::Boolean(number % 2 == 0)),
            ("ModifiedOn", Value::Instant(Instant(i64::from(number % 4) * 1000))),
            ("Since", Value::Instant(Instant(-i64::from(number) * 86_400_000))),
            ("Contact", Value::Lookup(contact)),
            ("Kind", Value::Choice(number % 3)),
            ("Revenue", Value::Money(decimal(number * 100))),
            ("Managed", Value::Boolean(true)),
        ])
    })
}
