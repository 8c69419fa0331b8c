//! One form of a page: its address, its fields, and what a browser would send.

use std::fmt;

use zeroize::Zeroizing;

/// A form of a page. `Debug` shows the names of its fields and not their values.
#[derive(Clone)]
pub struct Form {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) is_posted: bool,
    pub(crate) fields: Vec<Field>,
}

/// A field of a form, as it is sent. `Debug` does not show its value.
#[derive(Clone)]
#[non_exhaustive]
pub struct Field {
    /// The name; fields without one are not sent, and are left out.
    pub name: String,
    /// What it is.
    pub kind: FieldKind,
    /// The value that is sent, which is wiped from memory with the field.
    pub value: Zeroizing<String>,
}

/// What a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldKind {
    /// Not shown to a person.
    Hidden,
    /// For a line of text, also an e-mail or a number.
    Text,
    /// For a password.
    Password,
    /// The first button that sends the form.
    Button,
    /// A ticked box, a list, or several lines of text.
    Other,
}

impl Form {
    /// The `id` of the form.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The `name` of the form.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Where the form is sent, as the page says it; `None` means the page's own address.
    pub fn action(&self) -> Option<&str> {
        self.action.as_deref()
    }

    /// Whether the form is posted, encoded as a browser does by default. Others would show their fields in an address.
    pub fn is_posted(&self) -> bool {
        self.is_posted
    }

    /// All fields, in the order of the page.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The value of the first field of this name.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.value.as_str())
    }

    /// Fills the first field of this name in, and says whether there is one. A login fills in the fields that it knows, and no
    /// others.
    pub fn fill(&mut self, name: &str, value: &str) -> bool {
        let field = self.fields.iter_mut().find(|field| field.name == name);
        field.map(|field| field.value = Zeroizing::new(value.to_owned())).is_some()
    }

    /// Whether a password is filled in.
    pub fn has_password(&self) -> bool {
        self.fields.iter().any(|field| field.kind == FieldKind::Password && !field.value.is_empty())
    }

    /// The fields of this kind.
    pub fn of_kind(&self, kind: FieldKind) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(move |field| field.kind == kind)
    }

    /// The names and values that are sent, in the order of the page.
    pub fn pairs(&self) -> Vec<(&str, &str)> {
        self.fields.iter().map(|field| (field.name.as_str(), field.value.as_str())).collect()
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Form { id, name, action: _, is_posted, fields } = self;
        let mut shown = f.debug_struct("Form");
        shown.field("id", id).field("name", name).field("is_posted", is_posted).field("fields", fields).finish()
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ({:?})", self.name, self.kind)
    }
}
