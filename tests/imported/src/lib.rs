//! First models exactly as `datahub import --model` writes them, except for this file.

#![allow(missing_docs, reason = "CDMS has labels for some attributes only")]

pub mod account;
pub mod carrier;
pub mod shipment_order;
pub mod system_user;
pub mod task;
pub mod team;
