//! Models whose contracts have faults too: the faults of the struct are still reported, except those that may follow from the
//! contract's own.

use datahub_model::diagnostic::Code::{
    ColumnClash, KeysExclude, MappedTwice, NoKey, Nullability, UnknownAttribute, UnknownGroup,
};

use crate::row::{Row, faulty_beside};

/// Faults in an attribute, a group and a constant, and attributes that have none.
const ACCOUNT: &str = r#"
entity = "Account"

[attributes]
Name = { kind = "sting", required = true }
Alias = { kind = "string", required = "yes" }
Town = { kind = "string" }
Override = { kind = "boolean", required = true }

[groups.address]
town = "Twon"

[groups]
names = "Name"

[constants]
Override = "yes"
"#;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        faulty_beside("nothing else is wrong", ACCOUNT, "M table=m\n id: key\n n: \"Name\"\n a: \"Alias\"", &[]),
        faulty_beside(
            "faults that do not depend on the contract's",
            ACCOUNT,
            "M table=m\n n: \"Nmae\"\n a: \"Alias\" column=\"n\"\n t: \"Town\"\n g: flatten=\"adress\"\n h?: \"Town\" prefix=\"x\"",
            &[
                (UnknownAttribute, "n.attribute", "`Nmae`"),
                (Nullability, "t:type", "`Town` can be null in CDMS"),
                (UnknownGroup, "g.flatten", "did you mean `address`?"),
                (KeysExclude, "h.prefix", "`prefix`"),
                (NoKey, "M", ""),
                (MappedTwice, "h.attribute", "`Town`"),
                (ColumnClash, "a.column", "`a` and `n` have the same column, `n`"),
            ],
        ),
        faulty_beside(
            "a condition on what cannot be read",
            ACCOUNT,
            "M table=m mode=mirror only=\"Name eq 'a' and\"\n id: key",
            &[],
        ),
        faulty_beside(
            "a table of attributes under another name",
            "entity = 'A'\n[attribute]\nName = { kind = 'string' }",
            "M table=m only=\"Name eq 'a'\"\n id: key\n n?: \"Name\"\n n2?: local sql_type=\"string\" column=\"id\"",
            &[(ColumnClash, "n2.column", "`n2` and `id` have the same column, `id`")],
        ),
        faulty_beside(
            "a contract that cannot be read",
            "entity = ",
            "M table=m only=\"Name eq 'a'\"\n n?: \"Name\"\n g: flatten=\"g\"\n a: local sql_type=\"date\"",
            &[(NoKey, "M", "add `#[cdms(key)] pub id: Id<M>`")],
        ),
    ]
}

#[test]
fn models_beside_faulty_contracts_as_rows() {
    crate::check(rows());
}
