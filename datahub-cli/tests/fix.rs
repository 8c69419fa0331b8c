//! `datahub check --fix` on every case that must not compile, and on files that need care.
#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fastrand::Rng;
use serde_json::Value;
use tempfile::TempDir;

/// The files below a folder, each with its path from the root.
fn below(root: &Path, folder: &str) -> Vec<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() { files.extend(below(root, &name)) } else { files.push(name) }
    }
    files.sort();
    files
}

fn ui() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/ui").canonicalize().unwrap()
}

/// A project with the contracts of the cases, and these of their files.
fn project(sources: &[String]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let copy = |file: &str| {
        let to = folder.path().join(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(ui().join(file), to).unwrap();
    };
    below(&ui(), "mappings").iter().chain(sources).for_each(|file| copy(file));
    copy("Cargo.toml");
    fs::create_dir_all(folder.path().join("fail")).unwrap();
    let settings = "metadata = 'mappings/metadata.xml'\nmodels = 'fail'\ndiesel-columns = 64\n";
    fs::write(folder.path().join("datahub.toml"), settings).unwrap();
    folder
}

fn datahub(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_datahub"));
    let output = command.args(arguments).arg("--json").current_dir(folder).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The faults that the derives report too, by file and message.
fn faults(lines: &[Value]) -> BTreeMap<(String, String), usize> {
    let mut faults = BTreeMap::new();
    let found = lines
        .iter()
        .filter(|line| line["level"] == "error" && (line["check"] == "models" || line["check"] == "contracts"));
    for fault in found {
        let text = |key: &str| fault[key].as_str().unwrap().to_owned();
        *faults.entry((text("file"), text("message"))).or_default() += 1;
    }
    faults
}

/// Corrects a project; returns the numbers of faults before and afterwards.
fn corrected(folder: &Path, what: &str) -> (usize, usize) {
    let texts = || -> BTreeMap<String, String> {
        let files = ["mappings", "fail"].iter().flat_map(|part| below(folder, part));
        files.map(|file| (file.clone(), fs::read_to_string(folder.join(&file)).unwrap())).collect()
    };
    let (before, original) = (faults(&datahub(folder, &["check"])), texts());
    let trial = datahub(folder, &["check", "--fix", "--dry-run"]);
    assert_eq!(texts(), original, "{what}: a trial changes nothing");
    let lines = datahub(folder, &["check", "--fix"]);
    let made = |lines: &[Value]| lines.iter().find_map(|line| line["corrections"].as_u64()).unwrap();
    assert_eq!(made(&trial), made(&lines), "{what}");
    let (after, now) = (faults(&lines), texts());
    for (fault, times) in &after {
        assert!(before.get(fault).is_some_and(|before| times <= before), "{what}: {fault:?} is new");
    }
    let (count, count_after): (usize, usize) = (before.values().sum(), after.values().sum());
    assert_eq!(made(&lines) == 0, original == now, "{what}");
    assert_eq!(made(&lines) == 0, count == count_after, "{what}");
    // Only words change, and never a whole line.
    for (file, text) in &original {
        assert_eq!(text.lines().count(), now[file].lines().count(), "{file}");
    }
    let again = datahub(folder, &["check", "--fix"]);
    assert_eq!((made(&again), texts()), (0, now), "{what}: nothing is left to correct");
    (count, count_after)
}

#[test]
fn corrections_bring_no_other_fault_in_any_case() {
    let mut sources = below(&ui(), "fail");
    sources.retain(|file| file.ends_with(".rs"));
    let whole = project(&sources);
    let (before, after) = corrected(whole.path(), "all cases at once");
    assert!(before > 150 && before - after >= 25, "{before} faults, then {after}");
    for source in sources {
        corrected(project(std::slice::from_ref(&source)).path(), &source);
    }
}

/// The faultless project of the transcripts, with its models in `fail`.
fn faultless() -> TempDir {
    let clean = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/check/clean/project");
    let folder = tempfile::tempdir().unwrap();
    for file in below(&clean, "mappings").into_iter().chain(below(&clean, "src")) {
        let to = folder.path().join(file.replace("src/", "fail/"));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(clean.join(file), to).unwrap();
    }
    fs::copy(clean.join("Cargo.toml"), folder.path().join("Cargo.toml")).unwrap();
    fs::write(folder.path().join("datahub.toml"), "metadata = 'mappings/metadata.xml'\nmodels = 'fail'\n").unwrap();
    folder
}

/// Makes a slip in a random word of a file: two letters change places, or one is lost or typed twice.
fn slip(path: &Path, dice: &mut Rng) {
    let text = fs::read_to_string(path).unwrap();
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let starts = text.char_indices().filter(|(at, letter)| is_letter(*letter) && !text[..*at].ends_with(is_letter));
    let words = starts.map(|(at, _)| at..at + text[at..].find(|letter| !is_letter(letter)).unwrap_or(text.len() - at));
    let words: Vec<_> = words.filter(|word| word.len() > 3).collect();
    let word = words[dice.usize(..words.len())].clone();
    let mut letters: Vec<char> = text[word.clone()].chars().collect();
    let at = dice.usize(..letters.len() - 1);
    match dice.u8(..3) {
        0 => letters.swap(at, at + 1),
        1 => _ = letters.remove(at),
        _ => letters.insert(at, letters[at]),
    }
    let letters: String = letters.into_iter().collect();
    fs::write(path, format!("{}{letters}{}", &text[..word.start], &text[word.end..])).unwrap();
}

#[test]
fn corrections_of_random_slips_bring_no_other_fault() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse().ok());
    let seeds = match number("DATAHUB_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("DATAHUB_SEEDS").unwrap_or(30),
    };
    let (mut faults, mut left) = (0, 0);
    for seed in seeds {
        let (folder, mut dice) = (faultless(), Rng::with_seed(seed));
        let files = ["mappings/account.toml", "mappings/country.toml", "fail/organisation.rs", "fail/country.rs"];
        for _ in 0..dice.usize(1..4) {
            slip(&folder.path().join(files[dice.usize(..files.len())]), &mut dice);
        }
        let (before, after) = corrected(folder.path(), &format!("DATAHUB_SEED={seed}"));
        faults += before;
        left += after;
    }
    assert!(
        faults > 0 && (left < faults || number("DATAHUB_SEED").is_some()),
        "{faults} faults, of which {left} are left"
    );
}

/// Edits the models of the faultless project, and corrects it; returns their text before and afterwards, and the output.
fn edited_and_corrected(edits: &[(&str, &str)]) -> (String, String, Vec<Value>) {
    let folder = faultless();
    let path = folder.path().join("fail/organisation.rs");
    let mut text = fs::read_to_string(&path).unwrap();
    for (from, to) in edits {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text = text.replace(from, to);
    }
    fs::write(&path, &text).unwrap();
    let lines = datahub(folder.path(), &["check", "--fix"]);
    (text, fs::read_to_string(path).unwrap(), lines)
}

fn not_corrected(lines: &[Value]) -> usize {
    lines.iter().filter(|line| line["not_corrected"] == "fail/organisation.rs").count()
}

const EMPLOYEES: &str = "#[cdms(\"NumberOfEmployees\")]\n    pub employees: Option<i32>";

#[test]
fn a_correction_after_which_a_type_does_not_fit_is_not_made() {
    let wrong = "#[cdms(\"NumberOfEmployes\")]\n    pub employees: Option<String>";
    let (before, after, lines) = edited_and_corrected(&[(EMPLOYEES, wrong)]);
    assert_eq!((after, not_corrected(&lines)), (before, 1), "{lines:#?}");
}

#[test]
fn a_type_that_did_not_fit_before_keeps_nothing_else_from_correction() {
    let wrong = EMPLOYEES.replace("i32", "String");
    let (before, after, lines) = edited_and_corrected(&[(EMPLOYEES, &wrong), ("(\"Name\")", "(\"Nmae\")")]);
    assert_eq!((after, not_corrected(&lines)), (before.replace("Nmae", "Name"), 0), "{lines:#?}");
    assert!(lines.iter().any(|line| line["check"] == "types" && line["code"] == "wrong-type"), "{lines:#?}");
}

#[test]
fn a_correction_after_which_models_clash_is_not_made() {
    let table = "table = \"organisations\"";
    let (before, after, lines) = edited_and_corrected(&[(table, "table = \"Countries\"")]);
    assert_eq!((after, not_corrected(&lines)), (before, 1), "{lines:#?}");
    // A clash that was there before keeps no field from correction.
    let (before, after, lines) =
        edited_and_corrected(&[(table, "table = \"countries\""), ("(\"Name\")", "(\"Nmae\")")]);
    assert_eq!((after, not_corrected(&lines)), (before.replace("Nmae", "Name"), 0), "{lines:#?}");
}

const CONTRACT: &str = "entity = \"Account\"\r\n\r\n[attributes]\r\nName = { kind = \"strnig\" } # é\r\n";
const SOURCE: &str = "\u{feff}// é\r\n#[derive(CdmsSynced)]\r\n#[cdms(mapping = \"account.toml\", tabel = \"firms\", mode = \
                      \"mirror\")]\r\nstruct Firm {\r\n    #[cdms(key)]\r\n    id: Id<Firm>,\r\n}\r\n";

fn small() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in [
        ("datahub.toml", "models = 'fail'"),
        ("Cargo.toml", "[dependencies]\ndiesel = '2'"),
        ("mappings/account.toml", CONTRACT),
        ("fail/lib.rs", SOURCE),
    ] {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

#[test]
fn line_ends_comments_and_a_byte_order_mark_stay() {
    let folder = small();
    assert_eq!(corrected(folder.path(), "small").1, 0);
    let read = |file: &str| fs::read_to_string(folder.path().join(file)).unwrap();
    assert_eq!(read("mappings/account.toml"), CONTRACT.replace("strnig", "string"));
    assert_eq!(read("fail/lib.rs"), SOURCE.replace("tabel", "table"));
}

#[cfg(unix)]
#[test]
fn permissions_and_links_stay() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let folder = small();
    let (contract, source) = (folder.path().join("mappings/account.toml"), folder.path().join("fail/lib.rs"));
    fs::set_permissions(&contract, fs::Permissions::from_mode(0o640)).unwrap();
    let elsewhere = folder.path().join("elsewhere.rs");
    fs::rename(&source, &elsewhere).unwrap();
    symlink(&elsewhere, &source).unwrap();
    datahub(folder.path(), &["check", "--fix"]);
    assert_eq!(fs::metadata(&contract).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs::symlink_metadata(&source).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), SOURCE.replace("tabel", "table"));
}
