//! A model's fields: each key once accepted, and each fault that a field can have by itself.

use cdms_odata::Kind;
use datahub_model::diagnostic::Code;
use datahub_model::source::{Mapping, ResolvedColumn, ResolvedSource, Shape};
use datahub_model::{Class, EngineAttribute, Write};

use crate::row::{Row, accepted, faulty};

pub(crate) const ACCOUNT: &str = r#"
entity = "Account"

[attributes]
Name = { kind = "string", max-length = 160 }
Alias = { kind = "string", max-length = 4 }
Verified = { kind = "boolean" }
Area = { kind = "decimal", scale = 2 }
Score = { kind = "decimal", scale = 7 }
Since = { kind = "datetime" }
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
Fax = "not used"
"#;

pub(crate) fn field(mapping: &Mapping, name: &str) -> ResolvedColumn {
    let column = mapping.columns.iter().find(|column| column.field == name);
    column.unwrap_or_else(|| panic!("{} has no field {name}", mapping.name)).clone()
}

pub(crate) fn column(name: &str, kind: Kind, source: ResolvedSource) -> ResolvedColumn {
    let field = name.to_owned();
    ResolvedColumn {
        name: name.to_owned(),
        field,
        kind,
        nullable: false,
        scale: None,
        was: None,
        default: None,
        class: None,
        with: None,
        reference: None,
        source,
    }
}

fn of(attribute: &str) -> ResolvedSource {
    ResolvedSource::Attribute { attribute: attribute.to_owned(), default: false, write: Write::Always }
}

pub(crate) fn sent(attribute: &str, write: Write) -> ResolvedSource {
    ResolvedSource::Attribute { attribute: attribute.to_owned(), default: false, write }
}

fn or_default(attribute: &str) -> ResolvedSource {
    ResolvedSource::Attribute { attribute: attribute.to_owned(), default: true, write: Write::Always }
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = plain();
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
            let default = Some("of the type".to_owned());
            let expected = ResolvedColumn { default, ..column("name", Kind::String, or_default("Name")) };
            assert_eq!(field(mapping, "name"), expected);
        }),
        accepted(
            "a default that is an expression",
            ACCOUNT,
            "M table=m\n id: key\n verified: \"Verified\" default=false",
            |mapping| {
                let default = Some("false".to_owned());
                let expected = ResolvedColumn { default, ..column("verified", Kind::Boolean, or_default("Verified")) };
                assert_eq!(field(mapping, "verified"), expected);
            },
        ),
        accepted(
            "a default that just fits",
            ACCOUNT,
            "M table=m\n id: key\n alias: \"Alias\" default=\"öäüß\"",
            |mapping| {
                let default = Some("\"öäüß\"".to_owned());
                let expected = ResolvedColumn { default, ..column("alias", Kind::String, or_default("Alias")) };
                assert_eq!(field(mapping, "alias"), expected);
            },
        ),
        accepted(
            "a reference to one of several models",
            ACCOUNT,
            "M table=m\n id: key\n country?: \"Country\" sql_type=\"string\"",
            |mapping| {
                let country = field(mapping, "country");
                assert_eq!((country.kind, &country.source), (Kind::String, &of("Country")));
                assert_eq!(country.targets(&mapping.contract), Some(&["country".to_owned(), "region".to_owned()][..]));
                assert!(country.reference.is_some(), "its type says what it points to");
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
            "decimals with their scale",
            ACCOUNT,
            "M table=m\n id: key\n a?: \"Area\"\n s?: \"Score\"",
            |mapping| {
                assert_eq!((field(mapping, "a").scale, field(mapping, "s").scale), (Some(2), Some(7)));
            },
        ),
        accepted(
            "a type that only the compiler knows takes the null that its attribute can have",
            ACCOUNT,
            "M table=m\n id: key\n name*: \"Name\"\n state*: \"StateCode\" read_only\n alias*: \"Alias\" default",
            |mapping| {
                let nullable = ["name", "state", "alias"].map(|name| field(mapping, name).nullable);
                assert_eq!(nullable, [true, false, false]);
            },
        ),
        accepted(
            "a local field that begins with a default",
            ACCOUNT,
            "M table=m\n id: key\n at: local sql_type=\"datetime\" default=epoch()",
            |mapping| {
                let default = Some("epoch()".to_owned());
                let expected = ResolvedColumn { default, ..column("at", Kind::DateTime, ResolvedSource::Local) };
                assert_eq!(field(mapping, "at"), expected);
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

fn attributes() -> Vec<Row> {
    use Code::{DefaultOfRequired, DefaultTooLong, KeysExclude, Nullability, ReadOnly, UnknownAttribute};
    vec![
        faulty(
            "a misspelt attribute",
            ACCOUNT,
            "M table=m\n id: key\n name?: \"Nmae\"",
            &[(UnknownAttribute, "name.attribute", "unknown attribute `Nmae` in the contract of `Account`")],
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
            &[(UnknownAttribute, "fax.attribute", "the contract lists it in [unmapped]: not used")],
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
            &[(
                Nullability,
                "name:type",
                "make the field an `Option`, add `default`, or state `required = true` in the contract",
            )],
        ),
        faulty(
            "a default of an Option",
            ACCOUNT,
            "M table=m\n id: key\n name?: \"Name\" default",
            &[(KeysExclude, "name.default", "`default` is not allowed on an `Option`, which has `None` for null")],
        ),
        faulty(
            "a default of a local Option",
            ACCOUNT,
            "M table=m\n id: key\n a?: local sql_type=\"string\" default",
            &[(KeysExclude, "a.default", "`default` is not allowed on an `Option`, which has `None` for null")],
        ),
        faulty(
            "a default of an attribute that is required",
            ACCOUNT,
            "M table=m\n id: key\n state: \"StateCode\" read_only default",
            &[(
                DefaultOfRequired,
                "state.default",
                "`default` is not allowed for `StateCode`, which is required and never null",
            )],
        ),
        faulty(
            "a default that CDMS cannot hold",
            ACCOUNT,
            "M table=m\n id: key\n alias: \"Alias\" default=\"a\u{fffe}\"",
            &[(
                Code::WrongValue,
                "alias.default",
                "the default for `Alias` contains the character U+FFFE at position 2",
            )],
        ),
        faulty(
            "a default that is too long",
            ACCOUNT,
            "M table=m\n id: key\n alias: \"Alias\" default=\"acmes\"",
            &[(DefaultTooLong, "alias.default", "shorten the default, or correct `max-length`")],
        ),
        faulty(
            "a default that is too long for CDMS, which counts in UTF-16",
            ACCOUNT,
            "M table=m\n id: key\n alias: \"Alias\" default=\"\u{1f600}\u{1f600}a\"",
            &[(DefaultTooLong, "alias.default", "shorten the default, or correct `max-length`")],
        ),
        faulty(
            "what CDMS keeps of every record, stated and mapped",
            "entity = 'A'\n[attributes]\nAId = { kind = 'guid' }\nModifiedOn = { kind = 'datetime' }\n\
             CreatedOn = { kind = 'datetime' }\nModifiedBy = { kind = 'lookup', target = 'systemuser' }",
            "M table=m\n id: key\n a?: \"AId\"\n b?: \"ModifiedOn\"\n c?: \"CreatedOn\" create_only\n d?: \"ModifiedBy\"\n \
             e?: \"ModifiedBy\" read_only",
            &[
                (ReadOnly, "a", "`AId` is read-only in CDMS"),
                (ReadOnly, "b", "`ModifiedOn`"),
                (ReadOnly, "c", "`CreatedOn`"),
                (ReadOnly, "d", "`ModifiedBy`"),
            ],
        ),
        faulty(
            "attributes that CDMS sets or computes",
            "entity = 'Contact'\n[attributes]\nFullName = { kind = 'string' }\nCreditLimit_Base = { kind = 'money' }\n\
             ExchangeRate = { kind = 'decimal', scale = 7 }\nOwningUser = { kind = 'lookup', target = 'systemuser' }\n\
             Merged = { kind = 'boolean' }\nMasterId = { kind = 'lookup', target = 'contact' }\n\
             CreatedOnBehalfBy = { kind = 'lookup', target = 'systemuser' }\nAddress1_AddressId = { kind = 'guid' }\n\
             VersionNumber = { kind = 'bigint' }\n[groups.g]\nbase = 'CreditLimit_Base'\nname = 'FullName'",
            "M table=m\n id: key\n a?: \"FullName\"\n b?: \"CreditLimit_Base\"\n c?: \"ExchangeRate\"\n d?: \"OwningUser\"\n \
             e?: \"Merged\" create_only\n f?: \"MasterId\"\n g?: \"CreatedOnBehalfBy\"\n h?: \"Address1_AddressId\"\n \
             i?: \"VersionNumber\"\n j?: \"FullName\" read_only\n k: flatten=\"g\" read_only",
            &[
                (ReadOnly, "a", "`FullName` is read-only in CDMS, but `a` would be written"),
                (ReadOnly, "b", "`CreditLimit_Base`"),
                (ReadOnly, "c", "`ExchangeRate`"),
                (ReadOnly, "d", "`OwningUser`"),
                (ReadOnly, "e", "`Merged`"),
                (ReadOnly, "f", "`MasterId`"),
                (ReadOnly, "g", "`CreatedOnBehalfBy`"),
                (ReadOnly, "h", "`Address1_AddressId`"),
                (ReadOnly, "i", "`VersionNumber`"),
            ],
        ),
        faulty(
            "what CDMS takes with a create alone",
            "entity = 'A'\n[attributes]\nOwnerId = { kind = 'lookup', target = ['systemuser', 'team'] }\n\
             OverriddenCreatedOn = { kind = 'datetime' }\nX_Base = { kind = 'string' }",
            "M table=m\n id: key\n a?: \"OwnerId\"\n b?: \"OverriddenCreatedOn\"\n c?: \"X_Base\"",
            &[
                (ReadOnly, "a", "help: add `create_only` to the field, or `read_only`"),
                (
                    ReadOnly,
                    "b",
                    "CDMS accepts `OverriddenCreatedOn` only with a create, but `b` would also be written by updates",
                ),
            ],
        ),
        accepted(
            "what CDMS takes with a create alone, marked",
            "entity = 'A'\n[attributes]\nOwnerId = { kind = 'lookup', target = ['systemuser', 'team'] }",
            "M table=m\n id: key\n a?: \"OwnerId\" create_only\n b?: \"OwnerId\" read_only",
            |mapping| assert_eq!(mapping.columns.len(), 3),
        ),
        accepted(
            "a contract may say that CDMS keeps it",
            "entity = 'A'\n[attributes]\nFullName = { kind = 'string', required = true }\n\
             OwnerId = { kind = 'lookup', target = 'systemuser', required = true, read-only = true }",
            "M table=m\n id: key\n a: \"FullName\" read_only\n b: \"OwnerId\" read_only",
            |mapping| assert!(mapping.attributes.iter().all(|attribute| attribute.read_only)),
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
            "a class of what the contract states",
            ACCOUNT,
            "M table=m\n id: key\n alias?: \"Alias\" class=\"secret\"",
            &[(
                KeysExclude,
                "alias.class",
                "`class` is only allowed on local fields; the contract has the class of an attribute",
            )],
        ),
        faulty(
            "a class that does not exist",
            ACCOUNT,
            "M table=m\n id: key\n notes?: local sql_type=\"string\" class=\"privat\"",
            &[(Code::WrongValue, "notes.class", "unknown class `privat`")],
        ),
        accepted(
            "a local field of each class",
            ACCOUNT,
            "M table=m\n id: key\n a?: local sql_type=\"string\" class=\"public\"\n \
             b?: local sql_type=\"string\" class=\"secret\"\n c?: local sql_type=\"string\"",
            |mapping| {
                let classes: Vec<_> = mapping.columns.iter().map(|column| column.class).collect();
                assert_eq!(classes, [None, Some(Class::Public), Some(Class::Secret), None]);
            },
        ),
        faulty(
            "two sources",
            ACCOUNT,
            "M table=m\n id: key \"Name\"",
            &[(KeysExclude, "id.attribute", "`id` cannot have both `key` and an attribute")],
        ),
        faulty(
            "three sources",
            ACCOUNT,
            "M table=m\n id: key\n a?: local modified \"Name\" sql_type=\"string\"",
            &[(KeysExclude, "a.local", "remove one of the two"), (KeysExclude, "a.attribute", "remove one of the two")],
        ),
        faulty(
            "an attribute and several",
            ACCOUNT,
            "M table=m\n id: key\n a?: \"Name\" attributes=Alias with=\"m\" sql_type=\"string\"",
            &[(KeysExclude, "a.attribute", "`a` cannot have both `attributes` and an attribute")],
        ),
        faulty(
            "a group and an attribute",
            ACCOUNT,
            "M table=m\n id: key\n a: flatten=\"address\" \"Name\"",
            &[(KeysExclude, "a.attribute", "`a` cannot have both `flatten` and an attribute")],
        ),
        faulty(
            "`with` on a local field",
            ACCOUNT,
            "M table=m\n id: key\n a?: local with=\"m\" sql_type=\"string\"",
            &[(KeysExclude, "a.with", "`with` is only allowed on fields with an attribute")],
        ),
        faulty(
            "`default` on what has none",
            ACCOUNT,
            "M table=m\n id: key default\n a: flatten=\"address\" default\n b: \"Name\" with=\"m\" sql_type=\"string\" default",
            &[
                (KeysExclude, "id.default", "`default` is only allowed on local fields and fields with one attribute"),
                (KeysExclude, "a.default", "remove `default`"),
                (KeysExclude, "b.default", ""),
            ],
        ),
        faulty(
            "`read_only` on what is never sent",
            ACCOUNT,
            "M table=m\n id: key read_only\n a?: local sql_type=\"string\" read_only\n b: modified read_only",
            &[
                (KeysExclude, "id.read_only", "`read_only` is only allowed on fields from CDMS"),
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
            &[(KeysExclude, "a.create_only", "`create_only` and `read_only` are mutually exclusive")],
        ),
        faulty(
            "`prefix` without a group",
            ACCOUNT,
            "M table=m\n id: key\n a?: \"Name\" prefix=\"p_\"",
            &[(KeysExclude, "a.prefix", "`prefix` is only allowed with `flatten`")],
        ),
        faulty(
            "`column` on a group",
            ACCOUNT,
            "M table=m\n id: key\n a: flatten=\"address\" column=\"c\"",
            &[(KeysExclude, "a.column", "`column` is only allowed on fields with one column")],
        ),
        faulty(
            "`sql_type` where the contract says it",
            ACCOUNT,
            "M table=m\n id: key\n a?: \"Name\" sql_type=\"string\"\n b: modified sql_type=\"datetime\"",
            &[
                (
                    KeysExclude,
                    "a.sql_type",
                    "`sql_type` is only allowed with `local` or `with`; the contract has the kind of an attribute",
                ),
                (KeysExclude, "b.sql_type", ""),
            ],
        ),
        faulty(
            "a lookup held as what it is not",
            ACCOUNT,
            "M table=m\n id: key\n a?: \"Country\" sql_type=\"guid\"\n b?: \"Parent\" sql_type=\"lookup\"",
            &[(KeysExclude, "a.sql_type", "`OneOf<(…)>`"), (KeysExclude, "b.sql_type", "")],
        ),
    ]
}

#[test]
fn fields_as_rows() {
    crate::check(rows());
}
