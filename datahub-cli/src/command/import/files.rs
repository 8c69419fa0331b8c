//! Writing: each file appears whole, and a run that is stopped leaves a note of what it had not written yet.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use datahub_derive::project::Project;

use super::plan::IMPORTED;
use crate::file::{self, Before, Unwritten};

/// The note of a run that has not finished: the names of the contracts that are still to be written.
const NOTE: &str = "unfinished";

/// The files of one run.
pub(super) struct Writing {
    contracts: PathBuf,
    note: PathBuf,
    is_dry: bool,
    /// What an earlier run had not written.
    unfinished: Vec<String>,
    /// What this run has not written yet.
    expected: Vec<String>,
    /// The files written.
    count: usize,
}

impl Writing {
    /// Begins a run, and finds what an earlier one left.
    pub(super) fn begin(project: &Project, is_dry: bool) -> Result<Self, String> {
        let contracts = project.contracts();
        let note = contracts.join(IMPORTED).join(NOTE);
        let unfinished = match fs::read_to_string(&note) {
            Ok(text) => {
                text.lines().map(str::to_owned).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(format!("cannot read {}: {error}", note.display())),
        };
        Ok(Writing { contracts, note, is_dry, unfinished, expected: Vec::new(), count: 0 })
    }

    /// The contracts that an earlier run had not written when it was stopped.
    pub(super) fn unfinished(&self) -> &[String] {
        &self.unfinished
    }

    /// Notes the contracts that are going to be written.
    pub(super) fn expect(&mut self, files: impl Iterator<Item = String>) -> Result<(), String> {
        self.expected = files.collect();
        if self.is_dry || self.expected.is_empty() {
            return Ok(());
        }
        file::remove_drafts(&self.contracts);
        file::remove_drafts(&self.contracts.join(IMPORTED));
        let all: Vec<&str> = self.expected.iter().chain(&self.unfinished).map(String::as_str).collect();
        let text =
            format!("# `datahub import` has not written these contracts yet; run it again.\n{}\n", all.join("\n"));
        file::write(&self.note, &text, Before::Anything).map_err(|unwritten| self.failed(unwritten))
    }

    /// Refuses to go on if a file is not as it was read.
    pub(super) fn expect_unchanged(&self, path: &Path, shown: &str, before: Before<'_>) -> Result<(), String> {
        if self.is_dry {
            return Ok(());
        }
        file::is_still(path, before).map_err(|unwritten| self.failed(unwritten.named(shown)))
    }

    /// Writes a file that is as it was read.
    pub(super) fn write(&mut self, path: &Path, shown: &str, before: Before<'_>, text: &str) -> Result<(), String> {
        if self.is_dry {
            return Ok(());
        }
        file::write(path, text, before).map_err(|unwritten| self.failed(unwritten.named(shown)))?;
        self.count += 1;
        Ok(())
    }

    /// Notes that a contract is written.
    pub(super) fn done(&mut self, file: &str) {
        self.expected.retain(|expected| expected != file);
    }

    /// Ends a run that looked at these contracts. Returns what an earlier run left and this one did not look at.
    pub(super) fn end<'f>(&mut self, files: impl Iterator<Item = &'f str>) -> Result<Vec<String>, String> {
        let files: Vec<&str> = files.collect();
        let left: Vec<String> =
            self.unfinished.iter().filter(|left| !files.contains(&left.as_str())).cloned().collect();
        if self.is_dry {
            return Ok(left);
        }
        if !left.is_empty() {
            let text = format!("# `datahub import` has not written these contracts yet.\n{}\n", left.join("\n"));
            file::write(&self.note, &text, Before::Anything).map_err(|unwritten| self.failed(unwritten))?;
            return Ok(left);
        }
        match fs::remove_file(&self.note) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(format!("cannot remove {}: {error}; {}", self.note.display(), self.so_far()))
            }
            _ => Ok(left),
        }
    }

    fn failed(&self, unwritten: Unwritten) -> String {
        format!("{unwritten}; {}", self.so_far())
    }

    fn so_far(&self) -> String {
        match self.count {
            0 => "nothing was changed".to_owned(),
            1 => "1 file was written before, and the next run continues".to_owned(),
            count => format!("{count} files were written before, and the next run continues"),
        }
    }
}
