//! The explanation of each code: what is wrong, why it matters, and the cure. `datahub explain` and the reference show it.

use super::Code;

impl Code {
    /// The code of this name; `None` if there is none.
    pub fn named(name: &str) -> Option<Self> {
        Code::ALL.iter().copied().find(|code| code.name() == name)
    }

    /// What the code means, in Markdown: what is wrong, why it matters, and the cure.
    pub const fn explanation(self) -> &'static str {
        match self {
            Code::FaultyToml => {
                "The contract, or `datahub.toml`, is not valid TOML, so nothing can be read from it.\n\n\
                 Cure: fix the line that is shown. Strings are in quotes, and an attribute's keys in braces: `Name = { \
                 kind = \"string\" }`."
            }
            Code::FaultyRust => {
                "A file of Rust source cannot be parsed, so `datahub` does not know its models. The compiler would reject it \
                 too.\n\n\
                 Cure: run `cargo check`, which says more about the place."
            }
            Code::UnknownKey => {
                "A key does not exist at this place. It is rejected rather than ignored, because a misspelt `max-length` \
                 or `read_only` would otherwise not be noticed until CDMS rejects a write.\n\n\
                 Cure: use the key that the message suggests; the derive's documentation lists all keys."
            }
            Code::OpenQuestion => {
                "The contract has `\"?\"` instead of a value. `datahub import` writes it for a fact that no source stated: \
                 `$metadata` has neither lengths nor options, and not what a lookup refers to. An attribute can be mapped \
                 while its `max-length` or its `choices` are open; it cannot be mapped without the `target` of a lookup, \
                 the `scale` of a decimal or the `zone` of a date.\n\n\
                 Cure: look the fact up in CDMS, as the message says, and write it in place of `\"?\"`; or import a \
                 solution that has the entity, which answers all of its questions at once."
            }
            Code::MissingKey => {
                "A required key is missing: a model's `mapping` or `table`, an attribute's `kind`, the source of a \
                 field's value, or the project's `datahub.toml` itself.\n\n\
                 Cure: add the key that the message names."
            }
            Code::WrongValue => {
                "A key has an invalid value: a number instead of a string, an unknown `mode`, an empty list.\n\n\
                 Cure: write the value as the message shows."
            }
            Code::KeysExclude => {
                "Two keys of one field are mutually exclusive: a field has one source, so `local` cannot be combined with \
                 an attribute; it cannot be both `read_only` and `create_only`; an `Option` has `None` for null and needs \
                 no `default`.\n\n\
                 Cure: decide which of the two is meant, and remove the other."
            }
            Code::UnknownAttribute => {
                "A field, a group, a constant or a condition names an attribute that the contract does not state. The \
                 derive knows about CDMS only what the contract says. Names are case-sensitive, as in CDMS.\n\n\
                 Cure: correct the name, or state the attribute in `[attributes]`."
            }
            Code::MappedTwice => {
                "Something is given twice: two fields write the same attribute, so that it would be unclear which value \
                 is meant, a field writes an attribute that has a constant, or a key is repeated.\n\n\
                 Cure: keep one of them. An attribute can have a second field if that is `read_only`, and several fields \
                 can be parts of one attribute if each has a `with` module that puts its part into what `seen` has."
            }
            Code::UnknownGroup => {
                "`flatten` names a group that the contract does not have.\n\n\
                 Cure: correct the name, or add `[groups.<name>]` with the members' attributes to the contract."
            }
            Code::NoKey => {
                "No field holds the record's id, so a row could not be found again.\n\n\
                 Cure: add `#[cdms(key)] pub id: Id<Self>`."
            }
            Code::TwoKeys => {
                "Two fields are marked as the record's id, but a record has one.\n\n\
                 Cure: keep `key` on one of them. An attribute of kind `guid` is mapped like any other."
            }
            Code::Nullability => {
                "The attribute can be null in CDMS, but the field has no value for null. Such a record could not be read \
                 and would wait in quarantine.\n\n\
                 Cure: make the field an `Option`; or give it a `default`, which is shown instead of null and never \
                 written back; or state `required = true` in the contract, if CDMS never has a null there."
            }
            Code::ReadOnly => {
                "CDMS does not accept the attribute, but the field would be sent. The contract says `read-only`; or CDMS \
                 sets or computes the attribute itself, such as states, its own times and users, owners' units, full \
                 names, amounts in the base currency, exchange rates, marks of merges and the ids of addresses; or CDMS \
                 accepts it only with a create, such as `OwnerId`. An update of such an attribute succeeds without \
                 changing it.\n\n\
                 Cure: add `read_only` to the field, which is then filled by reads and never sent; or `create_only`, if \
                 the message says so."
            }
            Code::UnknownChoice => {
                "A variant of an enum is not an option of the contract, or an option has no variant, so that a record \
                 with it could not be read. Or a field has the enum of another attribute, which would read and write the \
                 same numbers under other names.\n\n\
                 Cure: name the option with `#[cdms(\"name\")]`, add the missing variant, or cover all other options with \
                 `#[cdms(other)] Other(i32)`."
            }
            Code::DefaultTooLong => {
                "The default is longer than the attribute's `max-length`. Lengths are counted in UTF-16 units, as in \
                 CDMS.\n\n\
                 Cure: shorten the default, or correct `max-length`."
            }
            Code::DefaultOfRequired => {
                "A `default` stands for a null of CDMS and is therefore never written, neither by an update nor by a \
                 create. The contract says that the attribute is required: CDMS never has a null there, and a record \
                 whose field has the default could not be created.\n\n\
                 Cure: remove `default`, and give each new record its value; or remove `required = true` from the \
                 contract, if CDMS can have a null there."
            }
            Code::RequiredAtCreate => {
                "The contract requires the attribute, but no field that is sent, and no constant, gives it a value: each \
                 `create` of the model would fail.\n\n\
                 Cure: map the attribute, set it in `[constants]`, or make the model a `mode = \"mirror\"`, which is \
                 never written."
            }
            Code::ColumnClash => {
                "Two fields have columns of the same name. The columns of a group are named after its prefix and its \
                 members.\n\n\
                 Cure: rename one with `column = \"…\"`, or the columns of a group with `prefix = \"…\"`."
            }
            Code::ColumnName => {
                "The name cannot be the name of a column or table on both databases and in Diesel: it is a reserved word, \
                 is longer than 63 bytes, has letters that need quotes, begins with a reserved prefix, or is a name that \
                 Diesel's `table!` defines next to the columns, such as the table's own.\n\n\
                 Cure: choose another name with `column = \"…\"`, with `prefix = \"…\"` for the columns of a group, or \
                 with `table = \"…\"` for a table; the field and the struct keep their names."
            }
            Code::UnknownFormerName => {
                "A `was` names a table or a column that the schema after the last migration does not have, and that no \
                 migration has renamed. No migration would rename anything, and the values would stay behind under another \
                 name. A `was` may stay after its migration for as long as you like, because `migrations/schema.toml` keeps \
                 every rename.\n\n\
                 Cure: write the name that the database has, which `migrations/schema.toml` shows, or remove `was`."
            }
            Code::TooManyColumns => {
                "Diesel was built for tables of fewer columns: 32 by default, 64 or 128 with its features \
                 `64-column-tables` and `128-column-tables`.\n\n\
                 Cure: enable the feature and state it in `datahub.toml`, `diesel-columns = 64`; or map fewer attributes; \
                 or leave out Diesel's table, with `diesel(table = false)`. Everything else works without it."
            }
            Code::OnlyDoesNotParse => {
                "The condition that says which records belong to the model is invalid. It has the syntax of the \
                 endpoint's own filters: `StateCode/Value eq 0 and not (Name eq null)`.\n\n\
                 Cure: fix the condition as the message says. Attributes of complex kinds are compared by a member: \
                 `/Value` of choices, states and status, `/Id` of lookups. Decimals, money, doubles and 64-bit \
                 integers cannot be compared in a condition."
            }
            Code::NotInMetadata => {
                "The contract states something that does not exist in the `$metadata` snapshot. CDMS would answer each \
                 request with an error.\n\n\
                 Cure: correct the name, or save a new snapshot if CDMS has changed."
            }
            Code::CdmsChanged => {
                "A running CDMS differs from the `$metadata` snapshot, which `datahub check --live` compares: an entity or an \
                 attribute appeared, vanished, or has another type. It is an error if a model uses what changed, since each \
                 of its requests would fail, and otherwise a note.\n\n\
                 Cure: save CDMS's present $metadata as the snapshot; then `datahub check` shows on each contract what must \
                 change there."
            }
            Code::WrongKind => {
                "The kind does not exist, or does not match the attribute's type in `$metadata`, or is not allowed here: \
                 only choices, states and status have options, and a key is an `Id` of its own model.\n\n\
                 Cure: write the kind or the type that the message names."
            }
            Code::WrongType => {
                "The field's Rust type cannot hold values of the attribute's kind, or cannot be a field at all. The type \
                 of the column follows from the contract's kind, never from the Rust type, so the two must agree. Only \
                 the compiler knows what a type can do, so the compiler reports this, on the type.\n\n\
                 Cure: change the type (`String` holds `string`, `i32` `integer`, `i64` `bigint`, `Decimal` `decimal` and \
                 `money`, `DateTime<Utc>` `datetime`, `NaiveDate` `date`, `Id<Model>` `lookup`); correct the contract's \
                 `kind`; convert with `with = \"module\"`; or implement `FieldType` for a type of your own."
            }
            Code::LookupTarget => {
                "`Id<Model>` is the id of a record of that model's entity, but the contract says that the lookup points \
                 to another. CDMS would reject what is written there, and what is read could not be found.\n\n\
                 Cure: change the type of the field, or the contract's `target`, which is a logical name or a list of \
                 them."
            }
            Code::GroupShape => {
                "The members of a flattened struct must be the keys of the contract's group, all of them and no others: \
                 the table's columns come from the contract, and members are found by their keys.\n\n\
                 Cure: derive CdmsFields for the struct, and add, remove or rename the member that the message names; \
                 `#[cdms(\"town\")]` gives a member a key that differs from its name."
            }
            Code::ModelsClash => {
                "Two models of one program cannot be stored together: they have the same table, which is also a model's \
                 name in the database, or they share an entity and at least one of them has no `only`, so that a record \
                 could belong to both.\n\n\
                 Cure: give one of them another `table = \"…\"`; or give both an `only = \"…\"`, so that each record \
                 satisfies one of them."
            }
            Code::UnlistedModel => {
                "A model is in no `models![…]` of the project, although there is one. A hub knows only the models of its \
                 list: the table of this one is in the migrations, but a call of it fails while the program runs. It is not a \
                 fault, since a program elsewhere may list it, so `datahub check` shows a note.\n\n\
                 Cure: add the model to a list, or remove it."
            }
        }
    }
}
