//! Two models of one entity in one hub, each with the records that satisfy its `only`.

use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use datahub_runtime::{EntryKind, Finding, Value, models};

use crate::METADATA;

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "suppliers", only = "Employees gt 0", diesel(table = false))]
struct Supplier {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("Employees")]
    employees: Option<i32>,
    #[cdms(local, sql_type = "string")]
    rating: Option<String>,
}

#[derive(Clone, Debug, PartialEq, CdmsSynced)]
#[cdms(mapping = "account.toml", table = "customers", only = "not (Employees gt 0)", diesel(table = false))]
struct Customer {
    #[cdms(key)]
    id: Id<Self>,
    #[cdms("Name")]
    name: String,
    #[cdms("Employees")]
    employees: Option<i32>,
    #[cdms("Town")]
    town: Option<String>,
}

async fn scene() -> (Kit, Hub) {
    let kit = Kit::new(METADATA);
    let hub = kit.hub(models![Supplier, Customer]).program("ada").connect().await.unwrap();
    (kit, hub)
}

fn kind<T>(result: Result<T, Error>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

#[tokio::test]
async fn a_record_moves_from_one_model_to_the_other_by_a_save() {
    let (_kit, hub) = scene().await;
    let new = Supplier { id: Id::new(), name: "Acme".into(), employees: Some(5), rating: Some("A".into()) };
    let mut supplier = Supplier::create(&hub, new).await.unwrap();
    let as_customer: Id<Customer> = supplier.id().guid().into();
    assert_eq!(kind(Customer::get(&hub, as_customer).await), Some(ErrorKind::NotFound), "it is the other's");

    supplier.employees = Some(0);
    supplier.save(&hub).await.unwrap();
    let left = Supplier::get(&hub, supplier.id()).await.unwrap_err();
    assert_eq!(left.kind(), ErrorKind::Gone);
    assert!(left.to_string().contains("no longer a Supplier"), "{left}");
    let history = Supplier::history(&hub, supplier.id()).await.unwrap();
    let kinds: Vec<_> = history.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [EntryKind::Created, EntryKind::Updated, EntryKind::LeftModel]);

    let mut customer = Customer::get(&hub, as_customer).await.unwrap();
    assert!(matches!(customer.checked(), Checked::At { found: Finding::First, .. }), "{:?}", customer.checked());
    assert_eq!((customer.name.as_str(), customer.employees, customer.town.as_deref()), ("Acme", Some(0), None));

    // And back, with what it had of its own here.
    customer.employees = Some(7);
    customer.town = Some("Leeds".into());
    customer.save(&hub).await.unwrap();
    assert_eq!(kind(Customer::get(&hub, as_customer).await), Some(ErrorKind::Gone));
    let again = Supplier::get(&hub, supplier.id()).await.unwrap();
    assert!(matches!(again.checked(), Checked::At { found: Finding::Revived, .. }), "{:?}", again.checked());
    assert_eq!((again.name.as_str(), again.employees), ("Acme", Some(7)));
}

#[tokio::test]
async fn a_record_that_people_move_is_found_by_either_model() {
    let (kit, hub) = scene().await;
    let id = kit.simulator.seed("Account", [("Name", Value::text("Acme")), ("Employees", Value::Integer(3))]);
    Supplier::get(&hub, id.into()).await.unwrap();
    kit.advance(std::time::Duration::from_secs(60));
    kit.simulator.edit("Account", id, [("Employees", Value::Null)]);
    assert_eq!(kind(Supplier::get(&hub, id.into()).await), Some(ErrorKind::Gone));
    assert_eq!(Customer::get(&hub, id.into()).await.unwrap().employees, None);
    assert_eq!(kit.rows_of("suppliers").len() + kit.rows_of("customers").len(), 1, "one row of one record");
}

#[tokio::test]
async fn each_model_pulls_its_own_records() {
    let (kit, hub) = scene().await;
    for employees in [0, 1, 2] {
        kit.simulator.seed("Account", [("Name", Value::text("Acme")), ("Employees", Value::Integer(employees))]);
    }
    let (suppliers, customers) = (hub.pull::<Supplier>().await.unwrap(), hub.pull::<Customer>().await.unwrap());
    // A first load asks for the records of the model alone, if CDMS means the same by its condition.
    assert_eq!((suppliers.first_seen, suppliers.not_of_model), (2, 0));
    assert_eq!((customers.first_seen, customers.not_of_model), (1, 2));
    assert_eq!((kit.rows_of("suppliers").len(), kit.rows_of("customers").len()), (2, 1));
    // A list finds the same, also where CDMS would understand the condition differently.
    kit.simulator.seed("Account", [("Name", Value::text("Acme"))]);
    let customers = || Customer::find(&hub);
    let found = customers().load().await.unwrap();
    assert_eq!(
        (
            found.records.len(),
            customers().count().await.unwrap(),
            customers().limit(1).load().await.unwrap().records.len()
        ),
        (2, 2, 1)
    );
    assert_eq!(
        (Supplier::find(&hub).load().await.unwrap().not_of_model, Supplier::find(&hub).count().await.unwrap()),
        (0, 2)
    );
}

#[tokio::test]
async fn a_write_of_one_model_keeps_the_other_from_writing_the_record() {
    use datahub_runtime::testing::simulator::{Fault, FaultRule, Operation};
    let (kit, hub) = scene().await;
    let id = kit.simulator.seed("Account", [("Name", Value::text("Acme")), ("Employees", Value::Integer(3))]);
    let mut supplier = Supplier::get(&hub, id.into()).await.unwrap();
    supplier.employees = Some(0);
    kit.simulator.fault(FaultRule::new(Fault::DropAfterCommit).on(Operation::Update).times(1));
    assert_eq!(kind(supplier.save(&hub).await), Some(ErrorKind::Unsettled));
    // CDMS has it as a customer, but what the write came to is not known yet.
    assert_eq!(kind(Customer::get(&hub, id.into()).await), Some(ErrorKind::Unsettled));
    kit.advance(std::time::Duration::from_secs(3600));
    assert_eq!(hub.settle().await.unwrap().settled.len(), 1);
    Customer::get(&hub, id.into()).await.unwrap();
}
