//! Writing: each file appears whole, and a run that is stopped leaves a note of what it had not written yet.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use datahub_derive::project::Project;

use super::plan::IMPORTED;

/// The note of a run that has not finished: the names of the contracts that are still to be written.
const NOTE: &str = "unfinished";

/// The ending of a file that is being written.
const DRAFT: &str = "datahub-draft";

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
        let folder = self.contracts.join(IMPORTED);
        fs::create_dir_all(&folder).map_err(|error| self.failed(&folder.display().to_string(), &error))?;
        self.remove_drafts();
        let all: Vec<&str> = self.expected.iter().chain(&self.unfinished).map(String::as_str).collect();
        let text =
            format!("# `datahub import` has not written these contracts yet; run it again.\n{}\n", all.join("\n"));
        put(&self.note, &text).map_err(|error| self.failed(&self.note.display().to_string(), &error))
    }

    /// Refuses to go on if a file is not as it was read; `None` means that it did not exist.
    pub(super) fn expect_unchanged(&self, path: &Path, shown: &str, before: Option<&str>) -> Result<(), String> {
        let now = match fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(format!("cannot read {shown}: {error}; {}", self.so_far())),
        };
        if self.is_dry || now.as_deref() == before {
            return Ok(());
        }
        Err(format!(
            "{shown} was changed while this import ran, so it is left as it is; import again; {}",
            self.so_far()
        ))
    }

    /// Writes a file.
    pub(super) fn write(&mut self, path: &Path, shown: &str, text: &str) -> Result<(), String> {
        if self.is_dry {
            return Ok(());
        }
        put(path, text).map_err(|error| self.failed(shown, &error))?;
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
        if !self.is_dry {
            let ended = if left.is_empty() {
                fs::remove_file(&self.note)
            } else {
                put(
                    &self.note,
                    &format!("# `datahub import` has not written these contracts yet.\n{}\n", left.join("\n")),
                )
            };
            match ended {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(self.failed(&self.note.display().to_string(), &error));
                }
                _ => {}
            }
        }
        Ok(left)
    }

    /// Removes what a run that was stopped had not finished writing. What cannot be removed does no harm.
    fn remove_drafts(&self) {
        for folder in [self.contracts.clone(), self.contracts.join(IMPORTED)] {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            for path in
                entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == DRAFT))
            {
                _ = fs::remove_file(path);
            }
        }
    }

    fn failed(&self, shown: &str, error: &io::Error) -> String {
        format!("cannot write {shown}: {error}; {}", self.so_far())
    }

    fn so_far(&self) -> String {
        match self.count {
            0 => "nothing was changed".to_owned(),
            1 => "1 file was written before, and the next run continues".to_owned(),
            count => format!("{count} files were written before, and the next run continues"),
        }
    }
}

/// Writes a file beside its place, and moves it there: a process that is stopped leaves the old file or the new one.
fn put(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension(DRAFT);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let written = fs::write(&draft, text).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        _ = fs::remove_file(&draft);
    }
    written
}
