//! Every kind in every way that a field can have it: what is accepted, one by one.

use cdms_odata::Kind;
use datahub_model::Write;
use datahub_model::source::{ColumnLimit, Contract, Mapping, ResolvedSource, resolve};

use crate::reader;

/// A kind, with what a contract says of such an attribute.
const KINDS: [(Kind, &str); 15] = [
    (Kind::String, "kind = 'string', max-length = 10"),
    (Kind::Integer, "kind = 'integer'"),
    (Kind::BigInt, "kind = 'bigint'"),
    (Kind::Decimal, "kind = 'decimal', scale = 2"),
    (Kind::Double, "kind = 'double'"),
    (Kind::Money, "kind = 'money'"),
    (Kind::Boolean, "kind = 'boolean'"),
    (Kind::DateTime, "kind = 'datetime'"),
    (Kind::Date, "kind = 'date', zone = 'Europe/London'"),
    (Kind::Guid, "kind = 'guid'"),
    (Kind::Choice, "kind = 'choice', choices = { one = 1 }"),
    (Kind::State, "kind = 'state', choices = { active = 0 }"),
    (Kind::Status, "kind = 'status'"),
    (Kind::Lookup, "kind = 'lookup', target = 'account'"),
    (Kind::Lookup, "kind = 'lookup', target = ['account', 'contact']"),
];

/// What comes of a field.
struct Held {
    is_nullable: bool,
    write: Write,
    has_default: bool,
}

const ALWAYS: Held = Held { is_nullable: true, write: Write::Always, has_default: false };

/// A way to have an attribute `A`: what its contract says besides the kind, the model's keys, and the field.
const WAYS: [(&str, &str, &str, &str, Held); 9] = [
    ("as an Option", "", "", "f?: \"A\"", ALWAYS),
    ("as an Option of what CDMS never leaves out", ", required = true", "", "f?: \"A\"", ALWAYS),
    ("required", ", required = true", "", "f: \"A\"", Held { is_nullable: false, ..ALWAYS }),
    ("with a default", "", "", "f: \"A\" default=x()", Held { is_nullable: false, has_default: true, ..ALWAYS }),
    ("of a type that only the compiler knows", "", "", "f*: \"A\"", ALWAYS),
    ("to read only", ", read-only = true", "", "f?: \"A\" read_only", Held { write: Write::Never, ..ALWAYS }),
    ("to create with only", "", "", "f?: \"A\" create_only", Held { write: Write::CreateOnly, ..ALWAYS }),
    ("in a mirror", ", read-only = true", " mode=mirror", "f?: \"A\"", Held { write: Write::Never, ..ALWAYS }),
    ("with a column of its own name", "", "", "f?: \"A\" column=\"c\" was=\"old\"", ALWAYS),
];

/// The mapping of a model, or what is wrong with it.
fn mapping(said: &str, model: &str) -> Result<Mapping, String> {
    let (contract, faults) = Contract::parse(&format!("entity = 'E'\n[attributes]\nA = {{ {said} }}\n")).into_parts();
    let contract = contract.filter(|_| faults.is_empty()).ok_or_else(|| format!("the contract: {faults:#?}"))?;
    resolve(&reader::model(model), &contract, ColumnLimit::Columns32).map_err(|faults| format!("{faults:#?}"))
}

/// Whether a field is held as it should be; how many were tried.
pub(crate) fn tried() -> usize {
    let mut tried = 0;
    for (kind, said) in KINDS {
        // CDMS lets no state be written (docs/protocol.md, 4.1), so its fields say that they are not.
        let may_be_written = kind != Kind::State;
        for (way, also, keys, field, held) in
            WAYS.into_iter().filter(|way| may_be_written || way.4.write == Write::Never)
        {
            let what = format!("{said}{also}, {way}");
            let found = mapping(&format!("{said}{also}"), &format!("M table=m{keys}\n id: key\n {field}"));
            let found = found.unwrap_or_else(|faults| panic!("{what}: {faults}"));
            let column = &found.columns[1];
            let Held { is_nullable, write, has_default } = held;
            let source = ResolvedSource::Attribute { attribute: "A".into(), default: has_default, write };
            assert_eq!((column.kind, column.nullable, &column.source), (kind, is_nullable, &source), "{what}");
            assert_eq!(column.was.as_deref(), (column.name == "c").then_some("old"), "{what}");
            tried += 1;
        }
        let conversions = [
            ("converted by a module", "f?: \"A\" with=\"m\" sql_type=\"string\"", Kind::String),
            ("converted to another kind", "f: \"A\" with=\"m\" sql_type=\"integer\"", Kind::Integer),
        ];
        for (way, field, kind) in conversions.into_iter().filter(|_| may_be_written) {
            let found = mapping(said, &format!("M table=m\n id: key\n {field}"));
            let found = found.unwrap_or_else(|faults| panic!("{said}, {way}: {faults}"));
            let source = ResolvedSource::Joined { attributes: vec!["A".into()], write: Write::Always };
            assert_eq!((found.columns[1].kind, &found.columns[1].source), (kind, &source), "{said}, {way}");
            tried += 1;
        }
        let found = mapping(said, &format!("M table=m\n id: key\n f?: local sql_type=\"{kind}\""));
        let found = found.unwrap_or_else(|faults| panic!("a local {kind}: {faults}"));
        assert_eq!((found.columns[1].kind, &found.columns[1].source), (kind, &ResolvedSource::Local));
        tried += 1;
    }
    tried
}

#[test]
fn every_kind_is_accepted_in_every_way() {
    // Of a state seven ways and both conversions are writes.
    assert_eq!(tried(), KINDS.len() * (WAYS.len() + 3) - 9);
}
