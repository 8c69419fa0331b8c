//! Statements are compiled once per connection, according to SQLite's own statistics.

use datahub_protocol::Trial;

use super::*;
use crate::store::connection::Connection;
use crate::store::failure::Trouble;
use crate::store::statement::{ColumnType, Statement};

/// A connection's account of its statements.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Account {
    /// How often it ran one.
    run: i64,
    /// How often SQLite recompiled one, as it does when a bound value may change the plan.
    recompiled: i64,
    /// How many it keeps, and how many texts they have.
    kept: i64,
    texts: i64,
}

fn account(connection: &mut Connection) -> Result<Account, Trouble> {
    let sql = "SELECT sum(run), sum(reprep), count(*), count(DISTINCT sql) FROM sqlite_stmt";
    let mut rows = connection.query(&Statement::new(sql, []), &[ColumnType::BigInt; 4])?;
    let mut row = rows.pop().unwrap();
    Ok(Account { run: row.number()?, recompiled: row.number()?, kept: row.number()?, texts: row.number()? })
}

#[tokio::test]
async fn no_statement_is_compiled_again_for_other_values() {
    let (bench, _) = Bench::on_file().await;
    // The tables exist before this program compiles its first statement.
    let store = bench.program_with(1).await;
    let mut version = done(&store, first_sight("Acme")).await;
    let mut operation = 0;
    let mut kept = Vec::new();
    for verdict in [Verdict::Applied, Verdict::NotApplied, Verdict::Superseded { attributes: Vec::new() }] {
        operation += 1;
        let late = load(&store).await.loaded.late.last().map(|late| late.operation);
        let mut open = opening(Guard::Unchanged { version: Some(version), late }, operation);
        open.commit.trial = Some(Trial::Remove);
        done(&store, open).await;
        done(&store, closing(operation, verdict)).await;
        let late = load(&store).await.loaded.late.last().map(|late| late.operation);
        let mut refreshing = refresh(version, "Beta");
        refreshing.commit.guard = Guard::Unchanged { version: Some(version), late };
        refreshing.commit.record = put(row(&format!("Beta {operation}")));
        version = done(&store, refreshing).await;
        store.open_intents(None, 10).await.unwrap();
        store.operation(OperationId(Uuid::from_u128(operation))).await.unwrap();
        store.quarantine(10).await.unwrap();
        store.row_ids(&ORGANISATION, Uuid::nil(), 10).await.unwrap();
        store.history_of_version(&ORGANISATION, ID, version).await.unwrap();
        store.history_at(&ORGANISATION, ID, NOON).await.unwrap();
        store.history_up_to(&ORGANISATION, ID, version).await.unwrap();
        store.history_deciding(&ORGANISATION, ID, i64::try_from(operation).unwrap()).await.unwrap();
        store.forget_old_intents().await.unwrap();
        history(&store).await;
        kept.push(store.write(account).await.map(|account| account.kept).ok());
    }
    let (actor, program) = ("ada".to_owned(), "tests".to_owned());
    store.erase(&ORGANISATION, vec![&ORGANISATION], ID, actor, program, "asked".to_owned()).await.unwrap();
    let has_account = "SQLite must be built with SQLITE_ENABLE_STMTVTAB, see .cargo/config.toml";
    let read = store.read(account).await.expect(has_account);
    let written = store.write(account).await.unwrap();
    assert!(read.run > 20 && written.run > 20, "{read:?} and {written:?}");
    assert_eq!((read.recompiled, written.recompiled), (0, 0));
    assert_eq!((read.kept, written.kept), (read.texts, written.texts), "each text is kept once");
    assert_eq!(kept[1], kept[2], "other values need no further statements");
}

#[tokio::test]
async fn a_statement_that_is_compiled_again_is_seen() {
    let (bench, _) = Bench::on_file().await;
    let store = bench.program_with(1).await;
    for limit in 1..4_i64 {
        // The limit is bound as it is, which the hub's own statements avoid.
        let limited = move |connection: &mut Connection| {
            let limited = Statement::new("SELECT value FROM datahub_sequence LIMIT ?", [limit.into()]);
            connection.query(&limited, &[ColumnType::BigInt]).map(drop)
        };
        store.read(limited).await.unwrap();
    }
    let account = store.read(account).await.unwrap();
    assert!(account.recompiled > 0, "SQLite looks at a limit, so this would be compiled again");
}
