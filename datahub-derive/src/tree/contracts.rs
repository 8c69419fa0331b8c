//! The contracts of a tree, each checked by itself and against the `$metadata` snapshot.

use std::io::ErrorKind;
use std::ops::Range;

use datahub_model::diagnostic::{Code, Cure, Diagnostic};
use datahub_model::source::{Contract, Spot};

use super::{Fault, Tree, TreeContract};
use crate::project::{ContractFile, MARK, NoContract, NoSnapshot, Project, Unread};

impl Tree {
    /// Reads the snapshot and every contract. A folder that does not exist has no contracts.
    pub(super) fn read_contracts(&mut self, project: &Project) -> Result<(), Unread> {
        match project.snapshot() {
            Ok(snapshot) => self.metadata = snapshot.map(|snapshot| snapshot.metadata),
            Err(why) => {
                let (NoSnapshot::Unread { shown, .. } | NoSnapshot::NoMetadata { shown, .. }) = &why;
                let reason = match &why {
                    NoSnapshot::Unread { error, .. } => error.to_string(),
                    NoSnapshot::NoMetadata { error, .. } => error.to_string(),
                };
                let message = format!("cannot read the $metadata snapshot `{shown}`: {reason}");
                let cure = format!("save CDMS's response to $metadata in this file, or remove `metadata` from {MARK}");
                self.unread(shown.clone(), message, cure);
            }
        }
        let names = match project.contract_names() {
            Err(unread) if unread.error.kind() == ErrorKind::NotFound => return Ok(()),
            names => names?,
        };
        for name in names {
            match project.contract(&name) {
                Ok(ContractFile { shown, text, .. }) => self.read_contract(name, shown, text),
                Err(NoContract::Unread(Unread { error, .. })) => {
                    let shown = project.shown(&name);
                    let message = format!("cannot read the contract `{shown}`: {error}");
                    let cure = "check that it is a file, and that you have permission to read it";
                    self.unread(shown, message, cure);
                }
                // A file of the folder is not outside it.
                Err(NoContract::Outside(_)) => {}
            }
        }
        Ok(())
    }

    /// Reports a schema that cannot be read, once and in its own file.
    pub(super) fn read_schema(&mut self, project: &Project) {
        let Err(why) = project.schema() else { return };
        match why.place() {
            Some((text, range)) => {
                self.fault(&why.shown, &text, range, why.fault());
                self.files.insert(why.shown.clone(), text);
            }
            None => {
                let Diagnostic { message, cure, .. } = why.fault();
                self.unread(why.shown.clone(), message, cure);
            }
        }
    }

    fn read_contract(&mut self, name: String, shown: String, text: String) {
        let (contract, found) = Contract::parse_beside(&text, self.metadata.as_deref()).into_parts();
        let faults = found.into_iter().map(|diagnostic| Fault {
            file: shown.clone(),
            range: word_at(&text, &diagnostic.place),
            diagnostic,
        });
        self.faults.extend(faults);
        self.files.insert(shown.clone(), text);
        self.contracts.push(TreeContract { name, file: shown, contract: contract.unwrap_or_else(Contract::unread) });
    }

    /// Adds the fault of a file that cannot be read.
    pub(super) fn unread(&mut self, file: String, message: impl Into<String>, cure: impl Into<Cure>) {
        let diagnostic = Diagnostic::of(Code::WrongValue, Spot::default(), message).cure(cure);
        self.faults.push(Fault { file, range: 0..0, diagnostic });
    }
}

/// The bytes of the word at a place: a bare key, a string with its quotes, or one character.
pub(super) fn word_at(text: &str, place: &Spot) -> Range<usize> {
    let line: usize = text.split_inclusive('\n').take(place.line.saturating_sub(1)).map(str::len).sum();
    let before: usize = text[line..].chars().take(place.column.saturating_sub(1)).map(char::len_utf8).sum();
    let start = line + before;
    let rest = &text[start..];
    let is_bare = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let length = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..].find([quote, '\n']).map_or(1, |at| at + 2),
        Some(letter) if is_bare(letter) => rest.find(|letter| !is_bare(letter)).unwrap_or(rest.len()),
        Some(letter) => letter.len_utf8(),
        None => 0,
    };
    start..(start + length).min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_at_a_place_is_a_key_or_a_string() {
        let text = "a = 1\nfé-x = { kind = \"stri ng\", b = 'c' }";
        let word = |column| {
            let place = Spot { line: 2, column, text: String::new() };
            &text[word_at(text, &place)]
        };
        assert_eq!((word(1), word(8), word(10), word(17), word(32)), ("fé-x", "{", "kind", "\"stri ng\"", "'c'"));
        assert_eq!(word_at(text, &Spot { line: 9, column: 9, text: String::new() }), text.len()..text.len());
    }
}
