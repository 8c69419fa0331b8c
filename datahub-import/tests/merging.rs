//! The three-way merge: what people wrote stays, what CDMS changed is applied or shown.
#![cfg(test)]

use datahub_import::{Base, Entity, Key, Merged, Origin, Source, Value, Wanted, merge, unite};
use datahub_model::source::Contract;

const METADATA: &str = include_str!("fixtures/metadata.xml");
const SOLUTION: &str = include_str!("fixtures/customizations.xml");
const ORDER: &str = "acme_shipmentorder";

fn order(sources: &[&str]) -> Entity {
    let sources: Vec<_> = sources.iter().map(|text| Source::read("source", text.as_bytes()).unwrap()).collect();
    let wanted = Wanted { entities: Some(vec![ORDER.to_owned()]), zone: None };
    unite(&sources, &wanted).unwrap().entities.remove(0)
}

fn first(now: &Entity) -> Merged {
    merge(None, None, now, false).unwrap()
}

/// What the conflicts are about.
fn subjects(merged: &Merged) -> Vec<Option<String>> {
    merged.conflicts.iter().map(|conflict| conflict.attribute.clone()).collect()
}

fn replaced(text: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in {text}");
        text.replacen(from, to, 1)
    })
}

/// `$metadata` with those of the edits that belong to it.
fn metadata_of(change: &[(&str, &str)]) -> String {
    let edits: Vec<_> = change.iter().copied().filter(|(from, _)| METADATA.contains(from)).collect();
    replaced(METADATA, &edits)
}

/// Edits the text of a contract, imports again, and returns the text and what is said.
fn again(edit: &[(&str, &str)], change: &[(&str, &str)]) -> (String, Vec<String>, Vec<String>) {
    let before = first(&order(&[METADATA, SOLUTION]));
    let ours = replaced(&before.text, edit);
    // The base is read as it was written.
    let base = Base::parse(&before.base.text()).unwrap();
    let solution: Vec<_> = change.iter().copied().filter(|(from, _)| !METADATA.contains(from)).collect();
    let now = order(&[&metadata_of(change), &replaced(SOLUTION, &solution)]);
    let merged = merge(Some(&ours), Some(&base), &now, false).unwrap();
    // What was merged once is not merged again.
    let same = merge(Some(&merged.text), Some(&merged.base), &now, false).unwrap();
    assert_eq!((&same.text, same.changes.len()), (&merged.text, 0), "{:?}", same.changes);
    // A conflict is reported until it is settled, also by an import that only has $metadata.
    assert_eq!(subjects(&same), subjects(&merged));
    let base = Base::parse(&same.base.text()).unwrap();
    assert_eq!(base, same.base);
    let silent = merge(Some(&same.text), Some(&base), &order(&[&metadata_of(change)]), false).unwrap();
    assert_eq!(subjects(&silent), subjects(&merged));
    // A person can decide them all.
    let kept = same.clone().kept();
    assert_eq!((kept.conflicts.len(), kept.changes.len()), (0, same.conflicts.len()));
    let after = merge(Some(&kept.text), Some(&kept.base), &now, false).unwrap();
    assert_eq!(
        (&after.text, after.conflicts.len(), after.changes.len()),
        (&merged.text, 0, 0),
        "{:?}",
        after.conflicts
    );
    // A process that ended between the contract and its base has lost nothing.
    let interrupted = merge(Some(&merged.text), Some(&base), &now, false).unwrap();
    assert_eq!((&interrupted.text, interrupted.changes.len()), (&merged.text, 0), "{:?}", interrupted.changes);
    let said = |changes: &[datahub_import::Change]| changes.iter().map(ToString::to_string).collect();
    (merged.text, said(&merged.changes), said(&merged.conflicts))
}

#[test]
fn nothing_new_changes_nothing() {
    let (text, changes, conflicts) = again(&[], &[]);
    assert_eq!(text, first(&order(&[METADATA, SOLUTION])).text);
    assert!(changes.is_empty() && conflicts.is_empty(), "{changes:?} {conflicts:?}");
}

#[test]
fn what_people_wrote_stays_to_the_letter() {
    let edits = [
        ("# acme_shipmentorder: \"Shipment Order\" in CDMS.\n", "# Orders, as we know them.\n\n"),
        (
            "acme_Parcels = { kind = \"integer\" }",
            "acme_Parcels  =  {kind=\"integer\",   class = 'personal' } # counted by hand",
        ),
        ("acme_IsExpress = { kind = \"boolean\" }\n", ""),
        ("[unmapped]\n", "[constants]\nacme_IsExpress2 = true\n\n[unmapped]\nacme_IsExpress = \"not used\"\n"),
    ];
    let (text, changes, conflicts) = again(&edits, &[]);
    let expected =
        edits.iter().fold(first(&order(&[METADATA, SOLUTION])).text, |text, (from, to)| text.replacen(from, to, 1));
    assert_eq!(text, expected);
    assert!(changes.is_empty() && conflicts.is_empty(), "{changes:?} {conflicts:?}");
}

#[test]
fn what_cdms_changed_is_applied_where_nobody_touched_it() {
    let (text, changes, conflicts) = again(
        &[(
            "acme_Weight = { kind = \"decimal\", scale = 3 }",
            "# in kilograms\nacme_Weight = { kind = \"decimal\", scale = 3, class = \"personal\" }",
        )],
        &[
            ("<MaxLength>100</MaxLength>", "<MaxLength>120</MaxLength>"),
            ("<Accuracy>3</Accuracy>", "<Accuracy>4</Accuracy>"),
            ("description=\"Remarks\"", "description=\"Notes of the driver\""),
            ("description=\"South-West\"", "description=\"South &amp; West\""),
            (
                "<option value=\"1\"><labels><label description=\"North\"",
                "<option value=\"7\"><labels><label description=\"East\" languagecode=\"1033\" /></labels></option><option value=\"1\"><labels><label description=\"North\"",
            ),
        ],
    );
    assert!(conflicts.is_empty(), "{conflicts:?}");
    assert!(text.contains("acme_name = { kind = \"string\", required = \"on-forms\", max-length = 120, note = \"Order number\" } # from solution"), "{text}");
    assert!(
        text.contains("# in kilograms\nacme_Weight = { kind = \"decimal\", scale = 4, class = \"personal\" }"),
        "{text}"
    );
    assert!(
        text.contains(
            "max-length = 2000, note = \"Notes of the driver\" } # from solution: required, max-length, note"
        ),
        "{text}"
    );
    // The option keeps the name that code uses; its label is new.
    assert!(
        text.contains(
            "choices = { north = 1, south_west = 2, east = 7 }, labels = { south_west = \"South & West\" } }"
        ),
        "{text}"
    );
    for expected in [
        "`acme_name`: `max-length` is 120 (solution), was 100",
        "`acme_Region`: the option `east = 7` is new",
        "`acme_Region`: the label of `south_west` is \"South & West\", was none",
        "`acme_remarks`: `note` is \"Notes of the driver\" (solution)",
    ] {
        assert!(changes.iter().any(|change| change == expected), "{expected}: {changes:?}");
    }
    assert!(Contract::parse(&text).into_result().is_ok(), "{text}");
}

#[test]
fn what_both_changed_stays_as_the_person_wrote_it_and_is_shown() {
    let (text, changes, conflicts) = again(
        &[
            ("max-length = 100", "max-length = 90"),
            ("north = 1", "up_north = 1"),
            ("acme_Parcels = { kind = \"integer\" }", "acme_Parcels = { kind = \"integer\" } # ours"),
            ("zone = \"?\"", "zone = \"Europe/Paris\""),
        ],
        &[
            ("<MaxLength>100</MaxLength>", "<MaxLength>120</MaxLength>"),
            (
                "<option value=\"1\"><labels><label description=\"North\"",
                "<option value=\"8\"><labels><label description=\"North\"",
            ),
            ("    <Property Name=\"acme_Parcels\" Type=\"Edm.Int32\" Nullable=\"true\"/>\n", ""),
        ],
    );
    assert!(
        text.contains("max-length = 90") && text.contains("up_north = 1") && text.contains("acme_Parcels"),
        "{text}"
    );
    assert!(text.contains("zone = \"Europe/Paris\""), "an answer is no contradiction: {text}");
    for expected in [
        "`acme_name`: `max-length` is 90, and CDMS has 120 (solution)",
        "`acme_Region`: the option `up_north = 1` is no longer in CDMS, but has its own name here",
        "`acme_Parcels`: is no longer in CDMS, but was edited here; remove it yourself",
    ] {
        assert!(conflicts.iter().any(|conflict| conflict == expected), "{expected}: {conflicts:?}");
    }
    assert_eq!(conflicts.len(), 3, "{conflicts:?}");
    // The comment no longer says that the length is from the solution.
    assert!(text.contains("max-length = 90, note = \"Order number\" } # from solution: required, note"), "{text}");
    assert!(changes.iter().any(|change| change.contains("`north_8 = 8` is new")), "{changes:?}");
}

#[test]
fn attributes_come_and_go() {
    let (text, changes, conflicts) = again(
        &[("[unmapped]\n", "[constants]\nacme_LoadedAt = true\n\n[unmapped]\n")],
        &[
            (
                "    <Property Name=\"acme_Parcels\" Type=\"Edm.Int32\" Nullable=\"true\"/>\n",
                "    <Property Name=\"acme_Pallets\" Type=\"Edm.Int32\" Nullable=\"true\"/>\n",
            ),
            ("    <Property Name=\"acme_LoadedAt\" Type=\"Edm.DateTime\" Nullable=\"true\"/>\n", ""),
        ],
    );
    assert!(!text.contains("acme_Parcels") && text.contains("acme_Pallets = { kind = \"integer\" }\n"), "{text}");
    assert!(changes.iter().any(|change| change == "`acme_Pallets`: is new in CDMS, kind integer"), "{changes:?}");
    assert!(changes.iter().any(|change| change == "`acme_Parcels`: is no longer in CDMS"), "{changes:?}");
    assert_eq!(conflicts, ["`acme_LoadedAt`: is no longer in CDMS, but [groups] or [constants] name it"]);
}

#[test]
fn a_source_that_says_less_takes_nothing_back() {
    let before = first(&order(&[METADATA, SOLUTION]));
    let now = merge(Some(&before.text), Some(&before.base), &order(&[METADATA]), false).unwrap();
    assert_eq!(now.text, before.text, "{:?}", now.changes);
    assert_eq!(now.base, before.base);
    let now = merge(Some(&before.text), Some(&before.base), &order(&[SOLUTION]), false).unwrap();
    assert!(now.conflicts.is_empty(), "{:?}", now.conflicts);
}

#[test]
fn a_later_source_answers_questions() {
    let before = first(&order(&[METADATA]));
    assert!(before.open() > 10);
    let now = merge(Some(&before.text), Some(&before.base), &order(&[METADATA, SOLUTION]), false).unwrap();
    assert!(now.conflicts.is_empty(), "{:?}", now.conflicts);
    assert_eq!(now.open(), first(&order(&[METADATA, SOLUTION])).open(), "{}", now.text);
    assert!(
        now.text.contains("acme_Weight = { kind = \"decimal\", scale = 3 } # from solution: scale"),
        "{}",
        now.text
    );
    let acme_service = "acme_Service = { kind = \"choice\", choices = { next_day = 100, ";
    assert!(now.text.contains(acme_service), "{}", now.text);
}

#[test]
fn a_contract_that_was_never_imported_is_completed_and_nothing_is_added_to_it() {
    let ours = "entity = \"acme_shipmentorder\"\n\n[attributes]\nacme_name   = { kind = \"string\", max-length = 90 }\nacme_Weight = { kind = \
                \"decimal\", scale = 3 } # kilograms\nacme_Carrier = { kind = \"lookup\", target = \"?\" }\n\n[groups.names]\nname = \"acme_name\"\n";
    let now = order(&[METADATA, SOLUTION]);
    let merged = merge(Some(ours), None, &now, false).unwrap();
    assert!(
        merged.text.contains(
            "acme_name   = { kind = \"string\", max-length = 90, note = \"Order number\" } # from solution: note\n"
        ),
        "{}",
        merged.text
    );
    assert!(merged.text.contains("acme_Weight = { kind = \"decimal\", scale = 3 } # kilograms\n"), "{}", merged.text);
    assert!(merged.text.contains("target = \"acme_carrier\""), "{}", merged.text);
    let conflicts: Vec<_> = merged.conflicts.iter().map(ToString::to_string).collect();
    assert!(
        conflicts.contains(&"`acme_name`: `max-length` is 90, and CDMS has 100 (solution)".to_owned()),
        "{conflicts:?}"
    );
    assert!(
        conflicts.contains(&"`acme_name`: `required` is nothing, and CDMS has \"on-forms\" (solution)".to_owned()),
        "{conflicts:?}"
    );
    assert!(merged.unmentioned.contains(&"acme_Parcels".to_owned()) && !merged.text.contains("acme_Parcels"));
    let complete = merge(Some(ours), None, &now, true).unwrap();
    assert!(complete.text.contains("acme_Parcels = { kind = \"integer\" }"), "{}", complete.text);
    assert!(complete.unmentioned.is_empty());
    assert!(Contract::parse(&complete.text).into_result().is_ok(), "{}", complete.text);
}

#[test]
fn a_conflict_with_a_contract_that_was_never_imported_is_reported_until_it_is_settled() {
    let ours = "entity = \"acme_shipmentorder\"\nset = \"Orders\"\n\n[attributes]\nacme_name = { kind = \"string\", max-length = 90 }\nacme_Region = { \
                kind = \"choice\", choices = { north = 1, overseas = 77 } }\n";
    let now = order(&[METADATA, SOLUTION]);
    let mut merged = merge(Some(ours), None, &now, false).unwrap();
    let conflicts: Vec<_> = merged.conflicts.iter().map(ToString::to_string).collect();
    assert_eq!(
        conflicts,
        [
            "`set` is \"Orders\", and CDMS has nothing",
            "`acme_name`: `required` is nothing, and CDMS has \"on-forms\" (solution)",
            "`acme_name`: `max-length` is 90, and CDMS has 100 (solution)",
            "`acme_Region`: the option `overseas = 77` is not in CDMS",
        ]
    );
    for _ in 0..3 {
        let base = Base::parse(&merged.base.text()).unwrap();
        let again = merge(Some(&merged.text), Some(&base), &now, false).unwrap();
        assert_eq!((&again.text, &again.conflicts), (&merged.text, &merged.conflicts));
        merged = again;
    }
    // One after the other is settled, and the others stay.
    for (from, to, left) in [
        ("max-length = 90", "max-length = 100", 3),
        ("set = \"Orders\"\n", "", 2),
        (", overseas = 77", "", 1),
        ("kind = \"string\"", "kind = \"string\", required = \"on-forms\"", 0),
    ] {
        let text = replaced(&merged.text, &[(from, to)]);
        merged = merge(Some(&text), Some(&merged.base), &now, false).unwrap();
        assert_eq!(merged.conflicts.len(), left, "{from}: {:?}", merged.conflicts);
    }
    assert!(!merged.base.text().contains("conflicts"), "{}", merged.base.text());
    let error = Base::parse("entity = 'a'\nconflicts = [1]\n").unwrap_err();
    assert_eq!(error, "`conflicts` must be an array of strings");
}

#[test]
fn an_entry_that_a_person_commented_stays_in_unmapped() {
    let gone = "    <Property Name=\"acme_Factor\" Type=\"Edm.Decimal\" Nullable=\"true\"/>\n";
    let (text, changes, conflicts) = again(&[], &[(gone, "")]);
    assert!(!text.contains("acme_Factor") && conflicts.is_empty(), "{text} {conflicts:?}");
    assert_eq!(changes, ["`acme_Factor`: is no longer in CDMS, and was removed from [unmapped]"]);
    let (text, changes, conflicts) = again(&[("acme_Factor = ", "# asked for in May\nacme_Factor = ")], &[(gone, "")]);
    assert!(text.contains("# asked for in May\nacme_Factor = ") && changes.is_empty(), "{text} {changes:?}");
    assert_eq!(
        conflicts,
        ["`acme_Factor`: is no longer in CDMS, but its entry in [unmapped] was edited here; remove it yourself"]
    );
}

#[test]
fn a_contract_that_is_not_toml_is_left_alone() {
    let error = merge(Some("entity = \"a\nb"), None, &order(&[METADATA]), false).unwrap_err();
    assert!(error.contains("line 2"), "{error}");
    for (text, reason) in [
        ("", "missing key `entity`"),
        ("entity = 'a'\n[attributes]\nA = { kind = 'x' }", "`A`: missing key `from`"),
        ("entity =", ""),
    ] {
        let error = Base::parse(text).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}

/// Random edits of people and of CDMS: a merge leaves each line that CDMS did not change as it is, and the result always parses.
#[test]
fn random_edits_are_merged_without_loss() {
    let seed =
        std::env::var("DATAHUB_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("DATAHUB_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let start = order(&[METADATA, SOLUTION]);
    for _ in 0..300 {
        let before = first(&start);
        let mut now = start.clone();
        let (mut theirs, mut gone) = (Vec::new(), Vec::new());
        now.attributes.retain_mut(|(name, facts)| match random.u8(..6) {
            0 => {
                gone.push(name.clone());
                false
            }
            1 => {
                facts.state(Key::Note, Value::Text(format!("note {}", random.u16(..))), Origin::Solution);
                theirs.push(name.clone());
                true
            }
            _ => true,
        });
        let mut ours = Vec::new();
        let lines = before.text.lines().map(|line| {
            let name = line.split_once(" = {").map(|(name, _)| name);
            match name {
                Some(name) if random.u8(..4) == 0 => {
                    ours.push(name.to_owned());
                    format!("# a person's\n{}", line.replacen("{ kind", "{  class = 'secret', kind", 1))
                }
                _ => line.to_owned(),
            }
        });
        let edited = lines.collect::<Vec<_>>().join("\n") + "\n";
        let merged = merge(Some(&edited), Some(&before.base), &now, false).unwrap();
        for line in edited.lines() {
            let name = line.split_once(" = ").map_or("", |(name, _)| name);
            let is_changed = theirs.iter().any(|changed| changed == name);
            let is_gone = gone.iter().any(|gone| gone == name) && !ours.iter().any(|own| own == name);
            let is_of_table = gone.contains(&"acme_Service".to_owned()) || theirs.contains(&"acme_Service".to_owned());
            if !is_changed && !is_gone && !is_of_table {
                assert!(merged.text.contains(&format!("{line}\n")), "{line} is lost in\n{}", merged.text);
            }
        }
        for name in ours {
            let is_kept = merged.text.contains(&format!("# a person's\n{name} = {{  class = 'secret'"));
            assert!(is_kept, "{name} in\n{}", merged.text);
            if gone.contains(&name) {
                let shown = merged.conflicts.iter().any(|conflict| conflict.attribute.as_deref() == Some(&name));
                assert!(shown, "{name}: {:?}", merged.conflicts);
            }
        }
        assert!(Contract::parse(&merged.text).into_result().is_ok(), "{}", merged.text);
    }
}
