//! The meaning of a column, which its type does not show: the kind of its values, a decimal's scale, and whether they
//! may be null.
//!
//! It is noted in the engine's settings, as one text for each column of a model's table, so that a program that gives
//! the same values another meaning is rejected.

use cdms_odata::Kind;

use super::{ColumnType, Contents, Database, FoundColumn, Table, TableColumn};

/// The prefix of the settings in which meanings are noted.
const SETTING: &str = "column:";

const OR_NULL: &str = " or null";

/// Separates two meanings that both hold while an older and a newer version of a program share a column.
const OR: &str = " | ";

/// Whether what is noted is this meaning, or has it among others.
pub fn is_noted(meaning: &str, noted: &str) -> bool {
    noted.split(OR).any(|noted| noted == meaning)
}

/// What is noted while both meanings hold.
pub fn either_meaning(one: &str, other: &str) -> String {
    format!("{one}{OR}{other}")
}

impl Table<'_> {
    /// The name of the setting for a column's meaning.
    pub fn setting(&self, column: &TableColumn<'_>) -> String {
        format!("{SETTING}{}.{}", self.name, column.name)
    }

    /// The settings to note: each column's setting and its meaning.
    pub fn meanings(&self) -> impl Iterator<Item = (String, String)> {
        self.columns.iter().filter_map(|column| Some((self.setting(column), column.meaning()?)))
    }
}

impl TableColumn<'_> {
    /// The meaning of its values, such as `decimal(3) or null`; `None` if its type shows it.
    pub fn meaning(&self) -> Option<String> {
        let Contents::Values { kind, scale } = self.contents else { return None };
        let null = if self.nullable { OR_NULL } else { "" };
        Some(match (kind, scale) {
            (Kind::Decimal, Some(scale)) => format!("decimal({scale}){null}"),
            (kind, _) => format!("{kind}{null}"),
        })
    }

    /// The meaning of its values, if another one is noted and the column's type does not show that the noted one is
    /// outdated.
    pub(super) fn other_meaning(&self, database: Database, there: &FoundColumn, noted: &str) -> Option<String> {
        let meant = self.meaning()?;
        noted.split(OR).all(|noted| self.is_at_odds(&meant, database, there, noted)).then_some(meant)
    }

    /// Whether a noted meaning is at odds with what its values mean.
    fn is_at_odds(&self, meant: &str, database: Database, there: &FoundColumn, noted: &str) -> bool {
        if noted == meant {
            return false;
        }
        let (kind, could_be_null) = noted.strip_suffix(OR_NULL).map_or((noted, false), |kind| (kind, true));
        let word = kind.split('(').next().unwrap_or(kind);
        let is_stored_alike = match Kind::ALL.into_iter().find(|kind| kind.to_string() == word) {
            Some(kind) => database.declared(ColumnType::of(kind)) == database.declared(self.column_type()),
            // A kind that only a newer program knows.
            None => true,
        };
        let is_same_kind = meant.strip_suffix(OR_NULL).unwrap_or(meant) == kind;
        let may_hold_null = could_be_null && !self.nullable && !there.not_null;
        if is_same_kind { may_hold_null } else { is_stored_alike }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::schema::{Owner, PrimaryKey};

    #[test]
    fn a_meaning_has_the_kind_the_scale_and_whether_null_is_allowed() {
        let values = |name, kind, scale| TableColumn {
            contents: Contents::Values { kind, scale },
            ..TableColumn::new(name, ColumnType::Text)
        };
        let columns = vec![
            values("id", Kind::Guid, None),
            values("ratio", Kind::Decimal, Some(3)).nullable(),
            values("credit", Kind::Money, Some(2)),
            TableColumn::new("plain", ColumnType::Text).nullable(),
        ];
        let table = Table {
            owner: Owner::Model,
            name: "firms",
            columns: Cow::Owned(columns),
            key: PrimaryKey::Columns(&["id"]),
            checks: &[],
            indexes: &[],
        };
        let noted = [
            ("column:firms.id", "guid"),
            ("column:firms.ratio", "decimal(3) or null"),
            ("column:firms.credit", "money"),
        ];
        let noted = noted.map(|(setting, meaning)| (setting.to_owned(), meaning.to_owned()));
        assert_eq!(table.meanings().collect::<Vec<_>>(), noted);
    }
}
