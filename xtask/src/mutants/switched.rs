//! Many changes of one source file in one text, each behind a switch that is read at run time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// A position in a file: line and column, both counted from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// The kind of a change, as cargo-mutants names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Genre {
    /// The body of a function is replaced.
    Body,
    /// A binary operator is replaced.
    Binary,
    /// A unary operator is removed.
    Unary,
    /// An arm of a `match` is removed.
    Arm,
    /// The guard of an arm is replaced with a constant.
    Guard,
    /// A field is taken from the base expression of the struct.
    Field,
}

/// A change to put behind the switch of its number.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) number: usize,
    pub(super) genre: Genre,
    pub(super) place: Place,
    pub(super) replacement: String,
}

/// The function that returns whether the switch of a change is on.
pub(super) const SWITCH: &str = "::mutant_switch::is_on";

/// A file with its changes.
#[derive(Debug)]
pub(super) struct Switched {
    pub(super) text: String,
    /// The range of each change in the text, by number.
    pub(super) at: BTreeMap<usize, Range<usize>>,
}

/// A change as an edit of the text.
#[derive(Debug, Clone)]
struct Edit {
    number: usize,
    /// The range that is put behind the switch; empty for an insertion.
    at: Range<usize>,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    /// Replaces the range while the switch is on.
    Instead(String),
    /// Is inserted; contains the switch.
    Inserted(String),
}

/// Puts the changes into the text of a file. Left out are changes of an operator in a chain of `let`s, and changes
/// outside the expressions of the file.
///
/// # Errors
///
/// Fails if the text is not valid Rust.
pub(super) fn switch(text: &str, changes: &[&Change]) -> Result<Switched, String> {
    let file = syn::parse_file(text).map_err(|error| error.to_string())?;
    let mut finder = Finder { text, wanted: BTreeMap::new(), edits: Vec::new() };
    for change in changes {
        if change.genre == Genre::Body {
            finder.edits.extend(body(text, change));
        } else {
            finder.wanted.entry((change.place, change.genre)).or_default().push(change);
        }
    }
    finder.visit_file(&file);
    let mut edits = finder.edits;
    edits.sort_by_key(|edit| (edit.at.start, std::cmp::Reverse(edit.at.end), edit.number));
    let mut switched = Switched { text: String::new(), at: BTreeMap::new() };
    render(text, 0..text.len(), &edits, &mut switched);
    Ok(switched)
}

/// Puts one change into the text of a file, without a switch.
pub(super) fn replace(text: &str, from: Place, to: Place, replacement: &str) -> Option<String> {
    let (from, to) = (offset(text, from)?, offset(text, to)?);
    Some(format!("{}{replacement}{}", text.get(..from)?, text.get(to..)?))
}

fn body(text: &str, change: &Change) -> Option<Edit> {
    let at = offset(text, change.place)?;
    let early = format!("if {SWITCH}({}) {{ return {}; }} ", change.number, change.replacement);
    Some(Edit { number: change.number, at: at..at, form: Form::Inserted(early) })
}

pub(super) fn offset(text: &str, place: Place) -> Option<usize> {
    let start = text.split_inclusive('\n').take(place.line - 1).map(str::len).sum::<usize>();
    let line = text.get(start..)?.lines().next().unwrap_or_default();
    let within = line.char_indices().map(|(at, _)| at).chain([line.len()]).nth(place.column - 1)?;
    Some(start + within)
}

/// Writes a part of the text with its edits, which are in order, outer edits first.
fn render(text: &str, part: Range<usize>, edits: &[Edit], into: &mut Switched) {
    let mut written = part.start;
    let mut rest = edits;
    while let [edit, inner @ ..] = rest {
        let inside =
            inner.iter().take_while(|inner| inner.at.end <= edit.at.end && inner.at.start < edit.at.end).count();
        let (inside, after) = inner.split_at(inside);
        rest = after;
        into.text.push_str(&text[written..edit.at.start]);
        written = edit.at.end;
        let begin = into.text.len();
        match &edit.form {
            Form::Inserted(this) => into.text.push_str(this),
            Form::Instead(this) => {
                // Writing to a string cannot fail.
                _ = write!(into.text, "(if {SWITCH}({}) {{ {this} }} else {{ ", edit.number);
                render(text, edit.at.clone(), inside, into);
                into.text.push_str(" })");
            }
        }
        into.at.insert(edit.number, begin..into.text.len());
    }
    into.text.push_str(&text[written..part.end]);
}

/// Finds the changed expressions.
struct Finder<'c> {
    text: &'c str,
    wanted: BTreeMap<(Place, Genre), Vec<&'c Change>>,
    edits: Vec<Edit>,
}

impl<'c> Finder<'c> {
    fn wanted(&self, span: proc_macro2::Span, genre: Genre) -> Vec<&'c Change> {
        let start = span.start();
        let place = Place { line: start.line, column: start.column + 1 };
        self.wanted.get(&(place, genre)).cloned().unwrap_or_default()
    }

    fn of(&self, range: &Range<usize>) -> &'c str {
        &self.text[range.clone()]
    }

    fn instead(&mut self, number: usize, at: Range<usize>, this: String) {
        self.edits.push(Edit { number, at, form: Form::Instead(this) });
    }

    fn inserted(&mut self, number: usize, at: usize, this: String) {
        self.edits.push(Edit { number, at: at..at, form: Form::Inserted(this) });
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        let holds_let = [&binary.left, &binary.right].into_iter().any(|side| has_let(side));
        for change in self.wanted(binary.op.span(), Genre::Binary) {
            let (left, right) = (binary.left.span().byte_range(), binary.right.span().byte_range());
            let this = format!("{} {} {}", self.of(&left), change.replacement, self.of(&right));
            if !holds_let {
                self.instead(change.number, left.start..right.end, this);
            }
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        for change in self.wanted(unary.op.span(), Genre::Unary) {
            let operand = self.of(&unary.expr.span().byte_range()).to_owned();
            self.instead(change.number, unary.span().byte_range(), operand);
        }
        visit::visit_expr_unary(self, unary);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        let guard = if let syn::Pat::Guard(guarded) = &arm.pat { Some(&*guarded.guard) } else { None };
        for change in self.wanted(arm.span(), Genre::Arm) {
            match guard {
                Some(guard) => self.instead(change.number, guard.span().byte_range(), "false".to_owned()),
                None => {
                    let guard = format!(" if !{SWITCH}({})", change.number);
                    self.inserted(change.number, arm.pat.span().byte_range().end, guard);
                }
            }
        }
        if let Some(guard) = guard {
            for change in self.wanted(guard.span(), Genre::Guard) {
                self.instead(change.number, guard.span().byte_range(), change.replacement.clone());
            }
        }
        visit::visit_arm(self, arm);
    }

    fn visit_expr_struct(&mut self, item: &'ast syn::ExprStruct) {
        if let Some(rest) = &item.rest {
            for field in &item.fields {
                for change in self.wanted(field.span(), Genre::Field) {
                    let member = self.of(&field.member.span().byte_range());
                    let this = format!("({}).{member}", self.of(&rest.span().byte_range()));
                    if field.colon_token.is_some() {
                        self.instead(change.number, field.expr.span().byte_range(), this);
                    } else {
                        let value = format!(": (if {SWITCH}({}) {{ {this} }} else {{ {member} }})", change.number);
                        self.inserted(change.number, field.span().byte_range().end, value);
                    }
                }
            }
        }
        visit::visit_expr_struct(self, item);
    }
}

/// Whether a condition contains a `let`, which cannot be moved into another `if`.
fn has_let(condition: &syn::Expr) -> bool {
    match condition {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(number: usize, genre: Genre, line: usize, column: usize, replacement: &str) -> Change {
        Change { number, genre, place: Place { line, column }, replacement: replacement.to_owned() }
    }

    fn switched(text: &str, changes: &[Change]) -> String {
        let switched = switch(text, &changes.iter().collect::<Vec<_>>()).unwrap();
        for (number, at) in &switched.at {
            let here = &switched.text[at.clone()];
            assert!(here.contains(&format!("{SWITCH}({number})")), "{here}");
        }
        switched.text
    }

    #[test]
    fn every_genre_is_put_behind_its_switch() {
        let text = "fn f(é: i32) -> bool {\n    let b = !é.g() && é < 2;\n    match b {\n        true if b => h(S { i, j: 1, ..k }),\n        false => b,\n        _ => b,\n    }\n}\n";
        let all = [
            change(1, Genre::Body, 2, 5, "false"),
            change(2, Genre::Unary, 2, 13, ""),
            change(3, Genre::Binary, 2, 20, "||"),
            change(4, Genre::Binary, 2, 25, "<="),
            change(5, Genre::Binary, 2, 25, "=="),
            change(6, Genre::Guard, 4, 17, "true"),
            change(7, Genre::Arm, 4, 9, ""),
            change(8, Genre::Arm, 5, 9, ""),
            change(9, Genre::Field, 4, 28, ""),
            change(10, Genre::Field, 4, 31, ""),
        ];
        let expected = "fn f(é: i32) -> bool {
    if ON(1) { return false; } let b = (if ON(3) { !é.g() || é < 2 } else { (if ON(2) { é.g() } else { !é.g() }) && \
             (if ON(4) { é <= 2 } else { (if ON(5) { é == 2 } else { é < 2 }) }) });
    match b {
        true if (if ON(6) { true } else { (if ON(7) { false } else { b }) }) => h(S { i: (if ON(9) { (k).i } else { i }), \
             j: (if ON(10) { (k).j } else { 1 }), ..k }),
        false if !ON(8) => b,
        _ => b,
    }
}
";
        assert_eq!(switched(text, &all), expected.replace("ON", SWITCH));
        syn::parse_file(&switched(text, &all)).unwrap();
    }

    #[test]
    fn a_chain_of_lets_is_left_unchanged() {
        let text = "fn f() {\n    if let A = b && c { d() }\n}\n";
        assert_eq!(switched(text, &[change(1, Genre::Binary, 2, 18, "||")]), text);
    }

    #[test]
    fn a_change_alone_needs_no_switch() {
        let text = "fn f() {\n    a < b;\n}\n";
        let (from, to) = (Place { line: 2, column: 7 }, Place { line: 2, column: 8 });
        assert_eq!(replace(text, from, to, "=="), Some("fn f() {\n    a == b;\n}\n".to_owned()));
    }
}
