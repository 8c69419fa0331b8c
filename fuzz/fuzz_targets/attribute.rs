//! The fuzzer's entry to the target `attribute`: the derives' own files, because nothing can link a crate of derives.

#![no_main]
#![allow(dead_code, reason = "what only a derive inside the compiler needs is not called here")]

// A program that is no crate of derives has to ask for it.
extern crate proc_macro;

#[path = "../../datahub-macros/src"]
mod derives {
    pub(crate) mod any_text;
    pub(crate) mod attribute;
    pub(crate) mod choice;
    pub(crate) mod expand;
    pub(crate) mod field_type;
    pub(crate) mod fields;
    pub(crate) mod item;
    pub(crate) mod project;
    pub(crate) mod shown;
    pub(crate) mod synced;
}

// They know each other by their places in their own crate.
use derives::{any_text, attribute, choice, expand, field_type, fields, item, project, shown, synced};

libfuzzer_sys::fuzz_target!(|data: &[u8]| any_text::run(data));
