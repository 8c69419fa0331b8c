//! What CDMS lets clients write, whatever a contract says: the attributes that it computes or keeps itself
//! (docs/protocol.md, 4.1).

use cdms_odata::Kind;

/// When a value that is sent for an attribute is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writable {
    /// With a create and with an update.
    Always,
    /// With a create; an update that has it is answered as if nothing were wrong, and changes nothing.
    AtCreate,
    /// Never.
    Never,
}

/// Set with a create; afterwards the first needs another message than this endpoint has, and the second is fixed.
const AT_CREATE: [&str; 2] = ["OwnerId", "OverriddenCreatedOn"];

/// Kept or reckoned by CDMS: times, users and versions, owners' units, names and amounts made of others, marks of merges,
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

/// When CDMS keeps what is sent for an attribute of this name and kind. The customers' own attributes have a prefix in their
/// names, so none of them is called like one of these; but each of their amounts has a second one in the base currency.
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
