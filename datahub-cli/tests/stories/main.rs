//! The remodelling stories of `docs/stories`: each is carried out with the real command on both databases, with a simulated
//! CDMS, while programs are at work, and is written down as it happens. `DATAHUB_DOCS=overwrite` renews the documents.
#![allow(clippy::unwrap_used, reason = "functions next to the tests unwrap what the tests made themselves")]
#![allow(clippy::print_stderr, reason = "what was left out must be visible")]

mod add_a_field;
mod add_a_required_field;
mod add_a_type;
mod cast;
mod document;
mod drop_a_type;
mod drop_fields;
mod index;
mod join_two_fields;
mod load;
mod locks;
mod make_a_text_a_choice;
mod merge_two_types;
mod migrations;
mod move_fields_into_a_group;
mod narrow_a_field;
#[path = "../../../tests/on_postgres.rs"]
mod on_postgres;
mod plain;
mod rename_a_field;
mod rename_a_table;
mod split_a_field;
mod split_a_type;
mod stage;
mod walk;
mod widen_a_field;

use std::process::ExitCode;

use datahub_runtime::BoxFuture;
use libtest_mimic::{Arguments, Failed, Trial};

use document::Part;
use index::STORIES;
use stage::Stage;
use tokio::runtime::Runtime;

/// A story: what it is about, and how it is told.
pub(crate) struct Story {
    /// The module of its models in both versions, and the name of its document.
    module: &'static str,
    /// Its title.
    title: &'static str,
    /// What it shows, in a sentence.
    sentence: &'static str,
    /// Whether an older and a newer program work side by side.
    overlap: bool,
    /// Tells it on one database.
    tell: fn(Stage) -> BoxFuture<'static, Vec<Part>>,
}

fn main() -> ExitCode {
    let mut trials: Vec<Trial> =
        (1..).zip(&STORIES).map(|(number, story)| Trial::test(story.module, move || story.is_told(number))).collect();
    trials.push(Trial::test("the_index_has_every_story", || {
        index::is_recorded();
        Ok(())
    }));
    trials.push(Trial::test("the_migrations_are_those_that_are_planned_today", migrations::are_those_of_today));
    trials.push(Trial::test("the_walk_of_a_new_user", walk::is_walked));
    trials.push(Trial::test("a_lock_that_is_held_for_all_rows_is_noticed", long_lock_is_noticed));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

impl Story {
    /// The name of its document.
    fn file(&self, number: usize) -> String {
        format!("{number:02}_{}.md", self.module)
    }

    /// Tells it on both databases, and compares the document.
    fn is_told(&self, number: usize) -> Result<(), Failed> {
        let server = server()?;
        let runtime = runtime()?;
        let (sqlite, postgres) = runtime.block_on(async {
            let sqlite = (self.tell)(Stage::new(self.module, None));
            let Some(server) = &server else { return (sqlite.await, None) };
            let (sqlite, postgres) = tokio::join!(sqlite, (self.tell)(Stage::new(self.module, Some(server))));
            (sqlite, Some(postgres))
        });
        let story = document::joined(&sqlite, postgres.as_deref());
        if postgres.is_none() {
            eprintln!("docs/stories shows both databases, and PostgreSQL is left out: {} is not compared", self.module);
            return Ok(());
        }
        let Story { title, sentence, .. } = self;
        let shared = if self.overlap {
            "An older and a newer version of the program work side by side."
        } else {
            "Two versions of the program cannot work side by side: there is a moment without either."
        };
        let text = format!("# {title}\n\n{sentence} {shared}\n\n{story}{END}");
        document::is_recorded(&format!("stories/{}", self.file(number)), &text);
        Ok(())
    }
}

/// The server of PostgreSQL, unless it is left out. Unlike other test programs, this one has both databases at once, because a
/// document shows both.
fn server() -> Result<Option<String>, Failed> {
    Ok(on_postgres::server(|variable| {
        std::env::var(variable).ok().filter(|_| variable != on_postgres::SERVER_OF_KITS)
    })?)
}

fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// The limit of the stories fails for a migration that changes all rows of a table in one transaction.
fn long_lock_is_noticed() -> Result<(), Failed> {
    let Some(server) = server()? else {
        eprintln!("PostgreSQL is left out, and only there a lock that is held for all rows is too long");
        return Ok(());
    };
    let runtime = runtime()?;
    let told = std::panic::catch_unwind(|| runtime.block_on(rename_a_field::with_a_long_lock(&server)));
    let panic = told.expect_err("the limit was kept");
    let message = panic.downcast_ref::<String>().map_or("", String::as_str);
    assert!(message.contains("did a migration touch all rows meanwhile?"), "{message}");
    Ok(())
}

/// How every document ends.
const END: &str = "---\n\nThis story was carried out as it is written here, on both databases, by \
    `cargo test --workspace --all-features --test stories`. Times in names, hashes and ids are replaced; durations are \
    those of the run that wrote this page, in which each row that a migration wrote on PostgreSQL took 50 ms, so that no lock \
    that is held for all rows goes unnoticed.\n";
