//! Which migrations are pending, and what stands in their way. Pure.

use std::collections::BTreeSet;

use super::Migration;

/// When a migration is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Phase {
    /// While older programs still run.
    #[default]
    Expand,
    /// When the older programs are gone.
    Contract,
}

/// What is to be done on a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schedule<'m> {
    /// The pending migrations that are executed now, in order.
    pub(crate) due: Vec<&'m Migration>,
    /// The pending migrations that wait until older programs are gone, and those after them.
    pub(crate) waiting: Vec<&'m Migration>,
    /// Pending migrations that are older than one that is applied, with that one's version.
    pub(crate) overtaken: Vec<(&'m Migration, String)>,
    /// Applied versions that are not among the migrations.
    pub(crate) unknown: Vec<String>,
}

impl<'m> Schedule<'m> {
    /// The schedule of migrations, of which some versions are applied; with `contract`, also of those that older
    /// programs cannot live with.
    pub(crate) fn of(migrations: &'m [Migration], applied: &BTreeSet<String>, contract: bool) -> Self {
        let known: BTreeSet<_> = migrations.iter().map(Migration::version).collect();
        let former: BTreeSet<_> = migrations.iter().flat_map(Migration::former_versions).collect();
        let is_unknown = |version: &&String| !known.contains(*version) && !former.contains(*version);
        let unknown = applied.iter().filter(is_unknown).cloned().collect();
        let newest = applied.iter().rfind(|version| known.contains(*version));
        let pending = || migrations.iter().filter(|migration| !applied.contains(&migration.version()));
        let is_replacing = |migration: &Migration| former_of(migration, applied).is_some();
        let overtaken = pending().filter(|migration| !is_replacing(migration)).filter_map(|migration| {
            let newest = newest.filter(|newest| **newest > migration.version())?;
            Some((migration, newest.clone()))
        });
        let overtaken = overtaken.collect();
        let waits = |migration: &Migration| migration.phase == Phase::Contract && !contract && !is_replacing(migration);
        let stop = pending().position(waits);
        let mut due: Vec<_> = pending().collect();
        let waiting = due.split_off(stop.unwrap_or(due.len()));
        Schedule { due, waiting, overtaken, unknown }
    }
}

/// The version under which a pending migration is applied already, because it replaces the one that was.
pub(super) fn former_of(migration: &Migration, applied: &BTreeSet<String>) -> Option<String> {
    migration.former_versions().find(|version| applied.contains(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migration(name: &'static str, phase: Phase) -> Migration {
        Migration {
            name: name.into(),
            plan: name.into(),
            phase,
            in_transaction: true,
            statements: vec![].into(),
            epochs: vec![].into(),
            checks: vec![].into(),
            replaces: vec![].into(),
        }
    }

    /// The names of a schedule's parts, for the versions that are applied.
    fn check(applied: &[&str], contract: bool) -> [String; 4] {
        let all = [
            migration("1_a", Phase::Expand),
            migration("2_a_contract", Phase::Contract),
            Migration { replaces: vec!["1-5_b".into()].into(), ..migration("3-0_b", Phase::Expand) },
        ];
        let applied = applied.iter().map(|version| (*version).to_owned()).collect();
        let Schedule { due, waiting, overtaken, unknown } = Schedule::of(&all, &applied, contract);
        let names = |migrations: Vec<&Migration>| {
            migrations.iter().map(|migration| migration.name.as_ref()).collect::<Vec<_>>().join(" ")
        };
        let overtaken = overtaken.iter().map(|(migration, by)| format!("{} by {by}", migration.name));
        [names(due), names(waiting), overtaken.collect::<Vec<_>>().join(" "), unknown.join(" ")]
    }

    #[test]
    fn a_run_stops_before_the_first_step_that_older_programs_cannot_live_with() {
        assert_eq!(check(&[], false), ["1_a", "2_a_contract 3-0_b", "", ""]);
        assert_eq!(check(&["1"], false), ["", "2_a_contract 3-0_b", "", ""]);
        assert_eq!(check(&["1"], true), ["2_a_contract 3-0_b", "", "", ""]);
        assert_eq!(check(&["1", "2"], false), ["3-0_b", "", "", ""]);
        assert_eq!(check(&["1", "2", "30"], true), ["", "", "", ""]);
    }

    #[test]
    fn what_replaces_an_applied_one_comes_in_its_turn_and_is_not_in_the_way() {
        assert_eq!(check(&["15"], false), ["1_a", "2_a_contract 3-0_b", "", ""]);
        assert_eq!(check(&["15"], true), ["1_a 2_a_contract 3-0_b", "", "", ""]);
        assert_eq!(check(&["1", "15", "2"], false), ["3-0_b", "", "", ""]);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert_eq!(check(&["2"], false), ["1_a 3-0_b", "", "1_a by 2", ""]);
        assert_eq!(check(&["1", "2", "9"], false), ["3-0_b", "", "", "9"]);
    }
}
