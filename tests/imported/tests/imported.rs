//! First models convert random records of CDMS both ways without loss.
#![cfg(test)]

use datahub_imported_tests::{account, carrier, shipment_order, system_user, task, team};

datahub_runtime::mapping_tests!(
    account::Account,
    carrier::Carrier,
    shipment_order::ShipmentOrder,
    system_user::SystemUser,
    task::Task,
    team::Team,
);
