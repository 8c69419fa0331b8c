//! The pages of both forms: which there are, that equal trees give equal files, and that links lead somewhere.

use std::collections::BTreeSet;

use datahub_docs::{Atlas, Changes, File, Since, html, markdown};

use crate::project::{ACCOUNT, MODELS, atlas, tree, whole, with};

fn page<'f>(files: &'f [File], path: &str) -> &'f str {
    &files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("no {path}")).text
}

fn since() -> Since {
    let before = with(ACCOUNT, &MODELS.replace("A country.", "A land."));
    Since { revision: "main".to_owned(), changes: Changes::between(&before, &whole()), unread: Vec::new() }
}

#[test]
fn what_cannot_be_compared_is_named_and_nothing_else() {
    let since = Since { revision: "main".to_owned(), changes: Changes::default(), unread: vec!["src/x.rs".to_owned()] };
    for (files, name) in [
        (html::site(&atlas(), Some(&since)).unwrap(), "changes.html"),
        (markdown::files(&atlas(), Some(&since)).unwrap(), "changes.md"),
    ] {
        let changes = page(&files, name);
        assert!(changes.contains("Nothing was compared") && changes.contains("src/x.rs"), "{changes}");
        assert!(!changes.contains("No model and no contract differs"), "{changes}");
    }
}

#[test]
fn the_rust_as_written_keeps_its_blank_lines() {
    let models =
        MODELS.replace("    pub name: String,\n    #[cdms(\"Alias\"", "    pub name: String,\n\n    #[cdms(\"Alias\"");
    assert_ne!(models, MODELS);
    let atlas = Atlas::new("Firms", &with(ACCOUNT, &models));
    let files = html::site(&atlas, None).unwrap();
    let (around, code) = page(&files, "models/companies.html").split_once("<pre").unwrap();
    assert!(code.contains("    pub name: String,\n\n    #["), "{code}");
    assert!(!around.contains("\n\n"), "{around}");
}

#[test]
fn values_of_a_project_are_no_marks_of_a_page_of_changes() {
    let edited =
        |default: &str| with(ACCOUNT, &MODELS.replace("default = \"none\"", &format!("default = \"{default}\"")));
    let changes = Changes::between(&edited("<b>*none*"), &edited("[a](b) `"));
    let since = Since { revision: "main".to_owned(), changes, unread: Vec::new() };
    let said = markdown::detail(&since.changes.0[0].details[0]);
    assert!(said.ends_with(r#""\<b\>\*none\*" → "\[a\](b) \`""#) && said.starts_with("`alias`: "), "{said}");
    let files = markdown::files(&atlas(), Some(&since)).unwrap();
    assert!(page(&files, "changes.md").contains(&format!("- {said}\n")));
    let files = html::site(&atlas(), Some(&since)).unwrap();
    let changes = page(&files, "changes.html");
    assert!(
        changes.contains("<code>alias</code>: ") && changes.contains("*none*") && changes.contains("[a](b) `"),
        "{changes}"
    );
    assert!(!changes.contains("<b>"), "{changes}");
}

#[test]
fn equal_trees_give_equal_files() {
    assert_eq!(html::site(&atlas(), None).unwrap(), html::site(&atlas(), None).unwrap());
    assert_eq!(markdown::files(&atlas(), None).unwrap(), markdown::files(&atlas(), None).unwrap());
}

#[test]
fn the_site_has_a_page_for_everything() {
    let files = html::site(&atlas(), Some(&since())).unwrap();
    let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
    let expected = [
        "assets/index.js",
        "assets/site.css",
        "assets/site.js",
        "attributes.html",
        "changes.html",
        "contracts.html",
        "contracts/account.html",
        "contracts/country.html",
        "index.html",
        "models.html",
        "models/companies.html",
        "models/countries.html",
        "personal.html",
    ];
    assert_eq!(paths, expected);
    let changes = page(&files, "changes.html");
    assert!(changes.contains("another comment"), "{changes}");
    assert!(!page(&html::site(&atlas(), None).unwrap(), "index.html").contains("changes.html"));
}

#[test]
fn every_file_says_that_it_is_generated() {
    for file in html::site(&atlas(), None).unwrap().iter().chain(&markdown::files(&atlas(), None).unwrap()) {
        assert!(file.text.lines().take(2).any(|line| line.contains(datahub_docs::MARK)), "{}", file.path);
        let folder = file.path.split_once('/').map(|(folder, _)| folder);
        assert!(folder.is_none_or(|folder| datahub_docs::FOLDERS.contains(&folder)), "{}", file.path);
    }
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    for file in html::site(&atlas(), None).unwrap() {
        for (at, _) in file.text.match_indices("http") {
            let around = &file.text[at.saturating_sub(20)..(at + 40).min(file.text.len())];
            // The sample record has an address as a value, and the header forbids everything.
            assert!(around.contains("http-equiv") || around.contains("example.org"), "{}: {around}", file.path);
        }
    }
}

#[test]
fn text_of_a_project_cannot_become_markup() {
    let models = MODELS.replace("A country.", "A <script>country</script> & \"more\".");
    let account = ACCOUNT.replace("in pounds", "<b>in</b> pounds | euros");
    let atlas = Atlas::new("<Firms>", &with(&account, &models));
    for file in html::site(&atlas, None).unwrap().iter().filter(|file| file.path.ends_with(".html")) {
        assert!(!file.text.contains("<script>") && !file.text.contains("<b>"), "{}", file.path);
        assert!(!file.text.contains("<Firms>"), "{}", file.path);
    }
    let files = markdown::files(&atlas, None).unwrap();
    for name in ["README.md", "models/countries.md"] {
        assert!(page(&files, name).contains("A &lt;script>country&lt;/script> & \"more\"."), "{}", page(&files, name));
    }
    assert!(page(&files, "contracts/account.md").contains("\\<b\\>in\\</b\\> pounds \\| euros"));
}

#[test]
fn links_of_the_markdown_lead_to_files() {
    let files = markdown::files(&atlas(), Some(&since())).unwrap();
    let paths: BTreeSet<_> = files.iter().map(|file| file.path.clone()).collect();
    let mut count = 0;
    for file in &files {
        for target in file.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let target = match target.strip_prefix("../") {
                Some(above) => above.to_owned(),
                None if folder.is_empty() => target.to_owned(),
                None => format!("{folder}/{target}"),
            };
            assert!(paths.contains(&target), "{}: {target}", file.path);
            count += 1;
        }
    }
    assert!(count > 30, "{count} links");
}

#[test]
fn the_tables_of_the_markdown_have_as_many_cells_in_each_row() {
    for file in markdown::files(&atlas(), Some(&since())).unwrap() {
        let mut cells = None;
        for line in file.text.lines() {
            let is_row = line.starts_with('|');
            let count = line.replace("\\|", "").matches('|').count();
            assert!(!is_row || cells.is_none_or(|cells| cells == count), "{}: {line}", file.path);
            cells = is_row.then_some(count);
        }
    }
}

#[test]
fn a_project_without_models_has_pages_too() {
    let empty = Atlas::new("Nothing", &tree(&[("src/lib.rs", "")]));
    let files = html::site(&empty, None).unwrap();
    assert!(page(&files, "models.html").contains("no models yet"));
    assert!(page(&files, "personal.html").contains("There is none"));
    assert!(page(&markdown::files(&empty, None).unwrap(), "personal.md").contains("There is none"));
}

#[test]
fn a_diagram_of_many_shows_the_most_connected() {
    let mut models = String::new();
    let mut account =
        "entity = \"Account\"\n[attributes]\nParentId = { kind = \"lookup\", target = \"account\" }\n".to_owned();
    account += "Size = { kind = \"integer\" }\n";
    for at in 0..60 {
        models += &format!(
            "#[derive(CdmsSynced)]\n#[cdms(mapping = \"account.toml\", table = \"t{at}\", only = \"Size eq {at}\", \
             diesel(table = false))]\npub struct M{at} {{ #[cdms(key)] id: Id<M{at}>, #[cdms(\"ParentId\")] \
             parent: Option<Id<M{}>> }}\n",
            at / 20
        );
    }
    let atlas = Atlas::new("Many", &tree(&[("mappings/account.toml", &account), ("src/lib.rs", &models)]));
    let files = html::site(&atlas, None).unwrap();
    let overview = page(&files, "index.html");
    assert!(overview.contains("The 40 with the most lookups, of 60"));
    for name in ["M0", "M1", "M2"] {
        assert!(
            overview.contains(&format!("<a href=\"models/{}.html\" class=\"sync\">", name.replace('M', "t"))),
            "{name}"
        );
    }
    let around = page(&files, "models/t1.html");
    assert!(around.contains("class=\"sync centre\"") && around.contains("19 of 22 boxes; the list below has all"));
}
