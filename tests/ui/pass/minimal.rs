//! The shortest model.

use datahub_runtime::prelude::*;

#[derive(Clone, CdmsSynced)]
#[cdms(mapping = "country.toml", table = "countries")]
struct Country {
    #[cdms(key)]
    id: Id<Country>,
    #[cdms("Name")]
    name: String,
}

#[test]
fn the_descriptor_says_what_the_contract_says() {
    let descriptor = Country::DESCRIPTOR;
    assert_eq!((descriptor.name, descriptor.table), ("Country", "countries"));
    let columns: Vec<_> = descriptor.columns.iter().map(|column| (column.name, column.nullable)).collect();
    assert_eq!(columns, [("id", false), ("name", false)]);
    let country = Country { id: Id::new(), name: "Utopia".to_owned() };
    assert_eq!((country.id(), country.name.as_str()), (country.id, "Utopia"));
}

#[test]
fn the_table_is_diesels_too() {
    use diesel::prelude::*;
    let query = countries::table.filter(countries::name.eq("Utopia")).select(Country::as_select());
    let text = diesel::debug_query::<diesel::sqlite::Sqlite, _>(&query).to_string();
    assert!(text.starts_with("SELECT `countries`.`id`, `countries`.`name` FROM `countries`"), "{text}");
}
