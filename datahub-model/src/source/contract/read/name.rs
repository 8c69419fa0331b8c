//! The names in a contract: those of CDMS, and nothing else that could become a part of an address.

use toml::Spanned;
use toml::de::DeValue;

use super::Reader;
use crate::diagnostic::{Code, Cure};
use crate::source::cdms_name_fault;

impl Reader<'_> {
    /// One of the names at the top of a contract.
    pub(super) fn name(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let name = self.string(key, value)?;
        let lowercase = name.to_lowercase();
        if name.is_empty() {
            let help = format!("write the name exactly as in $metadata, or remove `{key}` to use the default");
            let help = if key == "entity" { "write the name exactly as in $metadata".to_owned() } else { help };
            self.fault(Code::WrongValue, value.span().start, format!("`{key}` must not be empty"), help);
            return None;
        }
        if !self.is_of_cdms(&name, value.span().start) {
            return None;
        }
        if key == "logical" && name != lowercase {
            let message = format!("invalid logical name `{name}`: logical names are lowercase");
            let help = Cure::correcting(format!("write `{lowercase}`"), &*name, &*lowercase);
            self.fault(Code::WrongValue, value.span().start, message, help);
            return Some(lowercase);
        }
        Some(name)
    }

    /// Whether a text can be a name that CDMS gives; if not, the fault is noted.
    pub(super) fn is_of_cdms(&mut self, name: &str, offset: usize) -> bool {
        let Some(fault) = cdms_name_fault(name) else { return true };
        // What is no name may have characters that a terminal obeys.
        let message = format!("invalid name {name:?}: {fault}");
        self.fault(Code::WrongValue, offset, message, "write the name exactly as in $metadata");
        false
    }
}
