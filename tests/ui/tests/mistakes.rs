//! `docs/mistakes.md`: the ten most typical mistakes, each with the message it gets. The messages are those of the cases
//! that the compiler is held to, so the page cannot promise other ones; `DATAHUB_DOCS=overwrite` renews it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A mistake: what was done, why it is one, and the case with its message.
struct Mistake {
    title: &'static str,
    reason: &'static str,
    case: &'static str,
    /// What the message begins with.
    message: &'static str,
}

const MISTAKES: [Mistake; 10] = [
    Mistake {
        title: "An attribute's name is misspelt",
        reason: "CDMS's names are case-sensitive and not always consistent: `Account` has `WebSiteURL`, `Contact` has \
                 `WebSiteUrl`. The nearest name of the contract is shown.",
        case: "unknown_attribute/misspelt",
        message: "error: unknown attribute `WebSiteUrl`",
    },
    Mistake {
        title: "A field cannot be null, but its attribute can",
        reason: "CDMS may have a null in any attribute, so each field says what becomes of it.",
        case: "nullability/null_for_a_plain_field",
        message: "error: `Alias` can be null in CDMS",
    },
    Mistake {
        title: "A field would be written that CDMS does not let be written",
        reason: "A change of it would be refused or ignored, and the two sides would differ.",
        case: "read_only/would_be_written",
        message: "error: `Rating` is read-only in CDMS",
    },
    Mistake {
        title: "The engine's own attribute is mapped",
        reason: "The time and the user of the last change are what reads are compared by; they have words of their own.",
        case: "read_only/would_be_written",
        message: "error: unknown attribute `ModifiedOn`",
    },
    Mistake {
        title: "The field's type does not hold the attribute's kind",
        reason: "The column's type is the contract's kind, never guessed from the Rust type, so the two have to agree.",
        case: "wrong_kind/type_and_kind",
        message: "error[E0080]: evaluation panicked: `Employees` is of kind integer",
    },
    Mistake {
        title: "A reference points to the wrong model",
        reason: "`Id<Country>` is known to be the id of a country. A lookup that points to accounts cannot hold it.",
        case: "lookup_target/another_entity",
        message: "error[E0080]: evaluation panicked: `Parent` points to",
    },
    Mistake {
        title: "An option is not one of the contract's",
        reason: "Variants are options by their names in snake case, or by the name that they are given.",
        case: "choice/unknown_variant",
        message: "error: unknown option `acounting`",
    },
    Mistake {
        title: "The contract itself is wrong",
        reason: "Its line is drawn in the message, since the compiler can only point at the word that names the file.",
        case: "faulty_contract/faulty",
        message: "error: unknown kind `sting`",
    },
    Mistake {
        title: "The contract is somewhere else",
        reason: "Contracts are looked for in the folder that `datahub.toml` names, and nowhere else.",
        case: "missing_contract/no_file",
        message: "error: contract `mappings/acount.toml` not found",
    },
    Mistake {
        title: "A mirror is saved",
        reason: "With `mode = \"mirror\"` nothing is ever written, so that a first step towards CDMS is without risk.",
        case: "read_only/mirror",
        message: "error[E0277]: `Country` is a mirror of CDMS and is never written",
    },
];

/// The compiler's text on one mistake: what is told, where, and the note that says what to do, which stands behind what
/// the compiler tells of its own.
fn text(mistake: &Mistake) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fail").join(mistake.case).with_extension("stderr");
    let all = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let from = all.find(mistake.message);
    let from = from.unwrap_or_else(|| panic!("{} has no message {:?}", path.display(), mistake.message));
    let whole: Vec<&str> = all[from..].split("\n\n").next().unwrap_or_default().lines().collect();
    let of_the_compiler = |line: &&&str| line.starts_with("help: the trait") || line.trim_start().starts_with("= ");
    let told = whole.iter().take_while(|line| !of_the_compiler(line));
    let cure = whole.iter().find(|line| line.trim_start().starts_with("= note: "));
    told.chain(cure).map(|line| format!("{line}\n")).collect()
}

fn page() -> String {
    let mut page = "# Ten typical mistakes\n\n\
                    What the compiler says to each. All faults of a struct and of its contract come in one compilation, \
                    and the code that uses the struct is not blamed. The word in brackets is the fault's code: \
                    `datahub explain nullability` says more, and [faults.md](faults.md) has all of them.\n"
        .to_owned();
    for (number, mistake) in (1..).zip(&MISTAKES) {
        let Mistake { title, reason, .. } = mistake;
        _ = write!(page, "\n## {number}. {title}\n\n{reason}\n\n```text\n{}```\n", text(mistake));
    }
    page + "\nThis page is made of the cases in `tests/ui/fail` by `DATAHUB_DOCS=overwrite cargo test -p datahub-ui-tests \
            --test mistakes`.\n"
}

#[test]
fn the_page_shows_what_the_compiler_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/mistakes.md");
    let page = page();
    if std::env::var("DATAHUB_DOCS").is_ok_and(|docs| docs == "overwrite") {
        fs::write(&path, &page).expect("the page can be written");
    }
    let shown = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(shown, page, "docs/mistakes.md shows other messages; DATAHUB_DOCS=overwrite renews it");
}
