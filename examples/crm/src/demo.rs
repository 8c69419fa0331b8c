//! A simulated CDMS with a few thousand records, so that one command shows the application. A service has the address of
//! its own CDMS instead.

use datahub_runtime::testing::Kit;
use datahub_runtime::testing::simulator::{Simulator, SimulatorClock};
use datahub_runtime::{Attributes, Instant, Reference, Value};
use fastrand::Rng;
use uuid::Uuid;

const SECTORS: [&str; 16] = [
    "Advanced engineering",
    "Aerospace",
    "Agriculture",
    "Automotive",
    "Chemicals",
    "Construction",
    "Creative industries",
    "Defence",
    "Education",
    "Energy",
    "Financial services",
    "Food and drink",
    "Healthcare",
    "Life sciences",
    "Software",
    "Textiles",
];
const TOWNS: [(&str, &str); 12] = [
    ("Aberdeen", "AB10"),
    ("Belfast", "BT1"),
    ("Birmingham", "B1"),
    ("Bristol", "BS1"),
    ("Cardiff", "CF10"),
    ("Edinburgh", "EH1"),
    ("Glasgow", "G1"),
    ("Leeds", "LS1"),
    ("London", "SE1"),
    ("Manchester", "M1"),
    ("Sheffield", "S1"),
    ("York", "YO1"),
];
const FIRST: [&str; 24] = [
    "Northern", "Atlas", "Beacon", "Bright", "Cedar", "Clear", "Crown", "Dale", "Eastgate", "Falcon", "Forth",
    "Granite", "Harbour", "Highland", "Juniper", "Kestrel", "Lantern", "Meridian", "Oak", "Pennine", "Quarry", "River",
    "Silver", "Wessex",
];
const SECOND: [&str; 20] = [
    "Analytics",
    "Bakery",
    "Bearings",
    "Biotech",
    "Ceramics",
    "Components",
    "Dairy",
    "Design",
    "Energy",
    "Foods",
    "Instruments",
    "Labs",
    "Logistics",
    "Marine",
    "Optics",
    "Pumps",
    "Robotics",
    "Systems",
    "Textiles",
    "Turbines",
];
const KINDS: [&str; 4] = ["Ltd", "plc", "LLP", "Group"];
const GIVEN: [&str; 20] = [
    "Ada", "Amir", "Beth", "Callum", "Chloe", "Dinesh", "Elin", "Fatima", "Grace", "Hamish", "Imogen", "Jack", "Kwame",
    "Leila", "Morag", "Nia", "Owen", "Priya", "Rhys", "Zoë",
];
const FAMILY: [&str; 20] = [
    "Ahmed",
    "Baker",
    "Campbell",
    "Davies",
    "Evans",
    "Fraser",
    "Griffiths",
    "Hughes",
    "Iqbal",
    "Jones",
    "Kaur",
    "Lewis",
    "Morgan",
    "Nwosu",
    "O’Brien",
    "Patel",
    "Reid",
    "Singh",
    "Taylor",
    "Walker",
];
const JOBS: [&str; 8] = [
    "Buyer",
    "Chief executive",
    "Engineer",
    "Export manager",
    "Finance director",
    "Founder",
    "Sales manager",
    "Secretary",
];

/// About how many months the records go back.
const MONTHS: i64 = 36;
const MONTH_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// A simulated CDMS that goes by the machine's clock, with an address for the hub's database.
pub fn cdms(organisations: usize, seed: u64) -> Kit {
    let kit = Kit::with(example_domain::METADATA, |cdms| cdms.clock(SimulatorClock::system()).control(true));
    fill(&kit.simulator, organisations, seed);
    kit
}

/// Fills CDMS with sectors, organisations and three times as many contacts, the same for each seed.
pub fn fill(cdms: &Simulator, organisations: usize, seed: u64) {
    let mut random = Rng::with_seed(seed);
    let now = cdms.clock().now_ms();
    let sectors = SECTORS.map(|name| {
        let id = Uuid::from_u128(random.u128(..));
        cdms.seed("optevia_sector", [("optevia_sectorId", Value::Guid(id)), ("optevia_name", Value::text(name))])
    });
    let ids: Vec<_> = (0..organisations).map(|_| organisation(cdms, &mut random, &sectors, now)).collect();
    for _ in 0..organisations * 3 {
        let Some(employer) = random.choice(&ids) else { return };
        contact(cdms, &mut random, *employer);
    }
}

/// One of several, for records.
fn one<T: Copy>(random: &mut Rng, of: &[T]) -> T {
    of[random.usize(..of.len())]
}

fn organisation(cdms: &Simulator, random: &mut Rng, sectors: &[Uuid], now: i64) -> Uuid {
    let name = format!("{} {} {}", one(random, &FIRST), one(random, &SECOND), one(random, &KINDS));
    let site = name.to_lowercase().replace(' ', "-");
    // More of them lately than long ago.
    let created = now - random.i64(1..MONTHS * MONTH_MS).min(random.i64(1..MONTHS * MONTH_MS));
    let (town, district) = one(random, &TOWNS);
    let mut attributes = Attributes::from([
        ("AccountId", Value::Guid(Uuid::from_u128(random.u128(..)))),
        ("Name", Value::text(name)),
        ("WebSiteURL", Value::text(format!("https://{site}.example"))),
        ("optevia_ukorganisation", Value::Boolean(random.u8(..10) > 0)),
        ("optevia_Address1", Value::text(format!("{} High Street", random.u8(1..200)))),
        ("optevia_TownCity", Value::text(town)),
        ("optevia_PostCode", Value::text(format!("{district} {}AA", random.u8(1..10)))),
        ("optevia_TelephoneNumber", Value::text(format!("020 7946 0{:03}", random.u16(..1000)))),
        ("CreatedOn", Value::Instant(Instant(created / 1_000 * 1_000))),
        ("ModifiedOn", Value::Instant(Instant(random.i64(created..now) / 1_000 * 1_000))),
    ]);
    if random.u8(..10) > 0 {
        attributes.insert("optevia_Sector", lookup("optevia_sector", one(random, sectors)));
    }
    if random.u8(..3) == 0 {
        attributes.insert("optevia_Alias", Value::text(one(random, &FIRST)));
    }
    cdms.seed("Account", attributes)
}

fn contact(cdms: &Simulator, random: &mut Rng, employer: Uuid) {
    let (given, family) = (one(random, &GIVEN), one(random, &FAMILY));
    let address = format!("{}.{}@example.com", given.to_lowercase(), family.to_lowercase());
    cdms.seed(
        "Contact",
        [
            ("ContactId", Value::Guid(Uuid::from_u128(random.u128(..)))),
            ("FirstName", Value::text(given)),
            ("LastName", Value::text(family)),
            ("JobTitle", Value::text(one(random, &JOBS))),
            ("EMailAddress1", Value::text(address)),
            ("ParentCustomerId", lookup("account", employer)),
            ("optevia_PrimaryContact", Value::Boolean(random.u8(..4) == 0)),
        ],
    );
}

fn lookup(logical_name: &'static str, id: Uuid) -> Value {
    Value::Lookup(Reference { logical_name: logical_name.into(), id })
}
