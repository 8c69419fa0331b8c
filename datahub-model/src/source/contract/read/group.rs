//! The groups of a contract, and the groups within them.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Reader;
use crate::diagnostic::Code;
use crate::source::contract::{Contract, Group, GroupMember};

impl Reader<'_> {
    pub(super) fn group(
        &mut self,
        name: &Spanned<Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        contract: &Contract,
    ) -> Option<Group> {
        let group = name.get_ref().to_string();
        let Some(table) = value.get_ref().as_table() else {
            let help =
                format!("write `[groups.{group}]`, and below it each member, such as `town = \"Address1_City\"`");
            self.wrong(&group, value, "a table", help);
            return None;
        };
        let mut whole = Group { name: group, members: Vec::new() };
        self.members(table, "", contract, &mut whole);
        Some(whole)
    }

    /// Adds the members of a group, or of a group within it, whose key then begins theirs.
    fn members(&mut self, table: &DeTable<'_>, within: &str, contract: &Contract, group: &mut Group) {
        for (name, value) in table {
            let key = format!("{within}{}", name.get_ref());
            if name.get_ref().contains('.') {
                let message = format!("the key `{}` must not contain a dot", name.get_ref());
                let help = "remove the quotes to write a group within the group, or choose another key";
                self.fault(Code::WrongValue, name.span().start, message, help);
                continue;
            }
            if let Some(inner) = value.get_ref().as_table() {
                self.members(inner, &format!("{key}."), contract, group);
                continue;
            }
            let Some(attribute) = self.string(&key, value) else { continue };
            self.declared(&attribute, value.span().start, contract);
            if group.members.iter().any(|member| member.attribute == attribute) {
                let message = format!("`{attribute}` is listed twice in the group `{}`", group.name);
                self.fault(
                    Code::MappedTwice,
                    value.span().start,
                    message,
                    "remove one of the two members, or correct its attribute",
                );
            }
            let spot = self.spot(value.span().start);
            group.members.push(GroupMember { key, attribute, spot });
        }
    }
}
