//! A model's fields: each key once accepted, and each fault that a field can have by itself.

use cdms_odata::Kind;
use datahub_model::source::{Code, Mapping, ResolvedColumn, ResolvedSource, Shape};
use datahub_model::{EngineAttribute, Write};

use crate::row::{Row, accepted, faulty};

const ACCOUNT: &str = r#"
entity = "Account"

[attributes]
Name = { kind = "string", max-length = 160 }
Alias = { kind = "string", max-length = 4 }
Verified = { kind = "boolean" }
Area = { kind = "decimal", scale = 2 }
Score = { kind = "decimal" }
Parent = { kind = "lookup", target = "account" }
StateCode = { kind = "state", required = true, choices = { active = 0 } }
Rating = { kind = "integer", read-only = true }
Street = { kind = "string" }
Town = { kind = "string" }
Country = { kind = "lookup", target = ["country", "region"] }

[groups.address]
street = "Street"
town = "Town"
country = "Country"

[groups.standing]
state = "StateCode"
rating = "Rating"

[unmapped]
Fax = "nobody has one"
"#;

fn field(mapping: &Mapping, name: &str) -> ResolvedColumn {
    let column = mapping.columns.iter().find(|column| column.field == name);
    column.unwrap_or_else(|| panic!("{} has no field {name}", mapping.name)).clone()
}

fn column(name: &str, kind: Kind, source: ResolvedSource) -> ResolvedColumn {
    let field = name.to_owned();
    ResolvedColumn { name: name.to_owned(), field, kind, nullable: false, scale: None, source }
}

fn of(attribute: &str) -> ResolvedSource {
    ResolvedSource::Attribute { attribute: attribute.to_owned(), default: false, write: Write::Always }
}

fn sent(attribute: &str, write: Write) -> ResolvedSource {
    ResolvedSource::Attribute { attribute: attribute.to_owned(), default: false, write }
}

fn or_default(attribute: &str) -> ResolvedSource {
    ResolvedSource::Attribute { attribute: attribute.to_owned(), default: true, write: Write::Always }
}

fn joined(attributes: &[&str], write: Write) -> ResolvedSource {
    let attributes = attributes.iter().map(|name| (*name).to_owned()).collect();
    ResolvedSource::Joined { attributes, write }
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = plain();
    rows.extend(joins_and_locals());
    rows.extend(groups());
    rows.extend(attributes());
    rows.extend(exclusions());
    rows
}

fn plain() -> Vec<Row> {
    vec![
        accepted("a key alone", ACCOUNT, "M table=m\n id: key", |mapping| {
            assert_eq!(mapping.columns, [column("id", Kind::Guid, ResolvedSource::Key)]);
            assert_eq!(mapping.fields[0].shape, Shape::Key(0));
            assert!(mapping.attributes.is_empty());
        }),
        accepted("an attribute of an Option", ACCOUNT, "M table=m\n id: key\n name?: \"Name\"", |mapping| {
            let expected = ResolvedColumn { nullable: true, ..column("name", Kind::String, of("Name")) };
            assert_eq!(field(mapping, "name"), expected);
            assert_eq!(mapping.fields[1].shape, Shape::Column(1));
            assert_eq!(mapping.attributes[0].name, "Name");
        }),
        accepted("a default of the type", ACCOUNT, "M table=m\n id: key\n name: \"Name\" default", |mapping| {
            assert_eq!(field(mapping, "name"), column("name", Kind::String, or_default("Name")));
        }),
        accepted(
            "a default that is an expression",
            ACCOUNT,
            "M table=m\n id: key\n verified: \"Verified\" default=false",
            |mapping| {
                assert_eq!(field(mapping, "verified"), column("verified", Kind::Boolean, or_default("Verified")));
            },
        ),
        accepted(
            "a default that just fits",
            ACCOUNT,
            "M table=m\n id: key\n alias: \"Alias\" default=\"öäüß\"",
            |mapping| {
                assert_eq!(field(mapping, "alias"), column("alias", Kind::String, or_default("Alias")));
            },
        ),
        accepted(
            "a required attribute without an Option",
            ACCOUNT,
            "M table=m\n id: key\n state: \"StateCode\" read_only",
            |mapping| {
                assert_eq!(field(mapping, "state"), column("state", Kind::State, sent("StateCode", Write::Never)));
            },
        ),
        accepted(
            "a field that is never written",
            ACCOUNT,
            "M table=m\n id: key\n rating?: \"Rating\" read_only",
            |mapping| {
                assert_eq!(field(mapping, "rating").source, sent("Rating", Write::Never));
            },
        ),
        accepted(
            "a field that is written once",
            ACCOUNT,
            "M table=m\n id: key\n name?: \"Name\" create_only",
            |mapping| {
                assert_eq!(field(mapping, "name").source, sent("Name", Write::CreateOnly));
            },
        ),
        accepted(
            "a column of another name",
            ACCOUNT,
            "M table=m\n id: key column=\"m_id\"\n name?: \"Name\" column=\"title\"",
            |mapping| {
                let names: Vec<_> = mapping.columns.iter().map(|column| (&*column.name, &*column.field)).collect();
                assert_eq!(names, [("m_id", "id"), ("title", "name")]);
            },
        ),
        accepted("a raw identifier", ACCOUNT, "M table=m\n id: key\n r#type?: \"Name\" column=\"kind\"", |mapping| {
            assert_eq!(field(mapping, "type").name, "kind");
            assert_eq!(mapping.fields[1].name, "r#type");
        }),
        accepted(
            "decimals with their scale, and with the usual one",
            ACCOUNT,
            "M table=m\n id: key\n a?: \"Area\"\n s?: \"Score\"",
            |mapping| {
                assert_eq!((field(mapping, "a").scale, field(mapping, "s").scale), (Some(2), Some(4)));
            },
        ),
        accepted(
            "what the engine knows",
            ACCOUNT,
            "M table=m\n id: key\n at: modified\n since?: created\n who?: modified_by",
            |mapping| {
                let engine = |attribute| ResolvedSource::Engine(attribute);
                assert_eq!(field(mapping, "at"), column("at", Kind::DateTime, engine(EngineAttribute::Modified)));
                let since = column("since", Kind::DateTime, engine(EngineAttribute::Created));
                assert_eq!(field(mapping, "since"), ResolvedColumn { nullable: true, ..since });
                let who = column("who", Kind::Guid, engine(EngineAttribute::ModifiedBy));
                assert_eq!(field(mapping, "who"), ResolvedColumn { nullable: true, ..who });
            },
        ),
    ]
}

fn joins_and_locals() -> Vec<Row> {
    use Code::{MissingKey, Nullability, WrongKind, WrongValue};
    vec![
        accepted(
            "attributes as one",
            ACCOUNT,
            "M table=m\n id: key\n line: attributes=Street,Town with=\"line\" sql_type=\"string\"",
            |mapping| {
                let expected = column("line", Kind::String, joined(&["Street", "Town"], Write::Always));
                assert_eq!(field(mapping, "line"), expected);
                let names: Vec<_> = mapping.attributes.iter().map(|attribute| &*attribute.name).collect();
                assert_eq!(names, ["Street", "Town"]);
            },
        ),
        accepted(
            "one attribute converted",
            ACCOUNT,
            "M table=m\n id: key\n n?: \"Name\" with=\"m\" sql_type=\"integer\" create_only",
            |mapping| {
                let expected = column("n", Kind::Integer, joined(&["Name"], Write::CreateOnly));
                assert_eq!(field(mapping, "n"), ResolvedColumn { nullable: true, ..expected });
            },
        ),
        accepted(
            "a joined field that is never written",
            ACCOUNT,
            "M table=m\n id: key\n r: attributes=Rating,Name with=\"m\" sql_type=\"string\" read_only",
            |mapping| {
                assert_eq!(field(mapping, "r").source, joined(&["Rating", "Name"], Write::Never));
            },
        ),
        accepted(
            "local fields of the kinds that have a zero",
            ACCOUNT,
            "M table=m\n id: key\n a: local sql_type=\"string\"\n b: local sql_type=\"integer\"\n c: local sql_type=\"bigint\"\n d: local sql_type=\"decimal\"\n e: local sql_type=\"double\"\n f: local sql_type=\"money\"\n g: local sql_type=\"boolean\"",
            |mapping| {
                assert!(
                    mapping.columns[1..]
                        .iter()
                        .all(|column| column.source == ResolvedSource::Local && !column.nullable)
                );
                assert_eq!(field(mapping, "d").scale, Some(4));
            },
        ),
        accepted(
            "local fields of the kinds that have none",
            ACCOUNT,
            "M table=m\n id: key\n a?: local sql_type=\"datetime\"\n b?: local sql_type=\"date\"\n c?: local sql_type=\"guid\"\n d?: local sql_type=\"choice\"\n e?: local sql_type=\"lookup\"",
            |mapping| {
                assert!(mapping.columns[1..].iter().all(|column| column.nullable));
            },
        ),
        faulty(
            "a local field without its kind",
            ACCOUNT,
            "M table=m\n id: key\n a?: local",
            &[(MissingKey, "a", "add `sql_type = \"string\"`, or another kind")],
        ),
        faulty(
            "a local field of no kind",
            ACCOUNT,
            "M table=m\n id: key\n a?: local sql_type=\"sting\"",
            &[(WrongKind, "a.sql_type", "did you mean `string`?")],
        ),
        faulty(
            "a local time without an Option",
            ACCOUNT,
            "M table=m\n id: key\n a: local sql_type=\"datetime\"",
            &[(Nullability, "a:type", "a local datetime has no value when a record is first read from CDMS")],
        ),
        faulty(
            "several attributes and nothing that joins them",
            ACCOUNT,
            "M table=m\n id: key\n a: attributes=Street,Town",
            &[(MissingKey, "a.attributes", "add `with = \"module\"`")],
        ),
        faulty(
            "a list without attributes",
            ACCOUNT,
            "M table=m\n id: key\n a: attributes= with=\"m\" sql_type=\"string\"",
            &[(WrongValue, "a.attributes", "names no attributes")],
        ),
        faulty(
            "a join without its kind",
            ACCOUNT,
            "M table=m\n id: key\n a: attributes=Street,Twon with=\"m\"",
            &[
                (Code::UnknownAttribute, "a.attributes.Twon", "did you mean `Town`?"),
                (MissingKey, "a", "does not say what its column stores"),
            ],
        ),
        faulty(
            "a field that says nothing",
            ACCOUNT,
            "M table=m\n id: key\n a?:",
            &[(MissingKey, "a", "does not say where its value comes from")],
        ),
    ]
}

fn groups() -> Vec<Row> {
    use Code::{ReadOnly, UnknownGroup};
    vec![
        accepted("a group", ACCOUNT, "M table=m\n id: key\n home: flatten=\"address\"", |mapping| {
            let columns: Vec<_> = mapping.columns[1..]
                .iter()
                .map(|known| (&*known.name, &*known.field, known.kind, known.nullable))
                .collect();
            assert_eq!(
                columns,
                [
                    ("home_street", "home.street", Kind::String, true),
                    ("home_town", "home.town", Kind::String, true),
                    ("home_country", "home.country", Kind::Lookup, true),
                ]
            );
            let targets = vec!["country".to_owned(), "region".to_owned()];
            let member = |key: &str, kind, targets| (key.to_owned(), kind, false, targets);
            let members = vec![
                member("street", Kind::String, vec![]),
                member("town", Kind::String, vec![]),
                member("country", Kind::Lookup, targets),
            ];
            assert_eq!(mapping.fields[1].shape, Shape::Group { first: 1, members });
        }),
        accepted(
            "a group with a prefix",
            ACCOUNT,
            "M table=m\n id: key\n home: flatten=\"address\" prefix=\"at_\"",
            |mapping| {
                assert_eq!(field(mapping, "home.street").name, "at_street");
            },
        ),
        accepted(
            "a group without a prefix",
            ACCOUNT,
            "M table=m\n id: key\n home: flatten=\"address\" prefix=\"\"",
            |mapping| {
                assert_eq!(field(mapping, "home.street").name, "street");
            },
        ),
        accepted(
            "a group at a raw identifier",
            ACCOUNT,
            "M table=m\n id: key\n r#where: flatten=\"address\"",
            |mapping| {
                assert_eq!(field(mapping, "where.street").name, "where_street");
            },
        ),
        accepted(
            "a group that is never written, with what is required",
            ACCOUNT,
            "M table=m\n id: key\n s: flatten=\"standing\" read_only",
            |mapping| {
                let state = field(mapping, "s.state");
                assert_eq!((state.nullable, state.source), (false, sent("StateCode", Write::Never)));
                assert!(field(mapping, "s.rating").nullable);
            },
        ),
        faulty(
            "a misspelt group",
            ACCOUNT,
            "M table=m\n id: key\n a: flatten=\"adress\"",
            &[(UnknownGroup, "a.flatten", "did you mean `address`?")],
        ),
        faulty(
            "a group of nothing like it",
            ACCOUNT,
            "M table=m\n id: key\n a: flatten=\"telephone\"",
            &[(UnknownGroup, "a.flatten", "one of: address, standing")],
        ),
        faulty(
            "a group where there is none",
            "entity = 'A'",
            "M table=m\n id: key\n a: flatten=\"address\"",
            &[(UnknownGroup, "a.flatten", "the contract of A has no group `address`")],
        ),
        faulty(
            "a group of read-only attributes",
            ACCOUNT,
            "M table=m\n id: key\n s: flatten=\"standing\"",
            &[(ReadOnly, "s", "`StateCode` is read-only in CDMS"), (ReadOnly, "s", "`Rating` is read-only in CDMS")],
        ),
    ]
}

fn attributes() -> Vec<Row> {
    use Code::{DefaultTooLong, KeysExclude, Nullability, ReadOnly, UnknownAttribute};
    vec![
        faulty(
            "a misspelt attribute",
            ACCOUNT,
            "M table=m\n id: key\n name?: \"Nmae\"",
            &[(
                UnknownAttribute,
                "name.attribute",
                "the contract of Account has no attribute `Nmae` [unknown-attribute]\nhelp: did you mean `Name`?",
            )],
        ),
        faulty(
            "an attribute in another case",
            ACCOUNT,
            "M table=m\n id: key\n state: \"statecode\" read_only",
            &[(UnknownAttribute, "state.attribute", "did you mean `StateCode`?")],
        ),
        faulty(
            "an attribute that is left out on purpose",
            ACCOUNT,
            "M table=m\n id: key\n fax?: \"Fax\"",
            &[(UnknownAttribute, "fax.attribute", "the contract leaves it out on purpose: nobody has one")],
        ),
        faulty(
            "attributes that the engine follows",
            ACCOUNT,
            "M table=m\n id: \"AccountId\"\n a?: \"ModifiedOn\"\n b?: \"CreatedOn\"\n c?: \"ModifiedBy\"",
            &[
                (UnknownAttribute, "id.attribute", "write #[cdms(key)]"),
                (UnknownAttribute, "a.attribute", "write #[cdms(modified)]"),
                (UnknownAttribute, "b.attribute", "write #[cdms(created)]"),
                (UnknownAttribute, "c.attribute", "write #[cdms(modified_by)]"),
                (Code::NoKey, "M", ""),
            ],
        ),
        faulty(
            "a null for a field that takes none",
            ACCOUNT,
            "M table=m\n id: key\n name: \"Name\"",
            &[(Nullability, "name:type", "make the field an Option, add `default`, or state `required = true`")],
        ),
        faulty(
            "a default beside an Option",
            ACCOUNT,
            "M table=m\n id: key\n name?: \"Name\" default",
            &[(KeysExclude, "name.default", "an Option has `None` for a null already")],
        ),
        faulty(
            "a default that is too long",
            ACCOUNT,
            "M table=m\n id: key\n alias: \"Alias\" default=\"acmes\"",
            &[(DefaultTooLong, "alias.default", "longer than the 4 characters of `Alias`")],
        ),
        faulty(
            "a default that is too long for CDMS, which counts in UTF-16",
            ACCOUNT,
            "M table=m\n id: key\n alias: \"Alias\" default=\"\u{1f600}\u{1f600}a\"",
            &[(DefaultTooLong, "alias.default", "shorten it")],
        ),
        faulty(
            "read-only attributes that would be written",
            ACCOUNT,
            "M table=m\n id: key\n state: \"StateCode\"\n rating?: \"Rating\" create_only",
            &[
                (ReadOnly, "state", "add `read_only` to the field"),
                (ReadOnly, "rating", "`Rating` is read-only in CDMS, but `rating` would be written"),
            ],
        ),
        faulty(
            "a joined attribute that is read-only",
            ACCOUNT,
            "M table=m\n id: key\n a: attributes=Name,Rating with=\"m\" sql_type=\"string\"",
            &[(ReadOnly, "a", "`Rating`")],
        ),
    ]
}

fn exclusions() -> Vec<Row> {
    use Code::KeysExclude;
    vec![
        faulty(
            "two sources",
            ACCOUNT,
            "M table=m\n id: key \"Name\"",
            &[(KeysExclude, "id.attribute", "`id` has key already, so it cannot have an attribute")],
        ),
        faulty(
            "three sources",
            ACCOUNT,
            "M table=m\n id: key\n a?: local modified \"Name\" sql_type=\"string\"",
            &[
                (KeysExclude, "a.local", "keep one of the two"),
                (KeysExclude, "a.attribute", "modified, created or modified_by already"),
            ],
        ),
        faulty(
            "an attribute and several",
            ACCOUNT,
            "M table=m\n id: key\n a?: \"Name\" attributes=Alias with=\"m\" sql_type=\"string\"",
            &[(KeysExclude, "a.attribute", "has attributes already")],
        ),
        faulty(
            "a group and an attribute",
            ACCOUNT,
            "M table=m\n id: key\n a: flatten=\"address\" \"Name\"",
            &[(KeysExclude, "a.attribute", "has flatten already")],
        ),
        faulty(
            "`with` on a local field",
            ACCOUNT,
            "M table=m\n id: key\n a?: local with=\"m\" sql_type=\"string\"",
            &[(KeysExclude, "a.with", "`with` is for fields with an attribute")],
        ),
        faulty(
            "`default` on what has none",
            ACCOUNT,
            "M table=m\n id: key default\n a: flatten=\"address\" default\n b: \"Name\" with=\"m\" sql_type=\"string\" default",
            &[
                (KeysExclude, "id.default", "`default` is for fields with one attribute"),
                (KeysExclude, "a.default", "remove `default`"),
                (KeysExclude, "b.default", ""),
            ],
        ),
        faulty(
            "`read_only` on what is never sent",
            ACCOUNT,
            "M table=m\n id: key read_only\n a?: local sql_type=\"string\" read_only\n b: modified read_only",
            &[
                (KeysExclude, "id.read_only", "`read_only` is for fields from CDMS"),
                (KeysExclude, "a.read_only", ""),
                (KeysExclude, "b.read_only", ""),
            ],
        ),
        faulty(
            "`create_only` on a group",
            ACCOUNT,
            "M table=m\n id: key\n a: flatten=\"address\" create_only",
            &[(KeysExclude, "a.create_only", "fields with an attribute")],
        ),
        faulty(
            "`create_only` and `read_only`",
            ACCOUNT,
            "M table=m\n id: key\n a?: \"Name\" create_only read_only",
            &[(KeysExclude, "a.create_only", "`create_only` and `read_only` exclude each other")],
        ),
        faulty(
            "`prefix` without a group",
            ACCOUNT,
            "M table=m\n id: key\n a?: \"Name\" prefix=\"p_\"",
            &[(KeysExclude, "a.prefix", "`prefix` is for fields with `flatten`")],
        ),
        faulty(
            "`column` on a group",
            ACCOUNT,
            "M table=m\n id: key\n a: flatten=\"address\" column=\"c\"",
            &[(KeysExclude, "a.column", "`column` is for fields with one column")],
        ),
        faulty(
            "`sql_type` where the contract says it",
            ACCOUNT,
            "M table=m\n id: key\n a?: \"Name\" sql_type=\"string\"\n b: modified sql_type=\"datetime\"",
            &[(KeysExclude, "a.sql_type", "the contract states the others"), (KeysExclude, "b.sql_type", "")],
        ),
    ]
}

#[test]
fn fields_as_rows() {
    crate::check(rows());
}
