//! How often each kind of trouble may happen in a searched world.

/// How often each kind of trouble may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budgets {
    /// A person enters a new value of the field `a`.
    pub(crate) edits: u8,
    /// A person enters the first value of the field `a` again.
    pub(crate) put_backs: u8,
    /// A person removes the record.
    pub(crate) removals: u8,
    /// The answer to a write or a read is lost, for a write either before or after CDMS carried it out.
    pub(crate) losses: u8,
    /// CDMS refuses a write.
    pub(crate) refusals: u8,
    /// A write has no answer, and CDMS carries it out later or never.
    pub(crate) lates: u8,
    /// Its quiet period ends before CDMS carries it out.
    pub(crate) too_lates: u8,
    /// A program stops for good.
    pub(crate) crashes: u8,
    /// A program sleeps until its write's lease is over.
    pub(crate) pauses: u8,
    /// A write collides with another one in CDMS, and must be sent again.
    pub(crate) deadlocks: u8,
    /// CDMS answers a write with an error that proves nothing, whether or not it carried the write out.
    pub(crate) ends: u8,
    /// The session ends, and a write must be sent again after a login, which may fail.
    pub(crate) logins: u8,
    /// The database does not answer a transaction, whether or not it stored it.
    pub(crate) outages: u8,
    /// A program settles a write before the end.
    pub(crate) settlings: u8,
    /// The number of those that happen during the writer's lease, which must have no effect.
    pub(crate) too_early: u8,
}

impl Budgets {
    pub(crate) const NONE: Budgets = Budgets {
        edits: 0,
        put_backs: 0,
        removals: 0,
        losses: 0,
        refusals: 0,
        lates: 0,
        too_lates: 0,
        crashes: 0,
        pauses: 0,
        deadlocks: 0,
        ends: 0,
        logins: 0,
        outages: 0,
        settlings: 0,
        too_early: 0,
    };

    /// Everything that the promises cover, once.
    pub(crate) const EVERYTHING: Budgets = Budgets {
        edits: 1,
        put_backs: 1,
        removals: 1,
        losses: 1,
        refusals: 1,
        lates: 1,
        too_lates: 1,
        crashes: 1,
        pauses: 1,
        deadlocks: 1,
        ends: 1,
        logins: 1,
        outages: 1,
        settlings: 2,
        too_early: 1,
    };
}
