//! A page as a login needs it: its forms, and the text of its elements. Whatever it contains, reading takes time and memory
//! in proportion to its length.

use std::ops::Range;

use html5gum::{StartTag, State, Token, Tokenizer};
use zeroize::Zeroizing;

use crate::form::{Field, FieldKind, Form};

/// The most forms that a page may have.
const FORMS_MAX: usize = 100;

/// The most fields that the forms of a page may have together.
const FIELDS_MAX: usize = 2_000;

/// Elements that are nested more deeply are read, and have no text of their own.
const DEPTH_MAX: usize = 256;

/// A page of HTML. It is read by the rules of the HTML standard for tokens, and for which form a field belongs to; scripts are
/// not run, and what a browser without scripts would show is what counts.
#[derive(Debug, Default)]
pub struct Document {
    forms: Vec<Form>,
    base: Option<String>,
    /// It may repeat what was sent, so it is wiped.
    text: Zeroizing<String>,
    /// The elements with an `id`, and where their text is.
    marked: Vec<(String, Range<usize>)>,
    title: Range<usize>,
}

/// Why a page cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentFault {
    /// It has too many forms.
    #[error("it has more than {FORMS_MAX} forms")]
    Forms,
    /// It has too many fields.
    #[error("its forms have more than {FIELDS_MAX} fields")]
    Fields,
}

impl Document {
    /// Reads a page.
    ///
    /// # Errors
    ///
    /// It has far more forms or fields than a login page.
    pub fn read(html: &str) -> Result<Self, DocumentFault> {
        let mut reader = Reader::default();
        // A text that grew would leave copies behind that are not wiped. The text of a page is hardly longer than the page.
        reader.document.text.reserve_exact(html.len());
        let mut tokens = Tokenizer::new(html);
        // Text cannot fail to be read.
        while let Some(Ok(token)) = tokens.next() {
            match token {
                Token::StartTag(tag) => {
                    let name = text_of(&tag.name);
                    // The tokenizer leaves it to its caller in which elements there are no tags; it knows itself which tag
                    // ends them.
                    if let Some(state) = raw(&name) {
                        tokens.set_state(state);
                    }
                    reader.open(&name, &tag)?;
                }
                Token::EndTag(tag) => reader.close(&text_of(&tag.name)),
                Token::String(text) => reader.read(&text_of(&text)),
                Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
            }
        }
        Ok(reader.finish())
    }

    /// The forms, in the order of the page.
    pub fn forms(&self) -> &[Form] {
        &self.forms
    }

    /// The address that others on the page are relative to, if the page says so.
    pub fn base(&self) -> Option<&str> {
        self.base.as_deref()
    }

    /// The title, in one line.
    pub fn title(&self) -> String {
        in_one_line(&self.text[self.title.clone()])
    }

    /// The text of the first element whose `id` satisfies this and that has any, in one line.
    pub fn text_where(&self, is_wanted: impl Fn(&str) -> bool) -> Option<String> {
        let wanted = self.marked.iter().filter(|(id, _)| is_wanted(id));
        wanted.map(|(_, text)| in_one_line(&self.text[text.clone()])).find(|text| !text.is_empty())
    }

    /// All text that the page shows, with its line breaks.
    pub fn text(&self) -> &str {
        &self.text
    }
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// How the contents of an element are read, if not as HTML.
fn raw(name: &str) -> Option<State> {
    Some(match name {
        "title" | "textarea" => State::RcData,
        "style" | "xmp" | "iframe" | "noembed" | "noframes" => State::RawText,
        "script" => State::ScriptData,
        "plaintext" => State::PlainText,
        _ => return None,
    })
}

/// Elements without contents, and therefore without an end.
fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

/// An element that is open.
struct Open {
    name: String,
    /// Where its text began.
    begun: usize,
    /// Which of the marked elements it is.
    marked: Option<usize>,
}

/// To which form a field belongs.
enum Owner {
    /// The one with this index.
    Form(usize),
    /// The one with this id, wherever it stands.
    Id(String),
}

/// A field whose contents are being read.
enum Filling {
    /// Several lines of text, which began here.
    Lines(usize),
    /// A list, and whether one of its options is chosen.
    List { is_chosen: bool },
}

#[derive(Default)]
struct Reader {
    document: Document,
    open: Vec<Open>,
    fields: Vec<(Owner, Field)>,
    /// The form that is open: there is one at a time, whatever a page says.
    form: Option<usize>,
    filling: Option<Filling>,
    /// The option of a list that is open: where its text began, its value if it has one, and whether it is chosen.
    option: Option<(usize, Option<String>, bool)>,
}

impl Reader {
    fn open(&mut self, name: &str, tag: &StartTag<()>) -> Result<(), DocumentFault> {
        let attribute = |wanted: &str| tag.attributes.get(wanted.as_bytes()).map(|value| text_of(value));
        let document = &mut self.document;
        match name {
            "form" if self.form.is_none() => {
                if document.forms.len() == FORMS_MAX {
                    return Err(DocumentFault::Forms);
                }
                self.form = Some(document.forms.len());
                let is = |value: Option<String>, wanted: &str| {
                    value.is_some_and(|value| value.trim().eq_ignore_ascii_case(wanted))
                };
                let encoding = attribute("enctype").filter(|encoding| !encoding.trim().is_empty());
                document.forms.push(Form {
                    id: attribute("id"),
                    name: attribute("name"),
                    action: attribute("action").filter(|action| !action.trim().is_empty()),
                    is_posted: is(attribute("method"), "post")
                        && (encoding.is_none() || is(encoding, "application/x-www-form-urlencoded")),
                    fields: Vec::new(),
                });
            }
            "base" if document.base.is_none() => document.base = attribute("href"),
            "input" | "button" => {
                if let Some(kind) = kind_of(name, &attribute) {
                    let absent = if kind == FieldKind::Other { "on" } else { "" };
                    self.add(&attribute, kind, attribute("value").unwrap_or_else(|| absent.to_owned()))?;
                }
            }
            "textarea" if self.add(&attribute, FieldKind::Other, String::new())? => {
                self.filling = Some(Filling::Lines(self.document.text.len()));
            }
            "select" if self.add(&attribute, FieldKind::Other, String::new())? => {
                self.filling = Some(Filling::List { is_chosen: false });
            }
            "option" => {
                self.end_option();
                if matches!(self.filling, Some(Filling::List { .. })) {
                    let begun = self.document.text.len();
                    self.option = Some((begun, attribute("value"), attribute("selected").is_some()));
                }
            }
            _ => {}
        }
        let begun = self.document.text.len();
        let marked = attribute("id").filter(|_| self.open.len() < DEPTH_MAX).map(|id| {
            self.document.marked.push((id, begun..begun));
            self.document.marked.len() - 1
        });
        if !is_void(name) && self.open.len() < DEPTH_MAX {
            self.open.push(Open { name: name.to_owned(), begun, marked });
        }
        Ok(())
    }

    /// Adds a field, if it is sent and belongs to a form; says whether it was.
    fn add(
        &mut self,
        attribute: &impl Fn(&str) -> Option<String>,
        kind: FieldKind,
        value: String,
    ) -> Result<bool, DocumentFault> {
        // A field ends a list that is open.
        (self.filling, self.option) = (None, None);
        let Some(name) = attribute("name").filter(|name| !name.is_empty()) else { return Ok(false) };
        let owner = match attribute("form") {
            Some(id) => Owner::Id(id),
            None => match self.form {
                Some(form) => Owner::Form(form),
                None => return Ok(false),
            },
        };
        if attribute("disabled").is_some() {
            return Ok(false);
        }
        if self.fields.len() == FIELDS_MAX {
            return Err(DocumentFault::Fields);
        }
        self.fields.push((owner, Field { name, kind, value: Zeroizing::new(value) }));
        Ok(true)
    }

    fn read(&mut self, text: &str) {
        if !self.open.last().is_some_and(|open| matches!(open.name.as_str(), "script" | "style")) {
            self.document.text.push_str(text);
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "form" => self.form = None,
            "option" => self.end_option(),
            "select" => {
                self.end_option();
                self.filling = None;
            }
            "textarea" => {
                if let Some(Filling::Lines(begun)) = self.filling.take()
                    && let Some((_, field)) = self.fields.last_mut()
                {
                    let text = &self.document.text[begun..];
                    // The line break after the tag is not part of the text.
                    field.value = Zeroizing::new(text.strip_prefix('\n').unwrap_or(text).to_owned());
                }
            }
            _ => {}
        }
        let Some(at) = self.open.iter().rposition(|open| open.name == name) else { return };
        for open in self.open.drain(at..) {
            end(&mut self.document, &open);
        }
    }

    /// Notes the value of a list, once its option has ended: of the first one until one is chosen.
    fn end_option(&mut self) {
        let Some((begun, value, is_chosen)) = self.option.take() else { return };
        let Some(Filling::List { is_chosen: was_chosen }) = &mut self.filling else { return };
        let Some((_, field)) = self.fields.last_mut() else { return };
        if (is_chosen && !*was_chosen) || field.value.is_empty() {
            field.value = Zeroizing::new(value.unwrap_or_else(|| in_one_line(&self.document.text[begun..])));
            *was_chosen |= is_chosen;
        }
    }

    /// Ends what is open, and gives each form its fields.
    fn finish(mut self) -> Document {
        self.end_option();
        self.close("textarea");
        for open in std::mem::take(&mut self.open) {
            end(&mut self.document, &open);
        }
        let Reader { mut document, fields, .. } = self;
        for (owner, field) in fields {
            let form = match owner {
                Owner::Form(form) => document.forms.get_mut(form),
                Owner::Id(id) => document.forms.iter_mut().find(|form| form.id.as_ref() == Some(&id)),
            };
            let Some(form) = form else { continue };
            // Enter presses the first button.
            if field.kind != FieldKind::Button || form.of_kind(FieldKind::Button).next().is_none() {
                form.fields.push(field);
            }
        }
        document
    }
}

/// Notes where the text of an element ends.
fn end(document: &mut Document, open: &Open) {
    let text = open.begun..document.text.len();
    if open.name == "title" && document.title.is_empty() {
        document.title = text.clone();
    }
    if let Some((_, place)) = open.marked.and_then(|marked| document.marked.get_mut(marked)) {
        *place = text;
    }
}

/// What an input or a button is; `None` if it sends nothing.
fn kind_of(element: &str, attribute: &impl Fn(&str) -> Option<String>) -> Option<FieldKind> {
    let kind = attribute("type").unwrap_or_default().trim().to_ascii_lowercase();
    Some(match (element, kind.as_str()) {
        ("button", "reset" | "button") | ("input", "reset" | "button" | "image" | "file") => return None,
        ("button", _) | (_, "submit") => FieldKind::Button,
        (_, "hidden") => FieldKind::Hidden,
        (_, "password") => FieldKind::Password,
        (_, "checkbox" | "radio") => return attribute("checked").map(|_| FieldKind::Other),
        _ => FieldKind::Text,
    })
}
