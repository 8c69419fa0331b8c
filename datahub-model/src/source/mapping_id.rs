//! The mapping id: a stable hash of everything that a mapping says.

use std::fmt::Write as _;

use cdms_odata::Kind;
use sha2::{Digest, Sha256};

use super::mapping::Mapping;

/// The first eight bytes of the SHA-256 of the mapping as text, without notes and places.
pub(super) fn of(mapping: &Mapping) -> u64 {
    let mut words = String::new();
    let mut say = |part: std::fmt::Arguments<'_>| _ = writeln!(words, "{part}");
    let Mapping { contract, table, mode, columns, attributes, only, constants, .. } = mapping;
    say(format_args!("mapping 2 {table} {mode:?} {only:?}"));
    say(format_args!("{} {} {} {}", contract.entity, contract.set, contract.key, contract.logical));
    say(format_args!("{} {} {}", contract.modified, contract.created, contract.modified_by));
    for column in columns {
        let super::ResolvedColumn { name, field, kind, nullable, scale, default, with, reference, source, .. } = column;
        say(format_args!("column {name} {field} {kind} {nullable} {scale:?} {source:?}"));
        say(format_args!("{default:?} {with:?} {reference:?}"));
    }
    for attribute in attributes {
        let super::ContractAttribute {
            name, kind, required, read_only, max_length, scale, zone, choices, targets, ..
        } = attribute;
        say(format_args!("attribute {name} {kind} {required} {read_only} {max_length:?} {scale:?} {zone:?}"));
        say(format_args!("{choices:?} {targets:?}"));
        // Rows of programs that read dates by a zone's history are rebuilt from `seen`.
        if *kind == Kind::Date {
            say(format_args!("by the zone's rule of today"));
        }
    }
    for constant in constants {
        say(format_args!("constant {} {:?}", constant.attribute, constant.value));
    }
    let hash = Sha256::digest(words.as_bytes());
    u64::from_be_bytes([hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]])
}
