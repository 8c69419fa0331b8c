//! The compiler's messages: those of the cases in `tests/ui/fail`, where they are compared with the compiler's output.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use datahub_model::diagnostic::Code;

/// The codes that no row can make, because they are about Rust types.
const CODES: [Code; 4] = [Code::WrongType, Code::LookupTarget, Code::GroupShape, Code::ModelsClash];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the compiler's cases are next to this crate").flatten();
    let (folders, files): (Vec<_>, Vec<_>) = entries.map(|entry| entry.path()).partition(|path| path.is_dir());
    let below = folders.iter().flat_map(|folder| self::files(folder));
    below.chain(files).filter(|path| path.extension().is_some_and(|ending| ending == "stderr")).collect()
}

/// The compiler's output for each case.
pub(crate) fn texts() -> Vec<String> {
    let files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/ui/fail"));
    files.into_iter().map(|path| std::fs::read_to_string(path).expect("a case can be read")).collect()
}

/// Each code with a message and its cure, as the compiler shows them.
pub(crate) fn messages() -> BTreeSet<(Code, String, String)> {
    let mut messages = BTreeSet::new();
    for text in texts() {
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let code_here = Code::ALL.iter().copied().find(|code| line.ends_with(&format!(" [{code}]")));
            // The derives' own errors have no number of the compiler's.
            let of_the_compiler = line.strip_prefix("error[").and_then(|line| line.split_once("]: "));
            let (Some(code), Some((_, message))) = (code_here, of_the_compiler) else { continue };
            let message = message.trim_start_matches("evaluation panicked: ").replace(&format!(" [{code}]"), "");
            let rest = &lines[at + 1..];
            let of_this = rest.iter().take_while(|line| !line.starts_with("error"));
            let help = of_this.into_iter().find_map(|line| {
                let line = line.trim_start();
                line.strip_prefix("help: ").filter(|_| rest[0].trim_start() == line).or(line.strip_prefix("= note: "))
            });
            messages.insert((code, message, help.unwrap_or_default().to_owned()));
        }
    }
    messages
}

#[test]
fn each_of_the_compilers_codes_has_a_case() {
    let made: BTreeSet<Code> = messages().into_iter().map(|(code, ..)| code).collect();
    assert!(made.is_superset(&CODES.into_iter().collect()), "{made:?}");
}
