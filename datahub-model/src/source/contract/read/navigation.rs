//! The navigation properties of a lookup, by which a filter can be about the record that it points to.

use toml::Spanned;
use toml::de::DeValue;

use super::Reader;
use crate::diagnostic::Code;
use crate::source::nearest::meant;

/// How navigation properties are written.
const NAVIGATION: &str = "write `navigation = \"account_primary_contact\"`, or for several targets \
                          `navigation = { account = \"contact_customer_accounts\" }`";

impl Reader<'_> {
    /// One name for a lookup of one target, or a table with the names for some of its targets.
    pub(super) fn navigations(
        &mut self,
        attribute: &str,
        value: &Spanned<DeValue<'_>>,
        targets: &[String],
    ) -> Vec<(String, String)> {
        match (value.get_ref(), targets) {
            (DeValue::String(name), [target]) => match self.is_of_cdms(name, value.span().start) {
                true => vec![(target.clone(), name.to_string())],
                false => Vec::new(),
            },
            (DeValue::String(_), []) => Vec::new(),
            (DeValue::String(_), _) => {
                let message = format!("`navigation` of `{attribute}` must say for which target it is");
                self.fault(Code::WrongValue, value.span().start, message, NAVIGATION);
                Vec::new()
            }
            (DeValue::Table(table), _) => {
                let mut navigations = Vec::new();
                for (target, name) in table {
                    let known = || targets.iter().map(String::as_str);
                    let target = match known().any(|known| known == target.get_ref()) {
                        true => target.get_ref().to_string(),
                        false => {
                            let message = format!("`{}` is not a target of `{attribute}`", target.get_ref());
                            let help = meant(target.get_ref(), known()).unwrap_or_else(|| NAVIGATION.into());
                            self.fault(Code::WrongValue, target.span().start, message, help);
                            continue;
                        }
                    };
                    match name.get_ref().as_str() {
                        Some(text) if self.is_of_cdms(text, name.span().start) => {
                            navigations.push((target, text.to_owned()));
                        }
                        Some(_) => {}
                        None => self.wrong("navigation", name, "a string", NAVIGATION),
                    }
                }
                navigations
            }
            _ => {
                self.wrong("navigation", value, "a string or a table", NAVIGATION);
                Vec::new()
            }
        }
    }
}
