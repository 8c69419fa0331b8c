//! A project's source as the command line reads it, and as the derives do.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use datahub_derive::Derive;
use datahub_derive::project::{Package, Project};
use datahub_derive::tree::{Fault, Tree};
use datahub_model::diagnostic::HELP;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Item, Meta};
use tempfile::TempDir;

const METADATA: &str = r#"<Edmx><Schema Namespace="Ns"><EntityType Name="Account"><Key><PropertyRef Name="AccountId"/></Key>
<Property Name="AccountId" Type="Edm.Guid"/><Property Name="Name" Type="Edm.String"/><Property Name="IndustryCode" Type="Ns.OptionSetValue"/>
<Property Name="ModifiedOn" Type="Edm.DateTime"/><Property Name="CreatedOn" Type="Edm.DateTime"/><Property Name="ModifiedBy" Type="Ns.EntityReference"/></EntityType>
<EntityContainer><EntitySet Name="AccountSet" EntityType="Ns.Account"/></EntityContainer></Schema></Edmx>"#;

const CONTRACT: &str = "entity = 'Account'
[attributes]
Name = { kind = 'string', max-length = 160, required = true }
IndustryCode = { kind = 'choice', choices = { farming = 1, fine_arts = 2 } }
[groups.label]
text = 'Name'";

fn project(source: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("datahub.toml", "metadata = 'mappings/metadata.xml'");
    write("Cargo.toml", "[dependencies]\ndiesel = '2'");
    write("mappings/metadata.xml", METADATA);
    write("mappings/account.toml", CONTRACT);
    write("src/lib.rs", source);
    folder
}

fn read(source: &str) -> Tree {
    Tree::read(&Project::open(project(source).path()).unwrap()).unwrap()
}

#[test]
fn items_are_read_with_their_documentation_their_code_and_their_places() {
    let tree = read(
        "//! A crate.\n\npub mod firms {\n    /// A firm.\n    ///\n    /// In two paragraphs.\n    \
         #[derive(Clone, CdmsSynced)]\n    #[cdms(mapping = \"account.toml\", table = \"firms\")]\n    pub struct Firm {\n        \
         #[cdms(key)]\n        pub id: Id<Firm>,\n        /// What it is called.\n        \
         #[cdms(flatten = \"label\")]\n        pub label: Label,\n        #[cdms(\"IndustryCode\")]\n        pub r#trade: Option<Trade>,\n    }\n}\n\
         #[derive(datahub_runtime::CdmsFields)]\npub struct Label {\n    #[cdms(\"text\", default = \"é\")]\n    text: String,\n}\n\
         #[derive(CdmsChoice)]\n#[cdms(mapping = \"account.toml\", attribute = \"IndustryCode\")]\nenum Trade {\n    Farming,\n    \
         #[cdms(\"fine_arts\")]\n    Arts,\n    #[cdms(other)]\n    Other(i32),\n}\n\
         fn models() -> Models {\n    models![firms::Firm, Other]\n}\n\
         #[cfg(test)]\nmod tests {\n    #[derive(CdmsSynced)]\n    struct Faulty;\n}\n",
    );
    assert_eq!(tree.faults, []);
    let firm = tree.model("Firm").unwrap();
    assert_eq!((firm.written.docs.as_str(), firm.written.line), ("A firm.\n\nIn two paragraphs.", 4));
    assert_eq!((firm.written.file.as_str(), firm.contract.as_deref()), ("src/lib.rs", Some("account.toml")));
    let code = tree.code(&firm.written);
    assert!(code.starts_with("/// A firm.") && code.ends_with("pub r#trade: Option<Trade>,\n    }"), "{code}");
    let fields: Vec<_> = firm.fields.iter().map(|field| (field.written.name.as_str(), field.ty.as_str())).collect();
    assert_eq!(fields, [("id", "Id<Firm>"), ("label", "Label"), ("trade", "Option<Trade>")]);
    assert_eq!(firm.fields[1].written.docs, "What it is called.");
    assert_eq!(firm.mapping.columns.len(), 3);
    let member = &tree.groups[0].members[0];
    assert_eq!((member.key.as_str(), member.default.as_deref(), member.is_group), ("text", Some("\"é\""), false));
    let choice = &tree.choices[0];
    let variants: Vec<_> = choice
        .variants
        .iter()
        .map(|(field, name, number)| (field.written.name.as_str(), name.as_str(), *number))
        .collect();
    assert_eq!(variants, [("Farming", "farming", 1), ("Arts", "fine_arts", 2)]);
    assert_eq!((choice.rest.as_deref(), choice.attribute.as_str()), (Some("Other"), "IndustryCode"));
    let list: Vec<_> = tree.lists[0].models.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(list, ["Firm", "Other"]);
}

/// The words at fault, and the code.
fn found(tree: &Tree) -> Vec<(String, &'static str)> {
    let words = |fault: &Fault| tree.files[&fault.file][fault.range.clone()].to_owned();
    tree.faults.iter().map(|fault| (words(fault), fault.diagnostic.code.name())).collect()
}

#[test]
fn every_fault_is_on_its_word() {
    let tree = read(
        "\u{feff}// é\n#[derive(CdmsSynced)]\n#[cdms(mapping = \"account.toml\", tabel = \"firms\")]\nstruct Firm {\n    \
         #[cdms(key)]\n    id: Id<Firm>,\n    #[cdms(\"Nmae\")]\n    name: String,\n}\n",
    );
    let expected = [("tabel".to_owned(), "unknown-key"), ("\"Nmae\"".to_owned(), "unknown-attribute")];
    assert_eq!(found(&tree), expected);
    let place = &tree.faults[1].diagnostic.place;
    assert_eq!((place.line, place.column, place.text.as_str()), (7, 12, "    #[cdms(\"Nmae\")]"));
}

#[test]
fn a_file_that_is_not_rust_hides_no_other() {
    let folder = project("#[derive(CdmsSynced)]\nstruct {");
    fs::write(
        folder.path().join("src/other.rs"),
        "#[derive(CdmsSynced)] #[cdms(table = \"a\", mode = \"detached\")] struct A { #[cdms(key)] id: Id<A> }",
    )
    .unwrap();
    fs::write(folder.path().join("mappings/branch.toml"), "entity = 'Acount'").unwrap();
    fs::write(folder.path().join("mappings/latin.toml"), b"# \xe9\n").unwrap();
    let tree = Tree::read(&Project::open(folder.path()).unwrap()).unwrap();
    let faults: Vec<_> = tree.faults.iter().map(|fault| (fault.file.as_str(), fault.diagnostic.code.name())).collect();
    let expected = [
        ("mappings/branch.toml", "not-in-metadata"),
        ("mappings/latin.toml", "wrong-value"),
        ("src/lib.rs", "faulty-rust"),
    ];
    assert_eq!(faults, expected);
    assert!(tree.model("A").is_some() && tree.contract("account.toml").is_some());
}

/// Every message that the derives have for the items of a file, in their own words.
fn of_the_derives(file: &Path, package: &Package) -> BTreeSet<String> {
    let parsed = syn::parse_file(&fs::read_to_string(file).unwrap()).unwrap();
    let mut messages = BTreeSet::new();
    for item in &parsed.items {
        let (Item::Struct(syn::ItemStruct { attrs, .. }) | Item::Enum(syn::ItemEnum { attrs, .. })) = item else {
            continue;
        };
        let lists = attrs.iter().filter_map(|attribute| match &attribute.meta {
            Meta::List(list) if list.path.is_ident("derive") => Some(list.tokens.to_string()),
            _ => None,
        });
        let lists: String = lists.collect();
        for derive in Derive::ALL.into_iter().filter(|derive| lists.contains(derive.name())) {
            errors_in(derive.expand(item.to_token_stream(), package), &mut messages);
        }
    }
    messages
}

/// The messages of all `compile_error!` in an expansion.
fn errors_in(expansion: TokenStream, messages: &mut BTreeSet<String>) {
    let mut after = false;
    for token in expansion {
        match token {
            TokenTree::Ident(word) => after = word == "compile_error",
            TokenTree::Group(group) if after => {
                messages.extend(syn::parse2::<syn::LitStr>(group.stream()).map(|message| message.value()));
            }
            TokenTree::Group(group) => errors_in(group.stream(), messages),
            _ => {}
        }
    }
}

/// All files of Rust below a folder.
fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

/// What the derives and the command line report of the cases that must not compile: the same messages for each file.
#[test]
fn the_derives_and_the_tree_never_disagree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/ui").canonicalize().unwrap();
    let project = Project::open(&root).unwrap();
    let tree = Tree::read(&project).unwrap();
    let package = Package::at(&root).with_root(&root);
    let mut files = Vec::new();
    ["fail", "pass"].iter().for_each(|folder| rust_files(&root.join(folder), &mut files));
    let of_contracts: BTreeSet<_> = tree
        .faults
        .iter()
        .filter(|fault| fault.file.ends_with(".toml"))
        .map(|fault| fault.diagnostic.render(&fault.file))
        .collect();
    let mut faulty = 0;
    for file in &files {
        let shown = file.strip_prefix(&root).unwrap().to_str().unwrap();
        let (of_file, of_item): (BTreeSet<_>, BTreeSet<_>) =
            of_the_derives(file, &package).into_iter().partition(|message| message.contains("--> "));
        let of_tree: BTreeSet<_> =
            tree.faults.iter().filter(|fault| fault.file == shown).map(|fault| fault.diagnostic.text(None)).collect();
        assert_eq!(of_item, of_tree, "{shown}");
        assert!(of_file.is_subset(&of_contracts), "{shown}: {of_file:#?}\n{of_contracts:#?}");
        assert!(of_tree.iter().all(|message| message.contains(HELP)), "{shown}");
        faulty += usize::from(!of_item.is_empty());
    }
    assert!(files.len() >= 70 && faulty >= 30, "{} files, {faulty} with faults", files.len());
}

const SCHEMA: &str = "engine = 6
[tables.contacts]
model = 'Contact'
entity = 'Account'
columns = [
    { name = 'id', field = 'id', kind = 'guid', source = 'key' },
    { name = 'fax', field = 'fax', kind = 'string', attributes = ['Name'] },
]
";

/// The faults of a model with former names, beside a schema.
fn with_schema(table: &str, column: &str, schema: &str) -> Vec<String> {
    let faults = tree_with_schema(table, column, schema).faults;
    faults.into_iter().map(|fault| fault.diagnostic.text(None)).collect()
}

/// A model with former names, beside a schema.
fn tree_with_schema(table: &str, column: &str, schema: &str) -> Tree {
    let folder = project(&format!(
        "#[derive(CdmsSynced)]\n#[cdms(mapping = \"account.toml\", {table})]\nstruct Contact {{\n    #[cdms(key)]\n    \
         id: Id<Contact>,\n    #[cdms(\"Name\", {column})]\n    telefax: String,\n}}\n"
    ));
    fs::create_dir(folder.path().join("migrations")).unwrap();
    fs::write(folder.path().join("migrations/schema.toml"), schema).unwrap();
    Tree::read(&Project::open(folder.path()).unwrap()).unwrap()
}

#[test]
fn a_former_name_must_be_known_from_the_last_migration() {
    let contacts = "table = \"contacts\"";
    assert_eq!(with_schema(contacts, "was = \"fax\"", SCHEMA), [""; 0]);
    let unknown = with_schema(contacts, "was = \"fux\"", SCHEMA);
    assert_eq!(unknown.len(), 1, "{unknown:?}");
    assert!(unknown[0].contains("no column of table `contacts` was ever called `fux` in a migration"), "{unknown:?}");
    assert!(unknown[0].contains("did you mean `fax`?") && unknown[0].contains("[unknown-former-name]"), "{unknown:?}");
    assert_eq!(with_schema("table = \"clients\", was = \"contacts\"", "was = \"fax\"", SCHEMA), [""; 0]);
    let table = with_schema("table = \"clients\", was = \"contact\"", "was = \"fax\"", SCHEMA);
    assert!(table[0].contains("table `clients` was never called `contact` in a migration"), "{table:?}");
    assert_eq!(with_schema("table = \"people\"", "was = \"anything\"", SCHEMA), [""; 0], "not migrated yet");
}

#[test]
fn a_schema_that_cannot_be_read_is_a_fault() {
    let faults = tree_with_schema("table = \"contacts\"", "was = \"fax\"", &format!("<<<<<<< HEAD\n{SCHEMA}")).faults;
    assert_eq!(faults.len(), 1, "{faults:?}");
    let place = &faults[0].diagnostic.place;
    assert_eq!(
        (faults[0].file.as_str(), place.line, place.text.as_str()),
        ("migrations/schema.toml", 1, "<<<<<<< HEAD")
    );
    let faults: Vec<_> = faults.into_iter().map(|fault| fault.diagnostic.text(None)).collect();
    assert!(
        faults[0].contains("cannot read `migrations/schema.toml`: line 1 is a mark of an unfinished merge"),
        "{faults:?}"
    );
    assert!(faults[0].contains("datahub migrate rebase"), "{faults:?}");
}
