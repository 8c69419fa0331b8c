//! What these tests say where there is no PostgreSQL: they never pass without it by chance.

use crate::on_postgres::{SERVER_OF_KITS, server};

fn of(set: &[(&str, &str)]) -> Result<Option<String>, String> {
    server(|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
}

#[test]
fn without_a_server_the_tests_fail_and_say_what_to_do() {
    let told = of(&[]).unwrap_err();
    for cure in ["cargo xtask test", "DATAHUB_TESTS_POSTGRES=postgres://", "DATAHUB_TESTS=sqlite-only"] {
        assert!(told.contains(cure), "{told}");
    }
    assert_eq!(of(&[("DATAHUB_TESTS", "no")]), of(&[]), "only one word leaves it out");
}

#[test]
fn it_is_left_out_on_purpose_and_never_by_ci() {
    assert_eq!(of(&[("DATAHUB_TESTS", "sqlite-only")]), Ok(None));
    let refused = of(&[("DATAHUB_TESTS", "sqlite-only"), ("CI", "true")]).unwrap_err();
    assert!(refused.contains("unset DATAHUB_TESTS"), "{refused}");
}

#[test]
fn with_a_server_they_run_on_it_once() {
    let there = ("DATAHUB_TESTS_POSTGRES", "postgres://here");
    assert_eq!(of(&[there, ("CI", "true")]), Ok(Some("postgres://here".to_owned())));
    assert_eq!(of(&[there, (SERVER_OF_KITS, "postgres://here")]), Ok(None), "this is the second run");
}
