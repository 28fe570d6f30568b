//! Asks the queries of rules about the past, in the order of its time.

use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use super::moment::question_after;
use crate::flux::{InfluxDb, QueryError, Rule, client::Query};

/// So much of the past is asked about at once, until it is known how much there is of it: what the running program asks at once
/// after an outage.
pub const PIECE: Duration = Duration::from_hours(6);

/// More than this of the past is never asked about at once.
const LONGEST_PIECE: Duration = Duration::from_hours(5 * 24);

/// An answer may have so many bytes: of what fills less, more is asked about at once.
const FULL: usize = 4_000_000;

/// How many questions wait for their answers at a time.
const AT_ONCE: usize = 4;

/// A query of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its Flux.
    pub flux: String,
    /// How it is asked.
    pub way: Way,
}

/// How a query is asked about the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In pieces: it has every row that a question each so often would have brought.
    Windows {
        /// How often the rule is asked.
        every: Duration,
    },
    /// Moment by moment, each as if it were the present: what a query of the operator's own brings is not known otherwise.
    Moments {
        /// How far the moments are apart.
        step: Duration,
        /// How much each reads again.
        overlap: Duration,
    },
}

/// So many questions, which InfluxDB answers within some minutes, are asked moment by moment at most.
const MOST_MOMENTS: u128 = 5_000;

/// How far the moments are apart of which a rule is asked: as often as it would have been, or as that many moments allow.
pub fn step(rule: &Rule, span: SignedDuration) -> Duration {
    let moments = u128::try_from(span.as_nanos())
        .unwrap_or(0)
        .div_ceil(rule.every.as_nanos().max(1));
    let wider = u32::try_from(moments.div_ceil(MOST_MOMENTS)).unwrap_or(u32::MAX);
    rule.every.saturating_mul(wider.max(1))
}

/// What one question brought.
#[derive(Debug)]
pub struct Answered {
    /// The moment it is about.
    pub asked: Timestamp,
    /// As it came.
    pub body: String,
}

impl Question {
    /// Asks about a stretch of time, where all moments are asked about at once in pieces of that length.
    pub fn ask(
        &self,
        influxdb: &InfluxDb,
        (since, until): (Timestamp, Timestamp),
        piece: Duration,
    ) -> impl Stream<Item = Result<Answered, QueryError>> {
        stream::iter(self.pieces(since, until, piece))
            .map(move |piece| async move {
                let query = Query {
                    flux: &self.flux,
                    since: piece.since,
                    until: piece.until,
                    now: piece.until,
                    window: piece.window,
                    texts: &[],
                };
                Ok(Answered {
                    asked: piece.until,
                    body: influxdb.answer(&query).await?,
                })
            })
            .buffered(AT_ONCE)
    }

    fn pieces(
        &self,
        since: Timestamp,
        until: Timestamp,
        length: Duration,
    ) -> impl Iterator<Item = Piece> {
        let way = self.way;
        let mut from = since;
        std::iter::from_fn(move || {
            let piece = match way {
                // A window that is cut at its edge shows a point more.
                Way::Windows { every } => Piece {
                    since: from,
                    until: question_after(from, whole_windows(every, length)).min(until),
                    window: Some(every),
                },
                Way::Moments { step, overlap } => {
                    // What is there at the end is asked about, too.
                    let asked = question_after(from, step).min(until);
                    Piece {
                        since: asked - step - overlap,
                        until: asked,
                        window: None,
                    }
                }
            };
            let begin = std::mem::replace(&mut from, piece.until);
            (begin < until).then_some(piece)
        })
    }
}

/// How much of the past is asked about at once after pieces of this length, the longest answer to which had so many bytes.
pub fn next_piece(piece: Duration, longest: usize) -> Duration {
    let fitting = u32::try_from(FULL / longest.max(1)).unwrap_or(u32::MAX);
    piece.saturating_mul(fitting).clamp(PIECE, LONGEST_PIECE)
}

/// As many windows as make a piece of this length.
fn whole_windows(every: Duration, length: Duration) -> Duration {
    let windows = length.as_nanos().div_ceil(every.as_nanos().max(1));
    every.saturating_mul(u32::try_from(windows).unwrap_or(u32::MAX))
}

/// What is asked about at once.
struct Piece {
    since: Timestamp,
    until: Timestamp,
    window: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_of_ones_own_is_asked_as_often_as_it_would_have_been_or_as_often_as_can_be_waited_for()
     {
        let mut rule = Rule::custom("r", String::new());
        rule.every = Duration::from_secs(30);
        for (days, seconds) in [(1, 30), (2, 60), (7, 150), (30, 540)] {
            let span = SignedDuration::from_hours(24 * days);
            assert_eq!(step(&rule, span), Duration::from_secs(seconds), "{days}");
        }
    }

    #[test]
    fn every_moment_of_two_stretches_is_asked_about_once_and_what_is_there_at_the_end() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let question = Question {
            flux: String::new(),
            way: Way::Moments {
                step: Duration::from_mins(1),
                overlap: Duration::from_mins(5),
            },
        };
        let asked = |since, until| -> Vec<_> {
            let pieces = question.pieces(at(since), at(until), PIECE);
            let seconds = pieces.map(|piece| (piece.since.as_second(), piece.until.as_second()));
            seconds.collect()
        };
        assert_eq!(asked(1000, 1080), [(660, 1020), (720, 1080)]);
        assert_eq!(asked(1080, 1139), [(779, 1139)]);
    }

    #[test]
    fn of_what_there_is_little_more_is_asked_about_at_once() {
        let day = Duration::from_hours(24);
        assert_eq!(next_piece(PIECE, 0), 5 * day);
        assert_eq!(next_piece(PIECE, FULL / 4), day);
        assert_eq!(next_piece(day, FULL), day);
        // It has become more.
        assert_eq!(next_piece(day, FULL + 1), PIECE);
    }

    #[test]
    fn windows_are_asked_about_without_a_gap_and_whole() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let question = Question {
            flux: String::new(),
            way: Way::Windows {
                every: Duration::from_hours(4),
            },
        };
        let pieces = question.pieces(at(3600), at(30 * 3600), PIECE);
        let hours: Vec<_> = pieces
            .map(|piece| {
                (
                    piece.since.as_second() / 3600,
                    piece.until.as_second() / 3600,
                )
            })
            .collect();
        assert_eq!(hours, [(1, 8), (8, 16), (16, 24), (24, 30)]);
    }
}
