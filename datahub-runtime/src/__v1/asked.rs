//! The checks of a field's type, which only the compiler knows: each fault with its code, names and cure.

use datahub_model::diagnostic::Code;

use super::diagnostics::Diagnostic;
use super::text::Text;
use super::{Field, Kind, same};
use crate::field::ChoiceOptions;

/// A field that is checked, one check after the other; a check that fails ends the compilation with its fault.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'f> {
    /// The field's name.
    name: &'f str,
    /// Its attribute; empty if it has none.
    attribute: &'f str,
    /// Whether its column may be null.
    nullable: bool,
    has_null: bool,
    takes_zero: bool,
    what: What,
    options: ChoiceOptions,
}

/// What a type holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct What {
    pub(super) kinds: &'static [Kind],
    /// For references: the logical names of the models that they may point to.
    pub(super) targets: &'static [&'static str],
}

/// Begins to check a field.
pub const fn asked<'f, T>(field: &Field<T>, name: &'f str, attribute: &'f str) -> Asked<'f> {
    let Field { kinds, has_null, takes_zero, targets, options, .. } = *field;
    Asked { name, attribute, nullable: false, has_null, takes_zero, what: What { kinds, targets }, options }
}

impl<'f> Asked<'f> {
    /// Its column may be null: because the attribute may be, or because its type is written as an `Option`.
    pub const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// Checks that its type holds the kind of the contract, or of the engine's attribute.
    #[track_caller]
    pub const fn holds(self, kind: Kind) -> Self {
        if !self.what.fits(kind) {
            let is_said = self.attribute.is_empty() || self.what.kinds.is_empty() || self.what.is_which(kind);
            let convert = if is_said { "" } else { ", or convert with `with = \"module\"`" };
            self.other_kind(kind).or(convert).report()
        }
        self.takes_null()
    }

    /// Checks that its type holds the kind of `sql_type`; a reference as text is text like any other there.
    #[track_caller]
    pub const fn holds_said(self, kind: Kind) -> Self {
        if !holds(self.what.kinds, kind) {
            self.other_kind(kind).or(", or correct `sql_type`").report()
        }
        self.takes_null()
    }

    /// Checks that its type holds a reference together with the model that it points to.
    #[track_caller]
    pub const fn holds_which(self) -> Self {
        if !self.what.is_which(Kind::Lookup) {
            let message = Text::new("`").and(self.attribute).and("` is a lookup stored as text, but the type of `");
            let message = message.and(self.name).and("` does not name the models that it may point to");
            let cure = if self.nullable { "`Option<OneOf<(…)>>`" } else { "`OneOf<(…)>`" };
            let cure = Text::new("write its type as ").and(cure).and(" of those models, or remove `sql_type`; a type ");
            let cure = cure.and("of your own names them in `FieldType::TARGETS`");
            Diagnostic::of(Code::WrongType, message).cure(cure.text()).report()
        }
        self.takes_null()
    }

    const fn other_kind(self, kind: Kind) -> Diagnostic {
        let Asked { name, attribute, nullable, what, .. } = self;
        if attribute.is_empty() {
            let about = Text::new("`").and(name).and("` is of kind ").and(kind.name()).and(", but its type");
            what.other_kind(about, kind, nullable)
        } else {
            let about = Text::new("`").and(attribute).and("` is of kind ").and(kind.name()).and(", but the type of `");
            what.other_kind(about.and(name).and("`"), kind, nullable)
        }
    }

    /// Checks for a value for null, if the column may be null.
    #[track_caller]
    const fn takes_null(self) -> Self {
        if self.has_null || !self.nullable {
            return self;
        }
        let message = if self.attribute.is_empty() {
            let message = Text::new("`").and(self.name).and("` is written as an `Option`, but its type has no value ");
            message.and("for null")
        } else {
            let message = Text::new("`").and(self.attribute).and("` can be null in CDMS, but `").and(self.name);
            message.and("` cannot")
        };
        let cure = "make the field an `Option`, add `default`, or state `required = true` in the contract";
        Diagnostic::of(Code::Nullability, message).cure(cure).report()
    }

    /// Checks that its type has no value for null, because a `default` stands for null.
    #[track_caller]
    pub const fn needs_no_default(self) -> Self {
        if self.has_null {
            let message = Text::new("`default` is not allowed for `").and(self.name);
            let message = message.and("`, whose type has a value for null");
            let cure = "remove `default`, or use a type without a value for null";
            Diagnostic::of(Code::KeysExclude, message).cure(cure).report()
        }
        self
    }

    /// Checks that its type has no value for null, if only the text of the type says whether the column is nullable.
    #[track_caller]
    pub const fn is_never_null(self) -> Self {
        if self.has_null {
            let message = Text::new("the type of `").and(self.name).and("` has a value for null, but its column ");
            let cure = "write the type as `Option<…>`; without a contract, only that makes the column nullable";
            Diagnostic::of(Code::Nullability, message.and("is not nullable")).cure(cure).report()
        }
        self
    }

    /// Checks that a local field's type accepts the value with which its column begins.
    #[track_caller]
    pub const fn begins_with_zero(self) -> Self {
        let asked = self.is_never_null();
        if !asked.takes_zero {
            let message = Text::new("`").and(asked.name).and("` has no value when a record is first read from CDMS");
            let cure = "make the field an `Option`, or state its first value with `default = …`; or set \
                        `FieldType::TAKES_ZERO` if the type accepts empty text, zero or `false`";
            Diagnostic::of(Code::Nullability, message).cure(cure).report()
        }
        asked
    }

    /// Checks that a reference may point to what the contract allows.
    #[track_caller]
    pub const fn points_to(self, targets: &[&str]) -> Self {
        each_allowed(self.what.targets, self.name, self.attribute, targets);
        takes_each(self.what.targets, self.has_null, self.name, self.attribute, targets);
        self
    }

    /// Checks that the type of a choice has this attribute's options: the enum of another attribute would read and write the
    /// same numbers under other names.
    #[track_caller]
    pub const fn takes_options(self, choices: &[(&str, i32)]) -> Self {
        each_option_fits(&self.options, self.name, self.attribute, choices);
        self
    }
}

impl What {
    /// Whether values of a kind fit; text does not fit a type whose text is a reference.
    pub(super) const fn fits(self, kind: Kind) -> bool {
        let is_reference = matches!(kind, Kind::String) && !self.targets.is_empty();
        holds(self.kinds, kind) && !is_reference
    }

    /// Whether a lookup would fit as text that names the model it points to.
    const fn is_which(self, kind: Kind) -> bool {
        matches!(kind, Kind::Lookup) && holds(self.kinds, Kind::String) && !self.targets.is_empty()
    }

    /// The fault of a kind that does not fit, and its cure, after the words that name what has this kind.
    pub(super) const fn other_kind(self, about: Text, kind: Kind, nullable: bool) -> Diagnostic {
        if self.kinds.is_empty() {
            let fault = Diagnostic::of(Code::WrongType, about.and(" holds no kind"));
            return fault.cure("list its kinds in `FieldType::KINDS`, or use another type");
        }
        let holds_which = holds(self.kinds, Kind::String) && !self.targets.is_empty();
        let message = if holds_which {
            about.and(" holds references to several models, which are stored as text")
        } else {
            about.and(" holds ").and_kinds(self.kinds)
        };
        let fault = Diagnostic::of(Code::WrongType, message);
        if self.is_which(kind) {
            return fault.cure("add `sql_type = \"string\"` to the field");
        }
        let (before, after) = if nullable { ("`Option<", ">`") } else { ("`", "`") };
        let fault = fault.cure("write its type as ").or(before).or(type_of(kind)).or(after);
        match kind {
            Kind::Choice | Kind::State | Kind::Status => fault.or(" or as an enum with #[derive(CdmsChoice)]"),
            _ => fault,
        }
    }
}

/// The type that most fields of a kind have.
const fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "String",
        Kind::Integer | Kind::Choice | Kind::State | Kind::Status => "i32",
        Kind::BigInt => "i64",
        Kind::Decimal | Kind::Money => "Decimal",
        Kind::Double => "f64",
        Kind::Boolean => "bool",
        Kind::DateTime => "DateTime<Utc>",
        Kind::Date => "NaiveDate",
        Kind::Guid => "Uuid",
        Kind::Lookup => "Id<…>",
    }
}

/// Checks that a reference that is never null can point to each target: a record that points to another could not be read.
#[track_caller]
pub(super) const fn takes_each(pointed_to: &[&str], has_null: bool, name: &str, attribute: &str, targets: &[&str]) {
    // The targets of a type that names none, or of a model with faults, are unknown.
    if has_null || pointed_to.is_empty() || is_one_of("", pointed_to) {
        return;
    }
    let mut position = 0;
    while position < targets.len() {
        if !is_one_of(targets[position], pointed_to) {
            let message = Text::new("`").and(attribute).and("` may also point to `").and(targets[position]);
            let message = message.and("`, which `").and(name).and("` cannot hold");
            let cure = "make it an `Option`, which is `None` then and leaves the reference unchanged; or hold every target with \
                        `OneOf<(…)>` and `sql_type = \"string\"`; or state one `target` in the contract";
            Diagnostic::of(Code::LookupTarget, message).cure(cure).report()
        }
        position += 1;
    }
}

const fn is_one_of(name: &str, names: &[&str]) -> bool {
    let mut position = 0;
    while position < names.len() {
        if same(names[position], name) {
            return true;
        }
        position += 1;
    }
    false
}

#[track_caller]
pub(super) const fn each_allowed(pointed_to: &[&str], name: &str, attribute: &str, targets: &[&str]) {
    let mut position = 0;
    while position < pointed_to.len() {
        allowed(pointed_to[position], name, attribute, targets);
        position += 1;
    }
}

#[track_caller]
const fn allowed(target: &str, name: &str, attribute: &str, targets: &[&str]) {
    // The logical name of a model with faults may be unknown.
    if target.is_empty() || is_one_of(target, targets) {
        return;
    }
    let message = Text::new("`").and(attribute).and("` points to ").and_list(targets).and(", but `").and(name);
    let message = message.and("` is an id of `").and(target).and("`");
    let cure = "change the type of the field, or the contract's `target`";
    Diagnostic::of(Code::LookupTarget, message).cure(cure).report()
}

#[track_caller]
pub(super) const fn each_option_fits(options: &ChoiceOptions, name: &str, attribute: &str, choices: &[(&str, i32)]) {
    let named = options.named;
    let about = Text::new("the type of `").and(name);
    if choices.is_empty() && !named.is_empty() {
        let message = about.and("` has options, but the contract states none for `").and(attribute).and("`");
        let cure = "state the attribute's `choices` in the contract, so that the two can be compared";
        Diagnostic::of(Code::UnknownChoice, message).cure(cure).report()
    }
    let cure = "use the enum of this attribute, or correct `choices` in the contract";
    let mut position = 0;
    while position < named.len() {
        if !is_among(named[position], choices) {
            let message = about.and("` has the option `").and(named[position].0).and("`, which `").and(attribute);
            let message = message.and("` does not have, or has with another number");
            Diagnostic::of(Code::UnknownChoice, message).cure(cure).report()
        }
        position += 1;
    }
    position = 0;
    while position < choices.len() && !options.takes_rest {
        if !is_among(choices[position], named) {
            let message = about.and("` is missing the option `").and(choices[position].0).and("` of `").and(attribute);
            Diagnostic::of(Code::UnknownChoice, message.and("`")).cure(cure).report()
        }
        position += 1;
    }
}

const fn is_among(option: (&str, i32), options: &[(&str, i32)]) -> bool {
    let mut position = 0;
    while position < options.len() {
        if options[position].1 == option.1 && same(options[position].0, option.0) {
            return true;
        }
        position += 1;
    }
    false
}

/// Whether a kind is among these.
pub(super) const fn holds(kinds: &[Kind], kind: Kind) -> bool {
    let mut position = 0;
    while position < kinds.len() {
        if kinds[position] as u8 == kind as u8 {
            return true;
        }
        position += 1;
    }
    false
}
