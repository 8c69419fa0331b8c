//! Fields of more than one attribute, or of none: joins, groups, and what is the hub's alone.

use cdms_odata::Kind;
use datahub_model::Write;
use datahub_model::diagnostic::Code;
use datahub_model::source::{ResolvedColumn, ResolvedSource, Shape};

use crate::fields::{ACCOUNT, column, field, sent};
use crate::row::{Row, accepted, faulty};

fn joined(attributes: &[&str], write: Write) -> ResolvedSource {
    let attributes = attributes.iter().map(|name| (*name).to_owned()).collect();
    ResolvedSource::Joined { attributes, write }
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = joins_and_locals();
    rows.extend(groups());
    rows
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
                assert_eq!(field(mapping, "line"), ResolvedColumn { with: Some("line".to_owned()), ..expected });
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
                let with = Some("m".to_owned());
                assert_eq!(field(mapping, "n"), ResolvedColumn { nullable: true, with, ..expected });
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
            &[(Nullability, "a:type", "make the field an `Option`, or state its first value with `default = …`")],
        ),
        faulty(
            "several attributes and their kind, and nothing that joins them",
            ACCOUNT,
            "M table=m\n id: key\n a: attributes=Street,Town sql_type=\"string\"",
            &[(
                MissingKey,
                "a.attributes",
                "add `with = \"module\"`, a module with the functions `decode` and `encode`",
            )],
        ),
        faulty(
            "several attributes and nothing that joins them",
            ACCOUNT,
            "M table=m\n id: key\n a: attributes=Street,Town",
            &[(MissingKey, "a.attributes", "add `with = \"module\"`"), (MissingKey, "a", "`a` is missing `sql_type`")],
        ),
        faulty(
            "a list without attributes",
            ACCOUNT,
            "M table=m\n id: key\n a: attributes= with=\"m\" sql_type=\"string\"",
            &[(WrongValue, "a.attributes", "write `attributes(\"A\", \"B\")`")],
        ),
        faulty(
            "a join without its kind",
            ACCOUNT,
            "M table=m\n id: key\n a: attributes=Street,Twon with=\"m\"",
            &[
                (Code::UnknownAttribute, "a.attributes.Twon", "did you mean `Town`?"),
                (MissingKey, "a", "add `sql_type = \"string\"`, or another kind"),
            ],
        ),
        faulty(
            "a field that says nothing",
            ACCOUNT,
            "M table=m\n id: key\n a?:",
            &[(MissingKey, "a", "field `a` has no source")],
        ),
    ]
}

const NESTED: &str = "entity = 'A'
[attributes]
Street = { kind = 'string' }
Town = { kind = 'string' }
X = { kind = 'double' }
[groups.address]
street = 'Street'
place.town = 'Town'
[groups.address.place.at]
x = 'X'
";

fn groups() -> Vec<Row> {
    use Code::{ColumnClash, ReadOnly, UnknownGroup};
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
            let targets = mapping.columns[3].targets(&mapping.contract);
            assert_eq!(targets, Some(&["country".to_owned(), "region".to_owned()][..]));
            let members = ["street", "town", "country"].map(str::to_owned).to_vec();
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
        accepted("groups within a group", NESTED, "M table=m\n id: key\n home: flatten=\"address\"", |mapping| {
            let columns: Vec<_> = mapping.columns[1..].iter().map(|known| (&*known.name, &*known.field)).collect();
            let expected = [
                ("home_street", "home.street"),
                ("home_place_town", "home.place.town"),
                ("home_place_at_x", "home.place.at.x"),
            ];
            assert_eq!(columns, expected);
        }),
        faulty(
            "a group within a group and a member that would share a column",
            "entity = 'A'\n[attributes]\nS = { kind = 'string' }\nT = { kind = 'string' }\n[groups.g]\na_b = 'S'\na.b = 'T'",
            "M table=m\n id: key\n g: flatten=\"g\"",
            &[(ColumnClash, "g", "`g.a.b` and `g.a_b` have the same column, `g_a_b`")],
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
            &[(UnknownGroup, "a.flatten", "unknown group `address` in the contract of `A`")],
        ),
        faulty(
            "a group of read-only attributes",
            ACCOUNT,
            "M table=m\n id: key\n s: flatten=\"standing\"",
            &[(ReadOnly, "s", "`StateCode` is read-only in CDMS"), (ReadOnly, "s", "`Rating` is read-only in CDMS")],
        ),
    ]
}

#[test]
fn groups_as_rows() {
    crate::check(rows());
}
