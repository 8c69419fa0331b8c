//! The field behind a column, as it is declared: a model's own, or a member of a group that the model embeds.

use datahub_derive::tree::{Scope, TreeChoice, TreeField, TreeMember, TreeModel};
use datahub_model::source::ResolvedColumn;

use crate::written::tidy;

/// How a mapping says that a default is the type's own.
pub(crate) const OF_TYPE: &str = "of the type";

/// The declaration behind a column.
#[derive(Clone, Copy)]
pub(crate) struct Declared<'t> {
    pub(crate) field: &'t TreeField,
    member: Option<&'t TreeMember>,
}

impl<'t> Declared<'t> {
    /// The declaration behind a model's column; `None` if it is in a group that only the compiler can find.
    pub(crate) fn of(model: &'t TreeModel, column: &ResolvedColumn, scope: &Scope<'t>) -> Option<Self> {
        let (own, path) =
            column.field.split_once('.').map_or((column.field.as_str(), None), |(own, path)| (own, Some(path)));
        let field = model.fields.iter().find(|field| field.written.name == own)?;
        let Some(path) = path else { return Some(Declared { field, member: None }) };
        let member = find_member(field, path, scope)?;
        Some(Declared { field: &member.field, member: Some(member) })
    }

    /// Its type, as people write it.
    pub(crate) fn rust_type(&self) -> String {
        tidy(&self.field.ty)
    }

    /// The choice that is its type.
    pub(crate) fn choice(&self, scope: &Scope<'t>) -> Option<&'t TreeChoice> {
        scope.choice(&self.field.ty, &self.field.written.file)
    }

    /// The default of a group's member that stands for null, as it is written.
    pub(crate) fn default(&self) -> Option<String> {
        let default = self.member?.default.as_deref()?;
        Some(if default.is_empty() { OF_TYPE } else { default }.to_owned())
    }
}

/// The member that a path of keys leads to, from a field that is a group.
fn find_member<'t>(holder: &TreeField, path: &str, scope: &Scope<'t>) -> Option<&'t TreeMember> {
    let group = scope.group(&holder.ty, &holder.written.file)?;
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let member = group.members.iter().find(|member| member.key == key)?;
    match rest {
        None => Some(member),
        Some(rest) => find_member(&member.field, rest, scope),
    }
}
