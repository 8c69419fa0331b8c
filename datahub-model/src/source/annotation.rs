//! A struct's annotations as written: every part is optional, and has its place.

/// A value with its place in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed<T, P> {
    /// The value.
    pub value: T,
    /// Its place.
    pub place: P,
}

/// The annotations of a model.
#[derive(Clone, Debug)]
pub struct ModelAnnotation<P> {
    /// The struct's name.
    pub name: Placed<String, P>,
    /// `table = "…"`.
    pub table: Option<Placed<String, P>>,
    /// `was = "…"`, the table's name before it was renamed.
    pub was: Option<Placed<String, P>>,
    /// `mode = "…"`.
    pub mode: Option<Placed<String, P>>,
    /// `only = "…"`.
    pub only: Option<Placed<String, P>>,
    /// `diesel(…)`.
    pub diesel: DieselGlue<P>,
    /// The fields in order.
    pub fields: Vec<FieldAnnotation<P>>,
    /// Whether some of its own keys could not be read, so that a missing key is not reported.
    pub is_faulty: bool,
}

/// What the derive generates for Diesel: `table!` and reading always, unless `table = false`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DieselGlue<P> {
    /// `table = false`: none of it.
    pub no_table: Option<P>,
    /// `insertable`
    pub insertable: Option<P>,
    /// `changeset`
    pub changeset: Option<P>,
}

impl<P> Default for DieselGlue<P> {
    fn default() -> Self {
        DieselGlue { no_table: None, insertable: None, changeset: None }
    }
}

/// The annotations of a field.
#[derive(Clone, Debug)]
pub struct FieldAnnotation<P> {
    /// The field's name.
    pub name: Placed<String, P>,
    /// The place of its type.
    pub type_place: P,
    /// Whether the type is written as `Option<…>`.
    pub is_option: bool,
    /// Whether the type is not one of those that are known to have no value for null, so that only the compiler knows.
    pub is_opaque: bool,
    /// The type as it is written.
    pub written_type: String,
    /// `"Name"` or `attribute = "Name"`.
    pub attribute: Option<Placed<String, P>>,
    /// `attributes("A", "B")`.
    pub attributes: Option<Placed<Vec<Placed<String, P>>, P>>,
    /// `with = "module"`.
    pub with: Option<Placed<String, P>>,
    /// `key`.
    pub key: Option<P>,
    /// `modified`, `created`, `modified_by`.
    pub engine: Option<Placed<EngineField, P>>,
    /// `default`, `default = …`.
    pub default: Option<Placed<DefaultValue, P>>,
    /// `read_only`.
    pub read_only: Option<P>,
    /// `create_only`.
    pub create_only: Option<P>,
    /// `flatten = "group"`.
    pub flatten: Option<Placed<String, P>>,
    /// `prefix = "…"`.
    pub prefix: Option<Placed<String, P>>,
    /// `local`.
    pub local: Option<P>,
    /// `class = "secret"`, of a local field.
    pub class: Option<Placed<String, P>>,
    /// `sql_type = "kind"`.
    pub sql_type: Option<Placed<String, P>>,
    /// `column = "…"`.
    pub column: Option<Placed<String, P>>,
    /// `was = "…"`, the column's name before it was renamed.
    pub was: Option<Placed<String, P>>,
    /// Whether some of it could not be read, so that a missing key is not reported.
    pub is_faulty: bool,
}

/// Which of the engine's values a field shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineField {
    /// `modified`
    Modified,
    /// `created`
    Created,
    /// `modified_by`
    ModifiedBy,
}

/// The value that stands for a null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DefaultValue {
    /// `default`: the type's own.
    OfType,
    /// `default = "text"`.
    Text(String),
    /// `default = …`, any other expression, as it is written.
    Expression(String),
}

impl DefaultValue {
    /// The default as text, which changes when the default does.
    pub(super) fn said(&self) -> String {
        match self {
            DefaultValue::OfType => "of the type".to_owned(),
            DefaultValue::Text(text) => format!("{text:?}"),
            DefaultValue::Expression(expression) => expression.clone(),
        }
    }
}

impl<P> FieldAnnotation<P> {
    /// Whether a field without annotations may be meant as the key: it is an id, and its name is `id`.
    pub(super) fn may_be_the_key(&self) -> bool {
        self.name.value == "id" && self.written_type.replace(' ', "").contains("Id<")
    }
}

impl<P: Clone> FieldAnnotation<P> {
    /// A field without annotations.
    pub fn new(name: Placed<String, P>, type_place: P, is_option: bool) -> Self {
        FieldAnnotation {
            name,
            type_place,
            is_option,
            is_opaque: false,
            written_type: String::new(),
            attribute: None,
            attributes: None,
            with: None,
            key: None,
            engine: None,
            default: None,
            read_only: None,
            create_only: None,
            flatten: None,
            prefix: None,
            local: None,
            class: None,
            sql_type: None,
            column: None,
            was: None,
            is_faulty: false,
        }
    }
}
