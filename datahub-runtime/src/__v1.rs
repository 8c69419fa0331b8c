//! What derived code refers to, all of it and nothing else. Not for use by hand: a change that a derive of another
//! version would not fit gets this module another name.

pub use datahub_model::{
    Attribute, Class, Column, Comparison, Condition, Constant, EngineAttribute, Entity, Literal, MappingId, Mode,
    ModelDescriptor, Source, Write,
};
pub use diesel;
pub use std::option::Option;
pub use std::result::Result;

use cdms_odata::Attributes;

pub use crate::stored::Stored;
pub use crate::written::{Written, written};
pub use crate::{__diesel_changeset, __diesel_insertable, __diesel_reading};
pub use crate::{
    Carries, CdmsFields, CdmsSynced, Fault, FieldType, GroupReader, GroupWriter, Id, Kind, Member, Model, RowReader,
    RowWriter, Value, Writable, kind, sql_types,
};

/// Asks that a field's type can hold the contract's kind, and that its column may be null exactly where the type has a
/// value for null.
#[track_caller]
pub const fn field_fits<T: Carries<K>, K>(written_as_option: bool) {
    assert!(
        T::NULLABLE == written_as_option,
        "write the field's type as `Option<…>` itself: the column's nullability is read from the source"
    );
}

/// Asks that a reference may point to what the contract allows.
#[track_caller]
pub const fn target_is_allowed<T: FieldType>(targets: &[&str]) {
    if let Some(target) = T::TARGET {
        allowed(target, targets);
    }
}

#[track_caller]
const fn allowed(target: &str, targets: &[&str]) {
    let mut position = 0;
    while position < targets.len() {
        if same(targets[position], target) {
            return;
        }
        position += 1;
    }
    panic!(
        "the contract's lookup does not point to this model's entity; compare its `target` with the type of the field"
    )
}

/// Asks that a flattened struct has the members of the contract's group, each of a fitting kind.
#[track_caller]
pub const fn group_matches<G: CdmsFields>(keys: &[(&str, Kind, bool)]) {
    assert!(
        keys.len() == G::MEMBERS.len(),
        "the flattened struct has not as many members as the contract's group has keys"
    );
    let mut position = 0;
    while position < keys.len() {
        let (name, kind, required) = keys[position];
        let mut member = 0;
        while member < G::MEMBERS.len() && !same(G::MEMBERS[member].name, name) {
            member += 1;
        }
        assert!(member < G::MEMBERS.len(), "a key of the contract's group is no member of the flattened struct");
        let found = &G::MEMBERS[member];
        assert!(holds(found.kinds, kind), "a member of the flattened struct cannot hold the kind of its attribute");
        assert!(
            required || found.nullable,
            "a member of the flattened struct must be an Option or have a default, because its attribute may be null"
        );
        position += 1;
    }
}

/// Asks that a program's models do not share a table, nor an entity without saying which records are whose.
#[track_caller]
pub const fn models_do_not_clash(models: &[&ModelDescriptor]) {
    let mut first = 0;
    while first < models.len() {
        let mut second = first + 1;
        while second < models.len() {
            let (one, other) = (models[first], models[second]);
            assert!(!same(one.table, other.table), "two models have the same table");
            assert!(
                !same(one.entity.name, other.entity.name) || (one.only.is_some() && other.only.is_some()),
                "two models share an entity, and one of them has no `only` to say which records are its own"
            );
            second += 1;
        }
        first += 1;
    }
}

const fn holds(kinds: &[Kind], kind: Kind) -> bool {
    let mut position = 0;
    while position < kinds.len() {
        if kinds[position] as u8 == kind as u8 {
            return true;
        }
        position += 1;
    }
    false
}

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut position = 0;
    while position < one.len() {
        if one[position] != other[position] {
            return false;
        }
        position += 1;
    }
    true
}

/// The column's value of attributes that a `with` module joins.
pub fn joined<T: FieldType>(
    decode: fn(&Attributes) -> Result<T, Fault>,
    attributes: &Attributes,
) -> Result<Value, Fault> {
    decode(attributes).map(|value| value.to_value())
}

/// The attributes that a `with` module makes of a column's value.
pub fn parted<T: FieldType>(
    encode: fn(&T, &Attributes) -> Result<Attributes, Fault>,
    value: &Value,
    seen: &Attributes,
) -> Result<Attributes, Fault> {
    encode(&T::from_value(value)?, seen)
}

/// Asks that a group's member may point to what the contract allows.
#[track_caller]
pub const fn member_target_is_allowed<G: CdmsFields>(name: &str, targets: &[&str]) {
    let mut member = 0;
    while member < G::MEMBERS.len() {
        if same(G::MEMBERS[member].name, name)
            && let Some(target) = G::MEMBERS[member].target
        {
            allowed(target, targets);
        }
        member += 1;
    }
}

/// The descriptor of a model that was not derived because of its faults.
pub const FAULTY: ModelDescriptor = ModelDescriptor {
    name: "",
    table: "",
    mode: Mode::Sync,
    entity: Entity { name: "", set: "", key: "", logical: "", modified: "", created: "", modified_by: "" },
    attributes: &[],
    columns: &[],
    constants: &[],
    only: None,
    mapping_id: MappingId(0),
    through: |row| Ok(row.to_vec()),
};

/// The row of the model that a row makes.
pub fn through<T: CdmsSynced>(row: &[Value]) -> Result<Vec<Value>, Fault> {
    crate::model::row_of(&crate::model::model_of::<T>(row)?)
}

/// The kinds that a choice enum can hold.
pub const CHOICE_KINDS: &[Kind] = &[Kind::Choice, Kind::State, Kind::Status];

/// The fault of a number that no variant takes.
pub fn no_such_option(attribute: &'static str, number: i32) -> Fault {
    Fault::new("has an option that the contract does not know; add it there and to the enum")
        .at(attribute)
        .value(&Value::Choice(number))
}

/// The value of a field's default, for the descriptor.
pub fn default_value<T: FieldType>(default: T) -> Value {
    default.to_value()
}
