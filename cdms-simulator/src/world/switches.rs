//! Behaviour that differs between servers or is uncertain, and rules that `$metadata` does not state.

use std::collections::HashMap;

use super::{Collation, Comparing, Declared};

/// How this server behaves where servers may differ.
#[derive(Clone, Debug)]
pub(crate) struct Switches {
    pub(crate) bare_null_clears: bool,
    pub(crate) refuse_dangling_lookups: bool,
    pub(crate) refuse_read_only: bool,
    /// Money is refused for a record without a currency.
    pub(crate) money_needs_currency: bool,
    /// The server computes the `*_Base` value of each amount of money.
    pub(crate) base_amounts: bool,
    /// The lookups whose records are deleted with the record that they refer to, by entity and attribute.
    pub(crate) parental: Vec<(String, String)>,
    pub(crate) page_size: usize,
    /// How conditions compare.
    pub(crate) comparing: Comparing,
    /// A condition on a related record takes its values for null where there is none.
    pub(crate) unrelated_is_null: bool,
    /// A page that begins beyond the last record is an error.
    pub(crate) refuse_skip_beyond_end: bool,
    /// Relations that `$metadata` does not declare, or whose lookups it does not name.
    pub(crate) relations: Vec<Declared>,
    /// The statuses that belong to each state, by entity; for other entities only the usual ones are known.
    pub(crate) statuses: HashMap<String, Vec<(i32, Vec<i32>)>>,
    /// What the SOAP service answers about entities, by logical name.
    pub(crate) soap: Vec<(String, String)>,
    /// By entity and attribute.
    rules: HashMap<String, HashMap<String, Rule>>,
}

/// The limits of an attribute's values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rule {
    pub(crate) max_length: Option<usize>,
    pub(crate) options: Option<Vec<i32>>,
    /// The number of decimal places that are kept.
    pub(crate) precision: Option<u32>,
}

impl Switches {
    pub(crate) fn new() -> Self {
        Switches {
            bare_null_clears: true,
            refuse_dangling_lookups: false,
            refuse_read_only: false,
            money_needs_currency: false,
            base_amounts: false,
            parental: Vec::new(),
            page_size: 50,
            comparing: Comparing { collation: Collation { accents: false, wildcards: false }, null_differs: true },
            unrelated_is_null: false,
            refuse_skip_beyond_end: false,
            relations: Vec::new(),
            statuses: HashMap::new(),
            soap: Vec::new(),
            rules: HashMap::new(),
        }
    }

    /// The rule of an attribute, to be changed.
    pub(crate) fn rule_mut(&mut self, entity: String, attribute: String) -> &mut Rule {
        self.rules.entry(entity).or_default().entry(attribute).or_default()
    }

    /// The rule of an attribute, if it has one.
    pub(crate) fn rule(&self, entity: &str, attribute: &str) -> Option<&Rule> {
        self.rules.get(entity)?.get(attribute)
    }
}
