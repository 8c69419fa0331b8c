//! What clients can write to CDMS, whatever a contract says: CDMS computes or sets some attributes itself
//! (docs/protocol.md, 4.1).

use cdms_odata::Kind;

/// When CDMS keeps a value that is sent for an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writable {
    /// With a create and with an update.
    Always,
    /// With a create; an update with it is accepted, and does not change it.
    AtCreate,
    /// Never.
    Never,
}

/// Set with a create. Afterwards, the first can be changed only by a request that this endpoint does not have, and the second
/// not at all.
const AT_CREATE: [&str; 2] = ["OwnerId", "OverriddenCreatedOn"];

/// Set or computed by CDMS: times, users and versions, owners' units, names and amounts derived from others, marks of merges,
/// and the ids of addresses that have records of their own.
const NEVER: [&str; 22] = [
    "CreatedOn",
    "CreatedBy",
    "CreatedOnBehalfBy",
    "ModifiedOn",
    "ModifiedBy",
    "ModifiedOnBehalfBy",
    "VersionNumber",
    "OwningBusinessUnit",
    "OwningUser",
    "OwningTeam",
    "OrganizationId",
    "FullName",
    "YomiFullName",
    "ExchangeRate",
    "Aging30",
    "Aging60",
    "Aging90",
    "Merged",
    "MasterId",
    "Address1_AddressId",
    "Address2_AddressId",
    "Address3_AddressId",
];

/// When CDMS keeps what is sent for an attribute of this name and kind. A customer's own attributes have a prefix in their
/// names, so none of them has one of these names; but each of their amounts has a second one in the base currency.
pub fn writable(attribute: &str, kind: Kind) -> Writable {
    let is_base = || kind == Kind::Money && attribute.ends_with("_Base");
    if kind == Kind::State || NEVER.contains(&attribute) || is_base() {
        Writable::Never
    } else if AT_CREATE.contains(&attribute) {
        Writable::AtCreate
    } else {
        Writable::Always
    }
}
