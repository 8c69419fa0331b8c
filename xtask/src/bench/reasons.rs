//! Why goals are missed, written by hand: the name of a goal in `goals.rs`, and the reason. A reason of a goal that is met is
//! not shown; it may stay while a goal is met on one machine and missed on another.

/// The goals that are or were missed.
pub(super) const REASONS: &[(&str, &str)] = &[
    ("read-time-sqlite", READ),
    ("read-cpu-sqlite", READ),
    ("read-time-postgres", READ_OF_SERVER),
    ("read-cpu-postgres", READ_OF_SERVER),
    ("callers-sqlite", READ),
    ("callers-postgres", READ_OF_SERVER),
    ("callers-50-sqlite", AT_ONCE),
    ("callers-50-postgres", AT_ONCE),
    ("update-time-sqlite", WRITE),
    ("create-time-sqlite", WRITE),
    ("delete-time-sqlite", WRITE),
    ("update-time-postgres", WRITE_TO_SERVER),
    ("create-time-postgres", WRITE_TO_SERVER),
    ("delete-time-postgres", WRITE_TO_SERVER),
    ("pull-sqlite", PULL),
    ("pull-postgres", PULL),
    ("size-sqlite", SIZE),
];

const READ: &str = "a hub loads all that decides about a record (its open and late writes, its epoch, its quarantine) and checks \
                    the answer against the contract; the rest is spread over the hop to the database's thread, the text \
                    of the statement, JSON and values (`cargo xtask counts`)";

const READ_OF_SERVER: &str = "as on SQLite; besides, the load is a longer statement for the server than the floor's, which \
                              was not taken apart yet";

const AT_ONCE: &str = "the hub begins with 16 requests at once and sends more as CDMS answers, which a run of 640 reads \
                       includes; what else it costs is not known yet";

const WRITE: &str = "a hub tries the row before it sends, merges by field and takes ten statements, where the floor takes six; a \
                     third of the time is SQLite's thread, and a third of that is the texts and values that Diesel binds";

const WRITE_TO_SERVER: &str = "a hub waits for the server 6 times and the floor 10 times, but its statements are more: it locks \
                               the record twice, looks at it twice, and tries the row in a savepoint";

const PULL: &str = "a hub loads what it has of each page's records before it decides about them, checks each value against the \
                    contract, and stores a page in a savepoint, so that a record that the database refuses can be told from \
                    the others; the floor stores what comes";

const SIZE: &str = "`seen` is the evidence of what CDMS returned, and repeats what the row has; without it the goal would be \
                    met. What the floor keeps takes 3.1 times its rows";
