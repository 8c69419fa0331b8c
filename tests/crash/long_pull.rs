//! A long pull whose program is killed again and again, at points from a seed that is printed, and that is exact at the end.
//!
//! `DATAHUB_LONG_PULL=n` says of how many records, `DATAHUB_CRASH_SEED=n` where it is killed.

use std::collections::HashMap;
use std::time::Duration;

use datahub_runtime::Value;
use datahub_runtime::prelude::*;
use datahub_runtime::testing::Kit;
use example_domain::Organisation;
use fastrand::Rng;
use libtest_mimic::Failed;
use uuid::Uuid;

use crate::scenario::{Records, Scenario};
use crate::victim::Victim;

/// How many records every run pulls.
const RECORDS: usize = 20_000;

/// How often the program is killed in a first load, and then in a pull of changes.
const KILLS: usize = 10;

/// The points that a pull passes with each page.
const POINTS: usize = 5;

/// Longer than any write of CDMS can take to show up.
const LATER: Duration = Duration::from_secs(331);

/// A stage with many organisations.
struct Stage {
    kit: Kit,
    ids: Vec<Uuid>,
}

impl Stage {
    async fn of(records: usize) -> Result<Self, Error> {
        let kit = Kit::new(example_domain::METADATA);
        let firm = |number| kit.simulator.seed("Account", [("Name", Value::text(format!("Firm {number}")))]);
        let ids = (0..records).map(firm).collect();
        let hub = kit.hub(example_domain::models()).program("stage").connect().await?;
        // First contact is not what is tested.
        _ = Organisation::get(&hub, Id::new()).await;
        hub.shutdown(Duration::from_secs(60)).await;
        Ok(Stage { kit, ids })
    }

    fn victim(&self) -> std::io::Result<Victim> {
        let unused = Records { account: Uuid::nil(), contact: Uuid::nil() };
        Victim::start(&self.kit, Scenario::Pull, unused, None)
    }

    /// Kills pulls after a random number of points, each at another place, while records change.
    async fn killed(&self, random: &mut Rng) -> Result<(), Failed> {
        let points = self.ids.len() / 50 * POINTS;
        for kill in 0..KILLS {
            let mut victim = self.victim()?;
            for _ in 0..random.usize(1..points / KILLS) {
                victim.passed().await?;
            }
            victim.kill().await?;
            for _ in 0..20 {
                let id = self.ids[random.usize(0..self.ids.len())];
                self.kit.simulator.edit("Account", id, [("Name", Value::text(format!("After kill {kill}")))]);
            }
            self.kit.advance(LATER);
        }
        Ok(())
    }

    /// Pulls to the end, and returns the most memory that the program has used, in KiB.
    async fn finished(&self) -> Result<Option<u64>, Failed> {
        let mut victim = self.victim()?;
        let mut peak = None;
        while victim.passed().await.is_ok() {
            peak = victim.peak_kib().or(peak);
        }
        Ok(peak)
    }

    /// Asserts that the hub's rows are CDMS's records.
    fn is_exact(&self) {
        let rows = self.kit.rows_of("organisations");
        assert_eq!(rows.len(), self.ids.len());
        let column = |row: &str, name: &str| {
            let value = row.split(&format!(" {name}='")).nth(1).or_else(|| row.strip_prefix(&format!("{name}='")))?;
            Some(value.split_once('\'')?.0.to_owned())
        };
        let mut named: HashMap<String, usize> = HashMap::new();
        for row in &rows {
            *named.entry(column(row, "name").unwrap_or_else(|| panic!("{row}"))).or_default() += 1;
        }
        for id in &self.ids {
            let record = self.kit.simulator.record("Account", *id).expect("the test deletes none");
            let Some(Value::Text(name)) = record.get("Name") else { panic!("{record:?}") };
            let left = named.get_mut(name.as_str()).unwrap_or_else(|| panic!("no row has the name {name:?}"));
            *left -= 1;
        }
        assert!(named.values().all(|left| *left == 0), "{named:?}");
    }
}

pub(crate) async fn is_exact_at_the_end() -> Result<(), Failed> {
    let number = |name: &str| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    let seed = number("DATAHUB_CRASH_SEED").unwrap_or_else(|| fastrand::u64(..));
    let records = number("DATAHUB_LONG_PULL").map_or(RECORDS, |records| usize::try_from(records).unwrap_or(RECORDS));
    eprintln!("DATAHUB_CRASH_SEED={seed} kills pulls of {records} records");
    let mut random = Rng::with_seed(seed);
    let few = Stage::of(records / 10).await?.finished().await?;

    let stage = Stage::of(records).await?;
    stage.killed(&mut random).await?;
    stage.finished().await?;
    // What changed behind the back of the load.
    stage.finished().await?;
    stage.is_exact();

    stage.kit.advance(LATER);
    for (position, id) in stage.ids.iter().enumerate() {
        stage.kit.simulator.edit("Account", *id, [("Name", Value::text(format!("Renamed {position}")))]);
        if position % 160 == 0 {
            stage.kit.advance(Duration::from_secs(1));
        }
    }
    stage.killed(&mut random).await?;
    let many = stage.finished().await?;
    stage.finished().await?;
    stage.is_exact();
    if let (Some(few), Some(many)) = (few, many) {
        eprintln!("the most memory: {few} KiB for {} records, {many} KiB for {records}", records / 10);
        assert!(many * 10 <= few * 12, "{many} KiB for {records} records, {few} KiB for a tenth of them");
    }
    Ok(())
}
