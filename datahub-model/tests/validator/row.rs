//! A row: an input of the validator, and its expected outcome.

use cdms_odata::metadata::Metadata;
use datahub_model::diagnostic::{Code, Diagnostic};
use datahub_model::source::{ColumnLimit, Contract, Mapping, Placed, Spot, check_choices, resolve};

use crate::reader;

/// An expected diagnostic: its code, its place, and a part of its message or cure.
pub(crate) type Expected = (Code, &'static str, &'static str);

/// The place of a fault.
#[derive(Clone, Debug)]
enum Place {
    /// In the struct or enum, by the reader's name for it.
    Source(String),
    /// In the contract.
    Contract(Spot),
}

/// A case.
pub(crate) struct Row {
    name: &'static str,
    contract: String,
    what: What,
}

enum What {
    Faulty(Input, Vec<Expected>),
    Contract(fn(&Contract)),
    Mapping(&'static str, fn(&Mapping)),
    Choices(Choices, &'static [i32]),
    Metadata,
}

enum Input {
    Contract,
    Model(&'static str),
    /// A model whose contract has faults too.
    Beside(&'static str),
    Choices(Choices),
    Metadata,
}

/// A choice enum: the attribute, the variants' names, and whether one of them takes the rest.
type Choices = (&'static str, &'static [&'static str], bool);

/// A contract with faults, in the order of the file. A place is `line:column`.
pub(crate) fn faulty_contract(name: &'static str, contract: impl Into<String>, expected: &[Expected]) -> Row {
    Row { name, contract: contract.into(), what: What::Faulty(Input::Contract, expected.to_vec()) }
}

/// A contract without faults.
pub(crate) fn contract(name: &'static str, contract: impl Into<String>, holds: fn(&Contract)) -> Row {
    Row { name, contract: contract.into(), what: What::Contract(holds) }
}

/// A model (see [`reader`]) with faults. A place is one of the reader's.
pub(crate) fn faulty(
    name: &'static str,
    contract: impl Into<String>,
    model: &'static str,
    expected: &[Expected],
) -> Row {
    Row { name, contract: contract.into(), what: What::Faulty(Input::Model(model), expected.to_vec()) }
}

/// A model with faults whose contract has faults too, which are not reported again.
pub(crate) fn faulty_beside(
    name: &'static str,
    contract: impl Into<String>,
    model: &'static str,
    expected: &[Expected],
) -> Row {
    Row { name, contract: contract.into(), what: What::Faulty(Input::Beside(model), expected.to_vec()) }
}

/// A model that is accepted.
pub(crate) fn accepted(
    name: &'static str,
    contract: impl Into<String>,
    model: &'static str,
    holds: fn(&Mapping),
) -> Row {
    Row { name, contract: contract.into(), what: What::Mapping(model, holds) }
}

/// A choice enum with faults. A place is `attribute` or a variant's name.
pub(crate) fn faulty_choices(name: &'static str, contract: &str, choices: Choices, expected: &[Expected]) -> Row {
    Row { name, contract: contract.to_owned(), what: What::Faulty(Input::Choices(choices), expected.to_vec()) }
}

/// A choice enum that is accepted, with its numbers.
pub(crate) fn choices(name: &'static str, contract: &str, choices: Choices, numbers: &'static [i32]) -> Row {
    Row { name, contract: contract.to_owned(), what: What::Choices(choices, numbers) }
}

/// A contract that does not fit [`crate::metadata::METADATA`].
pub(crate) fn faulty_metadata(name: &'static str, contract: &str, expected: &[Expected]) -> Row {
    Row { name, contract: contract.to_owned(), what: What::Faulty(Input::Metadata, expected.to_vec()) }
}

/// A contract that fits [`crate::metadata::METADATA`].
pub(crate) fn metadata(name: &'static str, contract: &str) -> Row {
    Row { name, contract: contract.to_owned(), what: What::Metadata }
}

impl Row {
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The codes that the row expects.
    pub(crate) fn codes(&self) -> Vec<Code> {
        match &self.what {
            What::Faulty(_, expected) => expected.iter().map(|(code, ..)| *code).collect(),
            _ => Vec::new(),
        }
    }

    /// The messages of a code that the row makes, as lines of a table: message and help.
    pub(crate) fn messages(&self, code: Code) -> Vec<String> {
        let What::Faulty(input, _) = &self.what else { return Vec::new() };
        let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        let found = self.found(input).into_iter().filter(|diagnostic| diagnostic.code == code);
        found.map(|fault| format!("| {} | {} |", cell(&fault.message), cell(&fault.cure.text))).collect()
    }

    /// All diagnostics of the row, unless faults of its contract hide some.
    fn found(&self, input: &Input) -> Vec<Diagnostic<Place>> {
        let (parsed, found) = contract_of(&self.contract);
        match (input, parsed) {
            (Input::Beside(_), _) => Vec::new(),
            (Input::Contract, _) | (_, None) => found,
            (Input::Metadata, _) => against_metadata(&self.contract),
            (input, Some(contract)) => found_of(input, &contract).unwrap_or_default(),
        }
    }

    /// Compares the outcome with the expected one.
    pub(crate) fn check(&self) -> Result<(), String> {
        let (parsed, found) = contract_of(&self.contract);
        if let What::Faulty(Input::Contract, expected) = &self.what {
            return self.compare(&found, expected);
        }
        if let What::Faulty(Input::Metadata, expected) = &self.what {
            return self.compare(&against_metadata(&self.contract), expected);
        }
        if let What::Faulty(input @ Input::Beside(_), expected) = &self.what {
            if found.is_empty() {
                return Err(self.wrong("the contract should have faults"));
            }
            let contract = parsed.unwrap_or_else(Contract::unread);
            return self.compare(&found_of(input, &contract).unwrap_or_default(), expected);
        }
        let contract = match parsed {
            Some(contract) if found.is_empty() => contract,
            _ => return Err(self.wrong(&format!("the contract itself has faults: {found:#?}"))),
        };
        match &self.what {
            What::Contract(holds) => holds(&contract),
            What::Mapping(model, holds) => match resolve(&reader::model(model), &contract, ColumnLimit::Columns64) {
                Ok(mapping) => holds(&mapping),
                Err(found) => return Err(self.wrong(&format!("should be accepted, but has {found:#?}"))),
            },
            What::Choices(choices, numbers) => match resolve_choices(&contract, choices) {
                Ok(found) if found == *numbers => {}
                found => return Err(self.wrong(&format!("should give {numbers:?}, but gave {found:#?}"))),
            },
            What::Metadata => return self.compare(&against_metadata(&self.contract), &[]),
            What::Faulty(input, expected) => {
                let found = found_of(input, &contract).ok_or_else(|| self.wrong("should not be accepted"))?;
                return self.compare(&found, expected);
            }
        }
        Ok(())
    }

    fn compare(&self, found: &[Diagnostic<Place>], expected: &[Expected]) -> Result<(), String> {
        let fits = |(diagnostic, (code, place, fragment)): (&Diagnostic<Place>, &Expected)| {
            let text = text_of(diagnostic, "the/contract.toml");
            diagnostic.code == *code && place_of(diagnostic) == *place && text.contains(fragment)
        };
        if found.len() != expected.len() || !found.iter().zip(expected).all(fits) {
            let found: Vec<_> = found.iter().map(|fault| (fault.code, place_of(fault), text_of(fault, "c"))).collect();
            return Err(self.wrong(&format!("should have {expected:#?}, but has {found:#?}")));
        }
        found.iter().try_for_each(|diagnostic| self.is_well_worded(diagnostic))
    }

    /// Checks the form of a message: one line without a period, and for a fault of the contract its line with a mark below it.
    fn is_well_worded(&self, diagnostic: &Diagnostic<Place>) -> Result<(), String> {
        let text = text_of(diagnostic, "the/contract.toml");
        let first = diagnostic.message.chars().next();
        let one_line = !diagnostic.message.contains('\n') && !diagnostic.message.ends_with('.');
        if first.is_none() || !one_line || !text.contains(&format!("[{}]", diagnostic.code)) {
            return Err(self.wrong(&format!("is worded badly: {text}")));
        }
        let Place::Contract(spot) = &diagnostic.place else { return Ok(()) };
        let line = self.contract.lines().nth(spot.line - 1).unwrap_or_default();
        let drawn: Vec<&str> = text.lines().collect();
        // An empty line has nothing to mark.
        if line.is_empty() {
            return Ok(());
        }
        let mark = drawn.iter().position(|line| line.trim_end().ends_with('^')).map(|at| (drawn[at - 1], drawn[at]));
        let (shown, mark) = mark.ok_or_else(|| self.wrong(&format!("draws no mark: {text}")))?;
        let offset = shown.chars().count() - line.chars().count();
        let place = format!("--> the/contract.toml:{}:{}", spot.line, spot.column);
        if spot.text != line || !shown.ends_with(line) || !text.contains(&place) {
            return Err(self.wrong(&format!("does not draw the line {line:?}: {text}")));
        }
        if mark.chars().count() != offset + spot.column {
            return Err(self.wrong(&format!("draws its mark elsewhere than in column {}: {text}", spot.column)));
        }
        Ok(())
    }

    fn wrong(&self, what: &str) -> String {
        format!("{}: {what}", self.name)
    }
}

/// A contract, and its diagnostics.
fn contract_of(text: &str) -> (Option<Contract>, Vec<Diagnostic<Place>>) {
    let (contract, found) = Contract::parse(text).into_parts();
    (contract, found.into_iter().map(|fault| fault.seen_at(Place::Contract)).collect())
}

/// The diagnostics of an input with a contract that has no faults; `None` if it is accepted.
fn found_of(input: &Input, contract: &Contract) -> Option<Vec<Diagnostic<Place>>> {
    let found = match input {
        Input::Contract | Input::Metadata => None,
        Input::Model(model) | Input::Beside(model) => {
            resolve(&reader::model(model), contract, ColumnLimit::Columns64).err().map(|faulty| faulty.diagnostics)
        }
        Input::Choices(choices) => resolve_choices(contract, choices).err(),
    };
    Some(found?.into_iter().map(|fault| fault.seen_at(Place::Source)).collect())
}

fn place_of(diagnostic: &Diagnostic<Place>) -> String {
    match &diagnostic.place {
        Place::Source(place) => place.clone(),
        Place::Contract(spot) => format!("{}:{}", spot.line, spot.column),
    }
}

/// The whole text: of a fault of the contract with its line drawn.
fn text_of(diagnostic: &Diagnostic<Place>, path: &str) -> String {
    match &diagnostic.place {
        Place::Source(_) => diagnostic.text(None),
        Place::Contract(spot) => diagnostic.text(Some(&spot.drawn(path))),
    }
}

fn resolve_choices(
    contract: &Contract,
    (attribute, variants, rest): &Choices,
) -> Result<Vec<i32>, Vec<Diagnostic<String>>> {
    let attribute = Placed { value: (*attribute).to_owned(), place: "attribute".to_owned() };
    let variants = variants.iter().map(|name| Placed { value: (*name).to_owned(), place: (*name).to_owned() });
    check_choices(contract, &attribute, &variants.collect::<Vec<_>>(), *rest)
}

/// All faults of a contract checked against [`crate::metadata::METADATA`].
fn against_metadata(contract: &str) -> Vec<Diagnostic<Place>> {
    let metadata = Metadata::parse(crate::metadata::METADATA).expect("the metadata of these tests is well-formed");
    let (_, found) = Contract::parse_beside(contract, Some(&metadata)).into_parts();
    found.into_iter().map(|fault| fault.seen_at(Place::Contract)).collect()
}
