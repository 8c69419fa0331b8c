//! The hub's models.

pub mod country;
pub mod organisation;

/// What the program keeps in sync.
pub fn models() -> datahub_runtime::Models {
    datahub_runtime::models![country::Country, organisation::Organisation]
}
