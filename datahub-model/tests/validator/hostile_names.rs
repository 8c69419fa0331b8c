//! Names that an attacker put into a contract or a struct to change an address or a statement: none passes.

use datahub_model::source::{Contract, cdms_name_fault, column_fault, name_fault};

/// Texts that would be more than a name in an address, a query, a statement, a path or on a terminal.
const HOSTILE: [&str; 24] = [
    "",
    " ",
    "Name\"; DROP TABLE accounts; --",
    "Name'; DELETE FROM datahub_history; --",
    "Name`",
    "[Name]",
    "Name--",
    "Name/*",
    "Name;",
    "Name,Password",
    "Name&$filter=true",
    "Name%27",
    "Name?x=1",
    "Name#x",
    "../../api/other",
    "/etc/passwd",
    r"..\..\x",
    "https://evil.example/x",
    "Name\nX-Evil: 1",
    "Name\0",
    "Name\u{1b}[2J",
    "Na\u{202e}me",
    "Nаme",
    "1Name",
];

/// A text as TOML.
fn quoted(text: &str) -> String {
    let escaped: String = text.chars().map(|letter| format!("\\U{:08X}", u32::from(letter))).collect();
    format!("\"{escaped}\"")
}

#[test]
fn a_contract_has_only_names_that_cdms_gives() {
    let long = "x".repeat(129);
    for name in HOSTILE.into_iter().chain([long.as_str()]) {
        assert!(cdms_name_fault(name).is_some(), "{name:?}");
        let stated = quoted(name);
        let keys = ["set", "key", "logical", "modified", "created", "modified-by"];
        let mut contracts = vec![
            format!("entity = {stated}"),
            format!("entity = 'Account'\n[attributes]\n{stated} = {{ kind = 'string' }}"),
            format!("entity = 'Account'\n[attributes]\nOwner = {{ kind = 'lookup', target = {stated} }}"),
            format!("entity = 'Account'\n[attributes]\nOwner = {{ kind = 'lookup', target = ['x', {stated}] }}"),
            format!("entity = 'A'\n[attributes]\nO = {{ kind = 'lookup', target = 'x', navigation = {stated} }}"),
            format!(
                "entity = 'A'\n[attributes]\nO = {{ kind = 'lookup', target = ['x', 'y'], navigation = {{ x = {stated} }} }}"
            ),
        ];
        contracts.extend(keys.map(|key| format!("entity = 'Account'\n{key} = {stated}")));
        for text in contracts {
            let (contract, faults) = Contract::parse(&text).into_parts();
            assert!(!faults.is_empty(), "{text}");
            let told: String = faults.iter().map(|fault| fault.render("contract.toml")).collect();
            let moves = |letter: char| letter.is_control() && letter != '\n';
            assert!(!told.contains(moves) && !told.contains('\u{202e}'), "{told:?}");
            let Some(contract) = contract else { continue };
            let mut names = vec![&contract.entity, &contract.set, &contract.key, &contract.logical];
            names.extend([&contract.modified, &contract.created, &contract.modified_by]);
            for attribute in &contract.attributes {
                names.push(&attribute.name);
                names.extend(&attribute.targets);
                names.extend(attribute.navigations.iter().map(|(_, navigation)| navigation));
            }
            assert!(names.iter().all(|known| cdms_name_fault(known).is_none()), "{names:?}");
        }
    }
}

#[test]
fn a_name_that_would_need_quotes_is_of_no_table_and_no_column() {
    let long = "x".repeat(64);
    let words = ["select", "drop", "user", "table", "rowid", "datahub_records", "sqlite_master", "Name", "__"];
    for name in HOSTILE.into_iter().chain(words).chain([long.as_str()]) {
        assert!(name_fault(name).is_some() && column_fault(name, "contacts").is_some(), "{name:?}");
        // Whatever follows a good beginning.
        assert!(name_fault(&format!("name{name}x")).is_some() || is_plain(name), "{name:?}");
    }
    assert_eq!(column_fault("contacts", "contacts").as_deref().map(|fault| fault.contains("its table")), Some(true));
    assert_eq!(name_fault(&"x".repeat(63)), None);
}

fn is_plain(name: &str) -> bool {
    name.bytes().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_')
}
