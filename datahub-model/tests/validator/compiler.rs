//! What only the compiler can tell: the messages of the cases in `tests/ui/fail`, to which the compiler is held there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use datahub_model::diagnostic::Code;

/// The codes that no row can make, because they are about Rust types.
const CODES: [Code; 4] = [Code::WrongType, Code::LookupTarget, Code::GroupShape, Code::ModelsClash];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the cases of the compiler are beside this crate").flatten();
    let (folders, files): (Vec<_>, Vec<_>) = entries.map(|entry| entry.path()).partition(|path| path.is_dir());
    let below = folders.iter().flat_map(|folder| self::files(folder));
    below.chain(files).filter(|path| path.extension().is_some_and(|ending| ending == "stderr")).collect()
}

/// Each code with a message and its help, as the compiler shows them.
pub(crate) fn told() -> BTreeSet<(Code, String, String)> {
    let mut told = BTreeSet::new();
    for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/ui/fail")) {
        let text = std::fs::read_to_string(path).expect("a case can be read");
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let told_here = Code::ALL.iter().copied().find(|code| line.ends_with(&format!(" [{code}]")));
            // The derives' own errors have no number of the compiler's.
            let of_the_compiler = line.strip_prefix("error[").and_then(|line| line.split_once("]: "));
            let (Some(code), Some((_, message))) = (told_here, of_the_compiler) else { continue };
            let message = message.trim_start_matches("evaluation panicked: ").replace(&format!(" [{code}]"), "");
            let rest = &lines[at + 1..];
            let of_this = rest.iter().take_while(|line| !line.starts_with("error"));
            let help = of_this.into_iter().find_map(|line| {
                let line = line.trim_start();
                line.strip_prefix("help: ").filter(|_| rest[0].trim_start() == line).or(line.strip_prefix("= note: "))
            });
            told.insert((code, message, help.unwrap_or_default().to_owned()));
        }
    }
    told
}

#[test]
fn each_of_the_compilers_codes_has_a_case() {
    let made: BTreeSet<Code> = told().into_iter().map(|(code, ..)| code).collect();
    assert!(made.is_superset(&CODES.into_iter().collect()), "{made:?}");
}
