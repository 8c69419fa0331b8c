//! The documentation of small projects: what the pages say, what a comparison finds, and when a digest changes.
#![cfg(test)]

mod atlas;
mod changes;
mod digests;
mod pages;
mod project;
