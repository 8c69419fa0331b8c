//! The documentation as Markdown, for people who read it in a repository.

use std::fmt;

use askama::Template;
use askama::filters::Escaper;

use crate::atlas::{Atlas, Contract, ContractAttribute, LookupEnd, Model};
use crate::changes::{Detail, Piece, Since};
use crate::prose;
use crate::{File, MARK};

/// Escapes what Markdown would take for its own marks, also within a cell of a table.
#[derive(Clone, Copy, Debug)]
pub struct Cell;

impl Escaper for Cell {
    fn write_escaped_str<W: fmt::Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        let mut before = ' ';
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' | '|' | '*' | '`' | '<' | '>' | '[' | ']' | '#' | '~' => write!(dest, "\\{letter}")?,
                // Within a word it is no mark.
                '_' if !before.is_alphanumeric() || !letters.peek().is_some_and(|next| next.is_alphanumeric()) => {
                    dest.write_str("\\_")?;
                }
                // An entity such as `&lt;` would be another letter.
                '&' if letters.peek().is_some_and(|next| next.is_alphanumeric() || *next == '#') => {
                    dest.write_str("\\&")?;
                }
                '\n' | '\r' => dest.write_char(' ')?,
                letter => dest.write_char(letter)?,
            }
            before = letter;
        }
        Ok(())
    }
}

#[derive(Template)]
#[template(path = "markdown/overview.md")]
struct Overview<'p> {
    atlas: &'p Atlas,
    has_changes: bool,
}

#[derive(Template)]
#[template(path = "markdown/model.md")]
struct ModelPage<'p> {
    atlas: &'p Atlas,
    model: &'p Model,
}

#[derive(Template)]
#[template(path = "markdown/contract.md")]
struct ContractPage<'p> {
    atlas: &'p Atlas,
    contract: &'p Contract,
}

#[derive(Template)]
#[template(path = "markdown/attributes.md")]
struct AttributesPage<'p> {
    atlas: &'p Atlas,
}

#[derive(Template)]
#[template(path = "markdown/personal.md")]
struct PersonalPage<'p> {
    atlas: &'p Atlas,
    unused: Vec<(&'p Contract, &'p ContractAttribute)>,
}

#[derive(Template)]
#[template(path = "markdown/changes.md")]
struct ChangesPage<'p> {
    atlas: &'p Atlas,
    since: &'p Since,
}

/// The files of the documentation; with `since`, also the page of changes.
///
/// # Errors
///
/// A template cannot be rendered, which is a bug in this crate.
pub fn files(atlas: &Atlas, since: Option<&Since>) -> Result<Vec<File>, askama::Error> {
    let mut files = vec![
        page("README.md", Overview { atlas, has_changes: since.is_some() })?,
        page("attributes.md", AttributesPage { atlas })?,
        page("personal.md", PersonalPage { atlas, unused: atlas.sensitive_without_field() })?,
    ];
    if let Some(since) = since {
        files.push(page("changes.md", ChangesPage { atlas, since })?);
    }
    for model in &atlas.models {
        files.push(page(&format!("models/{}.md", model.slug), ModelPage { atlas, model })?);
    }
    for contract in &atlas.contracts {
        files.push(page(&format!("contracts/{}.md", contract.slug), ContractPage { atlas, contract })?);
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// Renders a page, with no more than one blank line between two parts.
fn page(path: &str, template: impl Template) -> Result<File, askama::Error> {
    let rendered = template.render()?;
    let mut text = String::new();
    let mut is_code = false;
    for line in rendered.lines() {
        is_code ^= line.starts_with(FENCE);
        if !is_code && line.trim().is_empty() && (text.is_empty() || text.ends_with("\n\n")) {
            continue;
        }
        text += if is_code { line } else { line.trim_end() };
        text.push('\n');
    }
    let text = format!("<!-- {MARK}; edit the source and not this file. -->\n\n{}\n", text.trim_end());
    Ok(File { path: path.to_owned(), text })
}

/// What begins and ends a block of code in the templates.
const FENCE: &str = "````";

/// Text that Markdown must not take for its own marks.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    // Writing to a string does not fail.
    _ = Cell.write_escaped_str(&mut escaped, text);
    escaped
}

/// Text in a span of code, which must not end it.
pub fn span(text: &(impl fmt::Display + ?Sized)) -> String {
    let text = text.to_string().replace(['\n', '\r'], " ");
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    if longest == 0 { format!("`{text}`") } else { format!("{fence} {text} {fence}") }
}

/// Text in a span of code in a cell of a table.
fn code(text: &(impl fmt::Display + ?Sized)) -> String {
    span(text).replace('|', "\\|")
}

/// A sentence with code in backticks: the code stays, and of the rest nothing is a mark of Markdown.
pub fn sentence(sentence: &str) -> String {
    with_spans(sentence, span)
}

/// A sentence with code in backticks, in a cell of a table.
fn cell(sentence: &str) -> String {
    with_spans(sentence, code)
}

fn with_spans(sentence: &str, code: fn(&str) -> String) -> String {
    let parts: Vec<_> = sentence.split('`').collect();
    let parts = parts.iter().enumerate().map(|(at, part)| match (at % 2 == 1, at + 1 < parts.len()) {
        (false, _) => escaped(part),
        (true, true) => code(part),
        // Nothing ends this span.
        (true, false) => format!("\\`{}", escaped(part)),
    });
    parts.collect()
}

/// The first sentence of a doc comment, which is Markdown itself, in a cell of a table.
fn summary(docs: &str) -> String {
    prose::markdown(docs).replace('\n', " ").replace('|', "\\|")
}

/// A difference in words.
pub fn detail(detail: &Detail) -> String {
    let pieces = detail.pieces();
    let pieces = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => escaped(text),
        Piece::Code(code) => span(code),
    });
    pieces.collect()
}

impl Atlas {
    /// A link to the model at a position, from a page in a folder.
    fn markdown_model(&self, at: &usize) -> String {
        self.markdown_link(&LookupEnd::Model(*at))
    }

    /// A link to what a lookup points to, from a page in a folder.
    fn markdown_link(&self, end: &LookupEnd) -> String {
        let name = code(&self.name_of(end));
        self.place_of(end).map_or(name.clone(), |place| format!("[{name}](../{place}.md)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_markdown_are_escaped() {
        let mut text = String::new();
        Cell.write_escaped_str(&mut text, "a|b_c_\n<d>").unwrap();
        assert_eq!(text, "a\\|b_c\\_ \\<d\\>");
        assert_eq!(escaped("R&D & &lt;"), "R\\&D & \\&lt;");
        assert_eq!(
            (code("a|b").as_str(), code("`").as_str(), span("a``b|")),
            ("`a\\|b`", "`` ` ``", "``` a``b| ```".to_owned())
        );
    }

    #[test]
    fn code_in_a_sentence_stays_and_its_text_is_escaped() {
        assert_eq!(sentence("Becomes `a | *b*`, not *c* | <d>."), "Becomes `a | *b*`, not \\*c\\* \\| \\<d\\>.");
        assert_eq!(cell("Becomes `a | b`."), "Becomes `a \\| b`.");
        assert_eq!(sentence("No `end"), "No \\`end");
    }
}
