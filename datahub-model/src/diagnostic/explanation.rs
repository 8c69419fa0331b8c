//! What each code means, at length: why it is a fault and how to cure it. `datahub explain` and the reference show it.

use super::Code;

impl Code {
    /// The code of this name; `None` where there is none.
    pub fn named(name: &str) -> Option<Self> {
        Code::ALL.iter().copied().find(|code| code.name() == name)
    }

    /// What the code means, in Markdown: what is wrong, why it matters, and the cure.
    pub const fn explanation(self) -> &'static str {
        match self {
            Code::FaultyToml => {
                "The contract, or `datahub.toml`, is no TOML, so nothing can be read from it.\n\n\
                 Cure: mend the line that is shown. Texts stand in quotes, an attribute's keys in braces: \
                 `Name = { kind = \"string\" }`."
            }
            Code::UnknownKey => {
                "A key is written that does not exist at this place. It is refused rather than ignored, because a typing \
                 error in `max-length` or `read_only` would otherwise go unnoticed until CDMS refuses a write.\n\n\
                 Cure: use the key that the message names; the derive's documentation lists them all."
            }
            Code::MissingKey => {
                "Something that has to be said is not said: a model's `mapping` or `table`, an attribute's `kind`, where a \
                 field's value comes from, or the project's `datahub.toml`.\n\n\
                 Cure: add the key that the message names."
            }
            Code::WrongValue => {
                "A key has a value of another sort than it takes: a number where a text is needed, a `mode` that does not \
                 exist, an empty list.\n\n\
                 Cure: write the value as the message shows it."
            }
            Code::KeysExclude => {
                "Two keys of one field contradict each other: a field has one source, so `local` goes with no attribute; it is \
                 not both `read_only` and `create_only`; an `Option` has `None` for a null and needs no `default`.\n\n\
                 Cure: decide which of them is meant and remove the other."
            }
            Code::UnknownAttribute => {
                "A field, a group, a constant or a condition names an attribute that the contract does not state. The \
                 derive knows of CDMS only what the contract says. Names are case-sensitive, as CDMS's own are.\n\n\
                 Cure: correct the name, or state the attribute under `[attributes]`."
            }
            Code::MappedTwice => {
                "Something is there twice: two fields write one attribute, so that it could not be told which value is \
                 meant, a field writes what a constant writes already, or a key is repeated.\n\n\
                 Cure: keep one of them. A second view of an attribute is possible where it is `read_only`, and several \
                 fields may be parts of one attribute where a `with` module of each puts its part into what `seen` has."
            }
            Code::UnknownGroup => {
                "`flatten` names a group that the contract does not have.\n\n\
                 Cure: correct the name, or add `[groups.<name>]` with the members' attributes to the contract."
            }
            Code::NoKey => {
                "No field holds the record's id, so that a row could not be found again.\n\n\
                 Cure: add `#[cdms(key)] pub id: Id<Self>`."
            }
            Code::TwoKeys => {
                "Two fields are marked as the record's id, and a record has one.\n\n\
                 Cure: keep `key` on one of them. An attribute of kind `guid` is mapped like any other."
            }
            Code::Nullability => {
                "The attribute can be null in CDMS, and the field has no value for that. Such a record could not be read \
                 and would wait in quarantine.\n\n\
                 Cure: make the field an `Option`; or give it a `default`, which is shown instead of the null and never \
                 written back; or state `required = true` in the contract, if CDMS never has a null there."
            }
            Code::ReadOnly => {
                "CDMS does not let the attribute be written, but the field would be sent. The contract says `read-only`; or \
                 CDMS keeps or reckons the attribute itself, as it does states, its own times and users, owners' units, full \
                 names, amounts in the base currency, exchange rates, marks of merges and the ids of addresses; or it takes it \
                 with a create alone, as it does `OwnerId`. It answers an update of such an attribute as if all were well.\n\n\
                 Cure: add `read_only` to the field, which is then ignored on the way out and filled on the way back; or \
                 `create_only`, where the message says so."
            }
            Code::UnknownChoice => {
                "An enum's variant is no option of the contract, or an option has no variant, so that a record with it \
                 could not be read. Or a field has the enum of another attribute, which would read and write the same \
                 numbers under other names.\n\n\
                 Cure: name the option with `#[cdms(\"name\")]`, add the missing variant, or take all others with \
                 `#[cdms(other)] Other(i32)`."
            }
            Code::DefaultTooLong => {
                "The default is longer than the attribute may be. Lengths count UTF-16 units, as CDMS does.\n\n\
                 Cure: shorten the default, or correct `max-length`."
            }
            Code::DefaultOfRequired => {
                "A `default` stands for a null of CDMS and is therefore never written, neither back nor with a create. The \
                 contract says that the attribute is required: CDMS has no null there, and a record whose field holds just \
                 the default could not be created.\n\n\
                 Cure: remove `default`, and give each new record its value; or remove `required = true` from the contract, \
                 if CDMS can have a null there after all."
            }
            Code::RequiredAtCreate => {
                "The contract requires the attribute, and no field that is sent, and no constant, gives it a value: each \
                 `create` of the model would fail.\n\n\
                 Cure: map the attribute, set it under `[constants]`, or make the model a `mode = \"mirror\"` that is \
                 never written."
            }
            Code::ColumnClash => {
                "Two fields make columns of one name; a group's columns are called after its prefix and members.\n\n\
                 Cure: rename one with `column = \"…\"`, or a group's with `prefix = \"…\"`."
            }
            Code::ColumnName => {
                "The name cannot be a column's or table's on both databases and in Diesel: it is a reserved word, is longer \
                 than 63 bytes, has letters that need quotes, begins with a prefix that is taken, or is a name that \
                 Diesel's `table!` has beside the columns, as it has the table's own.\n\n\
                 Cure: choose another with `column = \"…\"`, or for a group's columns with `prefix = \"…\"`, and for a table \
                 with `table = \"…\"`; the field and the struct keep their names."
            }
            Code::TooManyColumns => {
                "Diesel was built for tables of fewer columns: 32 of itself, 64 or 128 with its features \
                 `64-column-tables` and `128-column-tables`.\n\n\
                 Cure: enable the feature and say so to the derive, `diesel-columns = 64` in `datahub.toml`; or leave \
                 attributes out; or do without Diesel's table, with `diesel(table = false)`. Everything else works there too."
            }
            Code::OnlyDoesNotParse => {
                "The condition that says which records are the model's cannot be read. It is written like the endpoint's \
                 own filters: `StateCode/Value eq 0 and not (Name eq null)`.\n\n\
                 Cure: mend it as the message says. Attributes of complex kinds are compared by a member: `/Value` of \
                 choices, states and status, `/Id` of lookups. Decimals, money, doubles, dates and 64-bit integers cannot \
                 stand in a condition."
            }
            Code::NotInMetadata => {
                "The contract states something that the `$metadata` snapshot does not have. CDMS would answer each request \
                 with an error.\n\n\
                 Cure: correct the name, or take a new snapshot if CDMS has changed."
            }
            Code::WrongKind => {
                "The kind does not exist, or is not one that the attribute's type in `$metadata` can have, or not one of those \
                 that can stand here: options are of choices, states and status, a key is an `Id` of its own model.\n\n\
                 Cure: write the kind or the type that the message names."
            }
            Code::WrongType => {
                "The field's Rust type cannot hold values of the attribute's kind, or cannot be a field at all. The column's \
                 type is the contract's kind, never guessed from the Rust type, so the two have to agree. Only the compiler \
                 knows what a type can do, so it is the compiler that tells this, on the type.\n\n\
                 Cure: change the type (`String` holds `string`, `i32` `integer`, `i64` `bigint`, `Decimal` `decimal` and \
                 `money`, `DateTime<Utc>` `datetime`, `NaiveDate` `date`, `Id<Model>` `lookup`); correct the contract's `kind`; \
                 convert with `with = \"module\"`; or implement `FieldType` for a type of your own."
            }
            Code::LookupTarget => {
                "`Id<Model>` is known to be the id of a record of that model's entity, and the contract says that the lookup \
                 points to others. Whatever was written there would be refused by CDMS, and whatever is there would not be \
                 found again.\n\n\
                 Cure: change the type of the field, or the contract's `target`, which is a logical name or a list of them."
            }
            Code::GroupShape => {
                "A struct that is flattened has the keys of the contract's group as its members, each of them and no others: \
                 the table's columns come from the contract, and the members are found by their keys.\n\n\
                 Cure: derive CdmsFields for the struct, and add, remove or rename the member that the message names; \
                 `#[cdms(\"town\")]` gives a member a key that is not its name."
            }
            Code::ModelsClash => {
                "Two models of one program cannot be stored side by side: they have the same table, which is also a model's \
                 name in the database, or they share an entity and at least one of them does not say which of its records are \
                 its own, so that a record would be both.\n\n\
                 Cure: give one of them another `table = \"…\"`; or give both an `only = \"…\"`, of which each record satisfies \
                 one."
            }
        }
    }
}
