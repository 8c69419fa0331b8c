//! `datahub migrate new`, `check` and `rebase` as their users see them: a transcript for each case, on a project of its own.
//!
//! A case is a folder with the project's files and a `transcript.txt`. A line that begins with `$ ` is executed in a copy of
//! the folder: `datahub` with arguments, `git` (its output is not shown), `cat`, `ls` (all files below a folder), `cp`, `rm`,
//! `mkdir`, and `replace FILE 'OLD' 'NEW'`. A line that begins with `// ` is a comment. What follows is what it prints, with `[exit N]` if it fails.
//! Hashes are shown as `(hash 1)` and so on, times as `[TIME]` and `[DATE]`. `SNAPSHOTS=overwrite` renews the transcripts.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use snapbox::{Data, assert_data_eq};

macro_rules! cases {
    ($($case:ident),* $(,)?) => {$(
        #[test]
        fn $case() {
            run(stringify!($case));
        }
    )*};
}

cases! {
    a_database_joins_later,
    a_field_is_added,
    a_rename_is_asked,
    an_interrupted_run_is_finished,
    files_that_disagree_are_refused,
    json_is_for_machines,
    loss_needs_consent,
    models_must_be_faultless,
    two_branches_are_rebased,
    two_databases_get_the_same_folders,
    what_was_replaced_counts_as_applied,
    what_was_replaced_is_taken_back,
}

fn run(case: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/migrate").join(case);
    let project = tempfile::tempdir().unwrap();
    copy(&folder, project.path());
    let transcript = fs::read_to_string(folder.join("transcript.txt")).unwrap();
    let mut shown = String::new();
    for line in transcript.lines().filter(|line| line.starts_with("$ ") || line.starts_with("// ")) {
        shown.push_str(line);
        shown.push('\n');
        if let Some(command) = line.strip_prefix("$ ") {
            shown.push_str(&execute(project.path(), &words(command)));
        }
    }
    let shown = without_hashes(&shown);
    assert_data_eq!(shown, Data::read_from(&folder.join("transcript.txt"), None).raw());
}

/// Output with a number in place of each hash, without times, and without the revision of the engine's tables, on which hashes depend.
fn without_hashes(text: &str) -> String {
    let is_digit = |letter: char| matches!(letter, '0'..='9' | 'a'..='f');
    let (mut known, mut shown) = (Vec::new(), String::new());
    for word in text.split_inclusive(|letter: char| !letter.is_alphanumeric() && letter != '_') {
        let hash = word.trim_end_matches(|letter: char| !letter.is_alphanumeric() && letter != '_');
        if hash.len() == 16 && hash.chars().all(is_digit) {
            let number = known.iter().position(|known| *known == hash).unwrap_or_else(|| {
                known.push(hash);
                known.len() - 1
            });
            shown.push_str(&format!("(hash {}){}", number + 1, &word[16..]));
        } else {
            shown.push_str(word);
        }
    }
    let times = [(r"\b\d+(\.\d+)? (ms|s)\b", "[TIME]"), (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?", "[DATE]")];
    for (pattern, name) in times {
        shown = regex::Regex::new(pattern).unwrap().replace_all(&shown, name).into_owned();
    }
    let revision = format!("engine = {}", datahub_model::schema::engine::REVISION);
    shown.replace(&revision, "engine = (revision)")
}

/// The words of a command; quotes keep several together.
fn words(command: &str) -> Vec<String> {
    let parts = command.split('\'').enumerate();
    let words = parts.flat_map(|(position, part)| match position % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.replace("\\n", "\n")],
    });
    words.collect()
}

/// Executes a command in a project, and returns what it prints.
fn execute(project: &Path, words: &[String]) -> String {
    let [program, arguments @ ..] = words else { panic!("an empty command") };
    let path = |at: usize| project.join(&arguments[at]);
    match program.as_str() {
        "datahub" => datahub(project, arguments),
        "git" => git(project, arguments),
        "cat" => fs::read_to_string(path(0)).unwrap_or_else(|_| "(missing)\n".to_owned()),
        "ls" => {
            let mut files = Vec::new();
            list(&path(0), project, &mut files);
            files.sort();
            files.into_iter().map(|file| file + "\n").collect()
        }
        "cp" => {
            fs::copy(path(0), path(1)).unwrap();
            String::new()
        }
        "mkdir" => {
            fs::create_dir_all(path(0)).unwrap();
            String::new()
        }
        "rm" => {
            let path = path(0);
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
            String::new()
        }
        "replace" => {
            let text = fs::read_to_string(path(0)).unwrap();
            assert!(text.contains(&arguments[1]), "{} has no {:?}", arguments[0], arguments[1]);
            fs::write(path(0), text.replace(&arguments[1], &arguments[2])).unwrap();
            String::new()
        }
        other => panic!("unknown command {other}"),
    }
}

fn datahub(project: &Path, arguments: &[String]) -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_datahub"))
        .args(arguments)
        .current_dir(project)
        .env("COLUMNS", "100")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&format!("{}/", project.display()), "");
    let code = run.status.code().unwrap();
    let exit = if code == 0 { String::new() } else { format!("[exit {code}]\n") };
    format!("{}{}{exit}", text(run.stdout), text(run.stderr))
}

fn git(project: &Path, arguments: &[String]) -> String {
    // Without the user's settings, and with an author.
    let run = Command::new("git")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .current_dir(project)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .unwrap();
    if run.status.success() { String::new() } else { "(conflict)\n".to_owned() }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else if name != "transcript.txt" {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

fn list(folder: &Path, root: &Path, files: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            list(&path, root, files);
        } else {
            files.push(path.strip_prefix(root).unwrap().display().to_string());
        }
    }
}
