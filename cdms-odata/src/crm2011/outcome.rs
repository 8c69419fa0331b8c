//! The outcome table: what the response to a write proves.

use crate::dialect::{InFront, InFrontCause, Mark, Meaning, Refusal, Write, WriteAnswer};
use crate::planted::{Planted, planted};

use super::error::write_is_refused;

/// The body of the response to a write. `R` is a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Body<R> {
    /// No body.
    Empty,
    /// A record, as in the response to a create.
    Record(R),
    /// An error in CDMS's JSON.
    Refusal(Refusal),
    /// Anything else, in words.
    Other(String),
}

impl<R> Body<R> {
    fn in_words(self) -> String {
        match self {
            Body::Empty => "nothing".to_owned(),
            Body::Record(_) => "a record".to_owned(),
            Body::Refusal(refusal) => refusal.message,
            Body::Other(what) => what,
        }
    }
}

/// What a response with this status and body proves about a write.
pub fn outcome<R>(write: Write, status: u16, body: Body<R>) -> WriteAnswer<R> {
    match (write, status, body) {
        (_, _, Body::Refusal(refusal)) if takes_for_gone(write, status) => WriteAnswer::Gone(refusal),
        (_, _, Body::Other(message)) if takes_for_gone(write, status) => {
            WriteAnswer::Gone(Refusal { meaning: Meaning::RecordMissing, mark: Mark::new(status, None), message })
        }
        (Write::Create, 201, Body::Record(record)) => WriteAnswer::Applied(Some(record)),
        (Write::Update | Write::Delete, 204, _) => WriteAnswer::Applied(None),
        (_, 404, Body::Refusal(refusal)) if refusal.meaning == Meaning::RecordMissing => match write {
            Write::Create => WriteAnswer::Refused(refusal),
            Write::Update | Write::Delete => WriteAnswer::Gone(refusal),
        },
        (_, 400..=499, Body::Refusal(refusal)) => WriteAnswer::Refused(refusal),
        (_, 500, Body::Refusal(refusal)) => match refusal.meaning {
            Meaning::Deadlock => WriteAnswer::Deadlock(refusal),
            // It can affect the COMMIT, so the server may not have finished with the request.
            Meaning::SqlTimeout => WriteAnswer::Unknown(refusal.in_words()),
            meaning if write_is_refused(meaning) => WriteAnswer::Refused(refusal),
            _ if planted(Planted::EndedIsRejected) => WriteAnswer::Refused(refusal),
            _ => WriteAnswer::Ended(refusal),
        },
        (_, status, body) => match (refused_in_front(status), body) {
            (Some(cause), body) => {
                let mark = Mark::new(status, None);
                WriteAnswer::RefusedInFront(InFront { cause, mark, said: body.in_words() })
            }
            (None, Body::Refusal(refusal)) => WriteAnswer::Unknown(refusal.in_words()),
            (None, Body::Other(what)) => WriteAnswer::Unknown(format!("CDMS answered {status}: {what}")),
            (None, Body::Empty | Body::Record(_)) => {
                WriteAnswer::Unknown(format!("CDMS answered {status}, which is not a valid answer to the {write}"))
            }
        },
    }
}

/// Why a request was refused before it reached CDMS, regardless of the body: a proxy requires a login (407), the
/// request has no length (411), is too large, too long or of the wrong type (413, 414, 415), there are too many
/// requests (429), or the headers are too large (431).
fn refused_in_front(status: u16) -> Option<InFrontCause> {
    match status {
        407 => Some(InFrontCause::ProxyLogin),
        413 => Some(InFrontCause::BodyTooLarge),
        414 | 431 => Some(InFrontCause::HeadTooLong),
        429 => Some(InFrontCause::TooMany),
        411 | 415 => Some(InFrontCause::Other),
        _ => None,
    }
}

/// Whether the status of a response alone counts as CDMS's statement that the record is missing.
fn takes_for_gone(write: Write, status: u16) -> bool {
    status == 404 && write != Write::Create && planted(Planted::AnyNotFoundIsGone)
}

#[cfg(test)]
mod tests {
    use super::super::error::refusal;
    use super::*;

    #[derive(Debug, PartialEq)]
    enum Sort {
        Applied,
        Rejected,
        Ended,
        Deadlock,
        Gone,
        Unknown,
    }

    fn sort(write: Write, status: u16, body: Body<()>) -> Sort {
        match outcome(write, status, body) {
            WriteAnswer::Applied(_) => Sort::Applied,
            WriteAnswer::Refused(_) | WriteAnswer::RefusedInFront(_) => Sort::Rejected,
            WriteAnswer::Ended(_) => Sort::Ended,
            WriteAnswer::Deadlock(_) => Sort::Deadlock,
            WriteAnswer::Gone(_) => Sort::Gone,
            WriteAnswer::Unknown(_) => Sort::Unknown,
        }
    }

    fn refused(status: u16, code: Option<i32>) -> (u16, Body<()>) {
        (status, Body::Refusal(refusal(status, code, "no")))
    }

    const MISSING: Option<i32> = Some(-2_147_220_969);

    #[test]
    fn the_outcome_table_holds_for_every_write() {
        use Write::{Create, Delete, Update};
        let other = |status| (status, Body::Other("an HTML page".into()));
        for write in [Create, Update, Delete] {
            let rows = [
                (refused(400, None), Sort::Rejected),
                (refused(403, Some(-2_147_220_960)), Sort::Rejected),
                (refused(404, None), Sort::Rejected),
                (refused(500, Some(-2_147_220_891)), Sort::Rejected),
                (refused(500, Some(-2_147_204_784)), Sort::Deadlock),
                (refused(500, Some(-2_147_220_970)), Sort::Ended),
                (refused(500, Some(-2_147_220_935)), Sort::Ended),
                (refused(500, Some(-2_147_204_783)), Sort::Unknown),
                (refused(500, Some(1)), Sort::Ended),
                (refused(500, None), Sort::Ended),
                (refused(503, Some(-2_147_220_891)), Sort::Unknown),
                (other(302), Sort::Unknown),
                (other(404), Sort::Unknown),
                (other(405), Sort::Unknown),
                (other(407), Sort::Rejected),
                (other(411), Sort::Rejected),
                ((413, Body::Empty), Sort::Rejected),
                (other(413), Sort::Rejected),
                (other(414), Sort::Rejected),
                (other(415), Sort::Rejected),
                (other(429), Sort::Rejected),
                (other(431), Sort::Rejected),
                (other(500), Sort::Unknown),
                (other(502), Sort::Unknown),
                (other(503), Sort::Unknown),
                (other(504), Sort::Unknown),
                (other(200), Sort::Unknown),
                ((200, Body::Empty), Sort::Unknown),
                ((201, Body::Empty), Sort::Unknown),
                ((202, Body::Empty), Sort::Unknown),
                ((204, Body::Empty), if write == Create { Sort::Unknown } else { Sort::Applied }),
                ((201, Body::Record(())), if write == Create { Sort::Applied } else { Sort::Unknown }),
                (refused(404, MISSING), if write == Create { Sort::Rejected } else { Sort::Gone }),
            ];
            for ((status, body), expected) in rows {
                assert_eq!(sort(write, status, body.clone()), expected, "{write}: {status} {body:?}");
            }
        }
    }

    #[test]
    fn what_stands_in_front_of_cdms_says_what_is_in_the_way() {
        for (status, cause) in [
            (407, InFrontCause::ProxyLogin),
            (411, InFrontCause::Other),
            (413, InFrontCause::BodyTooLarge),
            (414, InFrontCause::HeadTooLong),
            (415, InFrontCause::Other),
            (429, InFrontCause::TooMany),
            (431, InFrontCause::HeadTooLong),
        ] {
            let said = "an HTML page".to_owned();
            let expected = InFront { cause, mark: Mark::new(status, None), said: said.clone() };
            let answer = outcome(Write::Update, status, Body::Other::<()>(said));
            assert_eq!(answer, WriteAnswer::RefusedInFront(expected));
        }
    }

    #[test]
    fn an_unknown_outcome_is_described() {
        let unknown = |status, body: Body<()>| match outcome(Write::Delete, status, body) {
            WriteAnswer::Unknown(what) => what,
            other => panic!("{other:?}"),
        };
        let timeout = refused(500, Some(-2_147_204_783));
        assert_eq!(unknown(timeout.0, timeout.1), "CDMS answered 500: no");
        let elsewhere = refused(503, None);
        assert_eq!(unknown(elsewhere.0, elsewhere.1), "CDMS answered 503: no");
        assert_eq!(unknown(502, Body::Other("an HTML page".to_owned())), "CDMS answered 502: an HTML page");
        assert_eq!(unknown(200, Body::Empty), "CDMS answered 200, which is not a valid answer to the delete");
    }
}
