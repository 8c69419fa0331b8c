//! A model as a whole: its table, mode and key, and what its fields must keep to together.

use datahub_model::diagnostic::Code;
use datahub_model::source::Mapping;
use datahub_model::{Mode, Write};

use crate::row::{Row, accepted, faulty};

const ACCOUNT: &str = r#"
entity = "Account"

[attributes]
Name = { kind = "string", required = true }
Alias = { kind = "string" }
Street = { kind = "string" }
Town = { kind = "string" }
Override = { kind = "boolean", required = true }
StateCode = { kind = "state", required = true }

[groups.address]
street = "Street"
town = "Town"

[constants]
Override = true
"#;

fn attributes(mapping: &Mapping) -> Vec<&str> {
    mapping.attributes.iter().map(|attribute| attribute.name.as_str()).collect()
}

/// A contract of this many attributes, and a model that maps them all.
fn wide(count: usize) -> (String, &'static str) {
    let attributes: String = (0..count).map(|at| format!("A{at} = {{ kind = 'string' }}\n")).collect();
    let fields: String = (0..count).map(|at| format!("a{at}?: \"A{at}\"\n")).collect();
    // Rows live as long as the test.
    (format!("entity = 'A'\n[attributes]\n{attributes}"), format!("M table=m\n id: key\n{fields}").leak())
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = whole();
    rows.extend(tables_and_columns());
    rows.extend(twice());
    rows.extend(creates());
    rows
}

fn whole() -> Vec<Row> {
    use Code::{MissingKey, NoKey, TwoKeys, UnknownAttribute, WrongValue};
    vec![
        accepted("a model that is written", ACCOUNT, "M table=m\n id: key\n name: \"Name\"", |mapping| {
            assert_eq!((mapping.mode, &*mapping.name, &*mapping.table), (Mode::Sync, "M", "m"));
            assert_eq!(mapping.constants.len(), 1);
            assert_eq!(attributes(mapping), ["Name", "Override"], "what is mapped, and what a constant is written to");
        }),
        accepted("the usual mode by name", ACCOUNT, "M table=m mode=sync\n id: key\n name: \"Name\"", |mapping| {
            assert_eq!(mapping.mode, Mode::Sync);
        }),
        accepted(
            "a mirror sends nothing",
            ACCOUNT,
            "M table=m mode=mirror\n id: key\n state: \"StateCode\"\n alias?: \"Alias\" create_only",
            |mapping| {
                assert_eq!(mapping.mode, Mode::Mirror);
                assert!(mapping.constants.is_empty());
                assert_eq!(attributes(mapping), ["Alias", "StateCode"]);
                let writes = mapping.columns.iter().map(|column| match &column.source {
                    datahub_model::source::ResolvedSource::Attribute { write, .. } => *write,
                    _ => Write::Never,
                });
                assert!(writes.into_iter().all(|write| write == Write::Never));
            },
        ),
        accepted(
            "a condition's attributes are read too",
            ACCOUNT,
            "M table=m mode=mirror only=\"Alias ne null\"\n id: key",
            |mapping| {
                assert_eq!(attributes(mapping), ["Alias"]);
                assert!(mapping.only.is_some());
            },
        ),
        accepted(
            "attributes in the order of names",
            ACCOUNT,
            "M table=m mode=mirror\n id: key\n t?: \"Town\"\n n: \"Name\"\n a?: \"Alias\"",
            |mapping| {
                assert_eq!(attributes(mapping), ["Alias", "Name", "Town"]);
            },
        ),
        faulty("no key", ACCOUNT, "M table=m\n name: \"Name\"", &[(NoKey, "M", "add `#[cdms(key)] pub id: Id<M>`")]),
        faulty(
            "three keys",
            ACCOUNT,
            "M table=m mode=mirror\n a: key\n b: key\n c: key",
            &[
                (TwoKeys, "b.key", "remove `key` here; a record has one id"),
                (TwoKeys, "c.key", "`M` has more than one key"),
            ],
        ),
        faulty(
            "no table",
            ACCOUNT,
            "M mode=mirror\n id: key",
            &[(MissingKey, "M", "add `table = \"…\"` to its #[cdms(…)]")],
        ),
        faulty(
            "a misspelt mode",
            ACCOUNT,
            "M table=m mode=miror\n id: key\n name: \"Name\"",
            &[(WrongValue, "mode", "did you mean `mirror`?")],
        ),
        faulty(
            "all faults of a struct at once",
            ACCOUNT,
            "M table=M mode=synk only=\"Nmae eq 'a'\"\n name: \"Name\"\n a: \"Alias\"\n b: \"Alis\"\n c: \"Name\" column=\"name\"\n d?: local\n e: \"StateCode\"\n f?: \"Town\" prefix=\"x\"",
            &[
                (WrongValue, "mode", "did you mean `sync`?"),
                (Code::ColumnName, "table", "`M`"),
                (Code::OnlyDoesNotParse, "only", "did you mean `Name`?"),
                (Code::Nullability, "a:type", "`Alias`"),
                (UnknownAttribute, "b.attribute", "did you mean `Alias`?"),
                (MissingKey, "d", "`d`"),
                (Code::ReadOnly, "e", "`StateCode`"),
                (Code::KeysExclude, "f.prefix", "`prefix`"),
                (NoKey, "M", ""),
                (Code::MappedTwice, "c.attribute", "`Name` is already mapped to `name`"),
                (Code::ColumnClash, "c.column", "`c` and `name` have the same column, `name`"),
            ],
        ),
        faulty(
            "all faults of a field at once",
            ACCOUNT,
            "M table=m mode=mirror\n id: key column=\"Id\" prefix=\"x\"\n a: \"Nmae\" with=\"m\" prefix=\"x\"\n b?: local default=1 column=\"id\"",
            &[
                (Code::KeysExclude, "id.prefix", "`prefix`"),
                (Code::KeysExclude, "a.prefix", "`prefix`"),
                (UnknownAttribute, "a.attribute", "did you mean `Name`?"),
                (MissingKey, "a", "`a` is missing `sql_type`"),
                (Code::KeysExclude, "b.default", "`default` is not allowed on an `Option`, which has `None` for null"),
                (MissingKey, "b", "`b` is missing `sql_type`"),
                (Code::ColumnName, "id.column", "`Id`"),
            ],
        ),
        faulty(
            "a misspelt mode is taken for the one that is meant",
            ACCOUNT,
            "M table=m mode=miror\n id: key\n state: \"StateCode\"",
            &[(WrongValue, "mode", "did you mean `mirror`?")],
        ),
        faulty(
            "what is wrong with a field's keys makes nothing else wrong",
            ACCOUNT,
            "M table=m\n id: key \"AccountId\"\n name: \"Name\" read_only create_only\n b: \"Nmae\" column=\"type\"\n c?: \"Alis\" column=\"name\"",
            &[
                (Code::KeysExclude, "id.attribute", "`id` cannot have both `key` and an attribute"),
                (Code::KeysExclude, "name.create_only", "remove one of the two"),
                (UnknownAttribute, "b.attribute", "did you mean `Name`?"),
                (UnknownAttribute, "c.attribute", "did you mean `Alias`?"),
                (Code::ColumnName, "b.column", "`type`"),
                (Code::ColumnClash, "c.column", "`c` and `name` have the same column, `name`"),
            ],
        ),
        faulty(
            "an unknown mode has no further faults",
            ACCOUNT,
            "M table=m mode=twoway\n id: key\n state: \"StateCode\"",
            &[(WrongValue, "mode", "one of: sync, mirror, detached")],
        ),
    ]
}

fn tables_and_columns() -> Vec<Row> {
    use Code::{ColumnClash, ColumnName, TooManyColumns};
    let (fits, fitting) = wide(63);
    let (much, too_many) = wide(64);
    let (most, too_most) = wide(128);
    let without_table: &'static str = too_many.replacen("table=m", "table=m no_table", 1).leak();
    vec![
        accepted(
            "names with digits and underscores",
            ACCOUNT,
            "M table=_m_2 mode=mirror\n id: key column=\"id2_\"",
            |mapping| {
                assert_eq!((&*mapping.table, &*mapping.columns[0].name), ("_m_2", "id2_"));
            },
        ),
        accepted(
            "a name of 63 bytes",
            ACCOUNT,
            "M table=m mode=mirror\n id: key column=\"a23456789012345678901234567890123456789012345678901234567890123\"",
            |_| {},
        ),
        accepted(
            "names that only Diesel's table could not have, without it",
            ACCOUNT,
            "M table=m mode=mirror no_table\n id: key column=\"m\"\n a?: \"Alias\" column=\"columns\"",
            |_| {},
        ),
        faulty(
            "names that Diesel's table has itself",
            ACCOUNT,
            "M table=m mode=mirror\n id: key column=\"m\"\n columns?: \"Alias\"\n star?: \"Town\"\n dsl?: \"Street\"\n \
             a?: local sql_type=\"string\" column=\"all_columns\"\n str?: local sql_type=\"string\"\n \
             bool?: local sql_type=\"string\"\n diesel?: local sql_type=\"string\"",
            &[
                (
                    ColumnName,
                    "id.column",
                    "invalid column name `m`: it is also the name of its table, and Diesel puts both into one module",
                ),
                (
                    ColumnName,
                    "columns",
                    "invalid column name `columns`: it is a name that Diesel defines in every table",
                ),
                (ColumnName, "star", "`star`"),
                (ColumnName, "dsl", "`dsl`"),
                (ColumnName, "a.column", "`all_columns`"),
                (ColumnName, "str", "`str`"),
                (ColumnName, "bool", "`bool`"),
                (ColumnName, "diesel", "`diesel`"),
            ],
        ),
        faulty(
            "words that one of the databases keeps for itself",
            ACCOUNT,
            "M table=m mode=mirror\n id: key column=\"add\"\n nothing?: \"Alias\"\n system_user?: \"Town\"",
            &[
                (ColumnName, "id.column", "invalid column name `add`: it is a reserved word of SQL or Rust"),
                (ColumnName, "nothing", "`nothing`"),
                (ColumnName, "system_user", "`system_user`"),
            ],
        ),
        accepted("as many columns as Diesel takes", fits, fitting, |mapping| assert_eq!(mapping.columns.len(), 64)),
        faulty("one column more", &much, too_many, &[(TooManyColumns, "M", "enable `128-column-tables` of diesel")]),
        accepted("one column more, without Diesel's table", much, without_table, |mapping| {
            assert_eq!(mapping.columns.len(), 65);
        }),
        faulty(
            "more columns than Diesel ever has",
            most,
            too_most,
            &[(TooManyColumns, "M", "`M` has 129 columns, more than Diesel's 64")],
        ),
        accepted(
            "a detached model",
            ACCOUNT,
            "M table=m mode=detached\n id: key\n state: \"StateCode\"\n who?: modified_by\n alias?: \"Alias\" read_only",
            |mapping| {
                assert_eq!((mapping.mode, mapping.constants.len()), (Mode::Detached, 0));
                let writes = mapping.columns.iter().filter_map(|column| match &column.source {
                    datahub_model::source::ResolvedSource::Attribute { write, .. } => Some(*write),
                    _ => None,
                });
                assert_eq!(writes.collect::<Vec<_>>(), [Write::Always, Write::Never]);
            },
        ),
        faulty(
            "a user in a detached model",
            ACCOUNT,
            "M table=m mode=detached\n id: key\n who: modified_by",
            &[(Code::Nullability, "who:type", "a record that is not in CDMS has no user for `who`")],
        ),
        accepted(
            "a user in a model that is in sync",
            ACCOUNT,
            "M table=m mode=mirror\n id: key\n who: modified_by",
            |_| {},
        ),
        accepted("a time of the hub's own", ACCOUNT, "M table=m mode=detached\n id: key\n at: modified", |_| {}),
        accepted(
            "a model that Diesel inserts and changes",
            ACCOUNT,
            "M table=m insertable changeset\n id: key\n n?: \"Name\"",
            |_| {},
        ),
        accepted("a key that Diesel inserts", ACCOUNT, "M table=m mode=mirror insertable\n id: key", |_| {}),
        faulty(
            "a key that Diesel would change",
            ACCOUNT,
            "M table=m mode=mirror changeset\n id: key",
            &[(Code::KeysExclude, "changeset", "remove `changeset`")],
        ),
        faulty(
            "Diesel's writing without its table",
            ACCOUNT,
            "M table=m mode=mirror no_table insertable changeset\n id: key",
            &[
                (
                    Code::KeysExclude,
                    "insertable",
                    "`insertable` requires Diesel's table, which `table = false` leaves out",
                ),
                (
                    Code::KeysExclude,
                    "changeset",
                    "`changeset` requires Diesel's table, which `table = false` leaves out",
                ),
            ],
        ),
        accepted(
            "columns that had other names",
            ACCOUNT,
            "M table=m\n id: key was=\"key\"\n n?: \"Name\" column=\"title\" was=\"name\"",
            |mapping| {
                let was: Vec<_> = mapping.columns.iter().map(|column| column.was.as_deref()).collect();
                assert_eq!(was, [Some("key"), Some("name")]);
            },
        ),
        faulty(
            "an invalid former name of a table",
            ACCOUNT,
            "M table=m was=\"Old\" mode=mirror\n id: key",
            &[(ColumnName, "was", "write the name that the table had in the database")],
        ),
        faulty(
            "a former name of a table that it still has",
            ACCOUNT,
            "M table=m was=\"m\" mode=mirror\n id: key",
            &[(ColumnClash, "was", "`m` in `was` is still the table's name")],
        ),
        accepted("a renamed table", ACCOUNT, "M table=m was=\"old\" mode=mirror\n id: key", |mapping| {
            assert_eq!(mapping.was.as_deref(), Some("old"));
        }),
        faulty(
            "invalid former names",
            ACCOUNT,
            "M table=m mode=mirror\n id: key was=\"Id\"\n n?: \"Name\" was=\"id\"\n a?: \"Alias\" was=\"short\"\n \
             v?: \"StateCode\" was=\"short\"\n g: flatten=\"address\" was=\"home\"",
            &[
                (Code::KeysExclude, "g.was", "`was` is only allowed on fields with one column"),
                (ColumnName, "id.was", "write the name that the column had in the database"),
                (ColumnClash, "n.was", "`id` in `was` is still the column of `id`"),
                (Code::MappedTwice, "v.was", "`short` is already the former column of `a`"),
            ],
        ),
        faulty(
            "a name of 64 bytes",
            ACCOUNT,
            "M table=m mode=mirror\n id: key column=\"a234567890123456789012345678901234567890123456789012345678901234\"",
            &[(
                ColumnName,
                "id.column",
                "invalid column name `a234567890123456789012345678901234567890123456789012345678901234`: it has 64 bytes, more than PostgreSQL's 63",
            )],
        ),
        faulty(
            "names that need quotes",
            ACCOUNT,
            "M table=My mode=mirror\n id: key column=\"the id\"\n a?: \"Alias\" column=\"\"\n b?: local sql_type=\"string\" column=\"größe\"\n c?: local sql_type=\"string\" column=\"2nd\"\n d?: local sql_type=\"string\" column=\"__\"",
            &[
                (
                    ColumnName,
                    "table",
                    "invalid table name `My`: it must consist of lowercase letters, digits and underscores, and not begin with a digit",
                ),
                (ColumnName, "id.column", "choose another name with `column = \"…\"`, or `prefix = \"…\"` for a group"),
                (ColumnName, "a.column", "choose another name with `column = \"…\"`, or `prefix = \"…\"` for a group"),
                (ColumnName, "b.column", "lowercase letters, digits and underscores"),
                (ColumnName, "c.column", ""),
                (ColumnName, "d.column", "invalid column name `__`: it consists of underscores only"),
            ],
        ),
        faulty(
            "reserved words",
            ACCOUNT,
            "M table=order mode=mirror\n id: key\n user?: \"Alias\"\n r#return?: \"Town\"\n a?: \"Street\" column=\"true\"",
            &[
                (ColumnName, "table", "is a reserved word of SQL or Rust"),
                (ColumnName, "user", "`user`"),
                (ColumnName, "r#return", "`return`"),
                (ColumnName, "a.column", "`true`"),
            ],
        ),
        faulty(
            "prefixes that belong to others",
            ACCOUNT,
            "M table=datahub_m mode=mirror\n id: key column=\"sqlite_id\"",
            &[
                (ColumnName, "table", "choose another name"),
                (ColumnName, "id.column", "choose another name with `column = \"…\"`, or `prefix = \"…\"` for a group"),
            ],
        ),
        faulty(
            "two fields of one column",
            ACCOUNT,
            "M table=m mode=mirror\n id: key\n a?: \"Alias\" column=\"b\"\n b?: \"Town\"",
            &[(ColumnClash, "b", "`b` and `a` have the same column, `b`")],
        ),
        faulty(
            "a member and a field of one column",
            ACCOUNT,
            "M table=m mode=mirror\n id: key\n home_town?: \"Alias\"\n home: flatten=\"address\"",
            &[(ColumnClash, "home", "`home.town` and `home_town` have the same column, `home_town`")],
        ),
        faulty(
            "a member with a name that cannot be",
            ACCOUNT,
            "M table=m mode=mirror\n id: key\n home: flatten=\"address\" prefix=\"Home\"",
            &[(ColumnName, "home", "`Homestreet`"), (ColumnName, "home", "`prefix = \"…\"` for a group")],
        ),
    ]
}

fn twice() -> Vec<Row> {
    use Code::MappedTwice;
    vec![
        accepted(
            "twice, once without writing",
            ACCOUNT,
            "M table=m\n id: key\n a: \"Name\"\n b: \"Name\" read_only",
            |mapping| {
                assert_eq!(mapping.columns.len(), 3);
            },
        ),
        accepted(
            "a read-only group and a written field",
            ACCOUNT,
            "M table=m\n id: key\n n: \"Name\"\n home: flatten=\"address\" read_only\n town?: \"Town\"",
            |mapping| {
                assert_eq!(mapping.columns.len(), 5);
            },
        ),
        accepted(
            "a constant's attribute, read",
            ACCOUNT,
            "M table=m\n id: key\n n: \"Name\"\n o: \"Override\" read_only",
            |mapping| {
                assert_eq!(attributes(mapping), ["Name", "Override"]);
            },
        ),
        accepted(
            "two fields that modules put into one attribute",
            ACCOUNT,
            "M table=m\n id: key\n a: \"Name\" with=\"m\" sql_type=\"string\"\n \
             b: attributes=Town,Name with=\"n\" sql_type=\"string\"",
            |mapping| {
                assert_eq!(attributes(mapping), ["Name", "Override", "Town"]);
            },
        ),
        faulty(
            "a field with a module and a field without one",
            ACCOUNT,
            "M table=m\n id: key\n a: \"Name\" with=\"m\" sql_type=\"string\"\n b: \"Name\"",
            &[(MappedTwice, "b.attribute", "`Name` is already mapped to `a`")],
        ),
        faulty(
            "two fields of one attribute",
            ACCOUNT,
            "M table=m\n id: key\n a: \"Name\"\n b: \"Name\"",
            &[(
                MappedTwice,
                "b.attribute",
                "map it once, mark one of the fields `read_only`, or give both fields a `with`",
            )],
        ),
        faulty(
            "a join and a field of one attribute",
            ACCOUNT,
            "M table=m\n id: key\n a: \"Name\"\n b: attributes=Town,Name with=\"m\" sql_type=\"string\"",
            &[(MappedTwice, "b.attributes.Name", "`Name` is already mapped to `a`")],
        ),
        faulty(
            "a join that names one twice",
            ACCOUNT,
            "M table=m mode=mirror\n id: key\n b: attributes=Town,Town with=\"m\" sql_type=\"string\"",
            &[(MappedTwice, "b.attributes.Town", "`Town` is listed twice")],
        ),
        faulty(
            "a group and a field of one attribute",
            ACCOUNT,
            "M table=m\n id: key\n n: \"Name\"\n t?: \"Town\"\n home: flatten=\"address\"",
            &[(MappedTwice, "home.flatten", "`Town` is already mapped to `t`")],
        ),
        faulty(
            "one group twice",
            ACCOUNT,
            "M table=m mode=mirror\n id: key\n a: flatten=\"address\"\n b: flatten=\"address\"",
            &[(MappedTwice, "b.flatten", "`Street`"), (MappedTwice, "b.flatten", "`Town`")],
        ),
        faulty(
            "a field of an attribute that has a constant",
            ACCOUNT,
            "M table=m\n id: key\n n: \"Name\"\n o: \"Override\"",
            &[(MappedTwice, "o.attribute", "mark the field `read_only`, or remove the constant")],
        ),
    ]
}

fn creates() -> Vec<Row> {
    use Code::RequiredAtCreate;
    vec![
        accepted(
            "what is required comes from a join",
            ACCOUNT,
            "M table=m\n id: key\n n: attributes=Name,Alias with=\"m\" sql_type=\"string\"",
            |_| {},
        ),
        accepted("what is required is written once", ACCOUNT, "M table=m\n id: key\n n: \"Name\" create_only", |_| {}),
        accepted("a mirror creates nothing", ACCOUNT, "M table=m mode=mirror\n id: key", |_| {}),
        faulty(
            "what is required has no field",
            ACCOUNT,
            "M table=m\n id: key",
            &[(RequiredAtCreate, "M", "`Name` is required by the contract, but a create of `M` would not send it")],
        ),
        faulty(
            "what is required is never written",
            ACCOUNT,
            "M table=m\n id: key\n n: \"Name\" read_only",
            &[(RequiredAtCreate, "M", "map it to a field, add it to [constants], or make the model a mirror")],
        ),
        faulty(
            "a required attribute, and another fault",
            ACCOUNT,
            "M table=m\n id: key\n a: \"Alias\"",
            &[(Code::Nullability, "a:type", ""), (RequiredAtCreate, "M", "`Name`")],
        ),
        faulty(
            "what follows from a field that cannot be read",
            ACCOUNT,
            "M table=m\n id: unreadable\n n: unreadable\n a: \"Alias\" unreadable\n l: local unreadable\n j: attributes=Town unreadable",
            &[],
        ),
        faulty(
            "what does not follow from a field that cannot be read",
            ACCOUNT,
            "M table=m\n n: \"Name\" unreadable\n a: \"Alis\" unreadable",
            &[(Code::UnknownAttribute, "a.attribute", ""), (Code::NoKey, "M", "")],
        ),
        faulty(
            "a misspelt name is not reported as missing too",
            ACCOUNT,
            "M table=m\n id: key\n n: \"Nmae\"",
            &[(Code::UnknownAttribute, "n.attribute", "did you mean `Name`?")],
        ),
    ]
}

#[test]
fn models_as_rows() {
    crate::check(rows());
}

#[test]
fn the_mapping_id_follows_the_mapping_and_not_its_words() {
    let id = |contract: &str, model: &str| {
        let contract = datahub_model::source::Contract::parse(contract).into_result().unwrap().unwrap();
        datahub_model::source::resolve(
            &crate::reader::model(model),
            &contract,
            datahub_model::source::ColumnLimit::Columns64,
        )
        .unwrap()
        .mapping_id
    };
    let model = "M table=m\n id: key\n name: \"Name\"";
    let same = id(ACCOUNT, model);
    assert_eq!(same, id(&ACCOUNT.replace("required = true }\nAlias", "required = true, note = 'x' }\nAlias"), model));
    for (what, contract, model) in [
        ("another attribute", ACCOUNT.to_owned(), "M table=m\n id: key\n name: \"Name\"\n a?: \"Alias\""),
        ("a length", ACCOUNT.replacen("\"string\",", "\"string\", max-length = 3,", 1), model),
        ("a constant", ACCOUNT.replace("Override = true\n", "Override = false\n"), model),
        ("a condition", ACCOUNT.to_owned(), "M table=m only=\"Name eq 'a'\"\n id: key\n name: \"Name\""),
    ] {
        assert_ne!(same, id(&contract, model), "{what} does not change the mapping id");
    }
}
