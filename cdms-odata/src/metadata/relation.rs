//! How entity types are related: associations, their ends, and the properties that follow them.

/// A property that leads from a record to related records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NavigationProperty {
    /// The property's name, for example `contact_customer_accounts`.
    pub name: String,
    /// The name of the association that it follows.
    pub association: String,
    /// The role of the record at which it starts.
    pub from: String,
    /// The role of the records to which it leads.
    pub to: String,
}

/// A relation between two entity types, or of one with itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Association {
    /// The association's name.
    pub name: String,
    /// The name of its set in the container.
    pub set: String,
    /// Its two ends.
    pub ends: [End; 2],
}

/// An end of an association.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The end's name, by which navigation properties distinguish it from the other end.
    pub role: String,
    /// The name of the entity type at this end.
    pub entity: String,
    /// How many records this end has for one record at the other.
    pub multiplicity: Multiplicity,
}

/// How many records there can be at an end of an association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Multiplicity {
    /// `0..1`.
    ZeroOrOne,
    /// `1`.
    One,
    /// `*`.
    Many,
}

impl Multiplicity {
    const ALL: [Multiplicity; 3] = [Multiplicity::ZeroOrOne, Multiplicity::One, Multiplicity::Many];

    /// The notation in documents.
    pub const fn text(self) -> &'static str {
        match self {
            Multiplicity::ZeroOrOne => "0..1",
            Multiplicity::One => "1",
            Multiplicity::Many => "*",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Multiplicity::ALL.into_iter().find(|multiplicity| multiplicity.text() == text)
    }
}

impl Association {
    /// Whether a navigation property of this entity type goes from one of the ends to the other.
    pub(super) fn leads(&self, entity: &str, navigation: &NavigationProperty) -> bool {
        let [one, other] = &self.ends;
        let fits =
            |from: &End, to: &End| from.entity == entity && from.role == navigation.from && to.role == navigation.to;
        fits(one, other) || fits(other, one)
    }
}
