//! What is known of something at every moment of a period: spans of states, put together from several views. Pure.

use jiff::{SignedDuration, Timestamp};

/// From a moment to another, which is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

impl Interval {
    /// How long it is, in nanoseconds.
    #[must_use]
    pub fn duration_ns(self) -> i64 {
        nanoseconds(self.to.duration_since(self.from))
    }

    /// What of it lies inside another.
    #[must_use]
    pub fn within(self, other: Self) -> Option<Self> {
        let both = Self {
            from: self.from.max(other.from),
            to: self.to.min(other.to),
        };
        (both.from < both.to).then_some(both)
    }
}

/// A number of nanoseconds; periods are of months, and 292 years fit.
#[must_use]
pub fn nanoseconds(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// What is known at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Users can work.
    Up,
    /// It fails for fewer probes than it takes for users to count as affected.
    Local,
    /// Users cannot work.
    Down,
    /// The robot could not tell.
    Unmeasured,
    /// A run did not take place.
    Missed,
    /// Nothing is heard.
    Silent,
    /// It was planned that users cannot work.
    Maintenance,
}

impl State {
    /// Whether it says that users could, or could not, work.
    #[must_use]
    pub const fn is_measured(self) -> bool {
        matches!(self, Self::Up | Self::Local | Self::Down)
    }
}

/// A state and how long it held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// When.
    pub interval: Interval,
    /// Which.
    pub state: State,
}

/// Spans in the order of time, none over another.
pub type Timeline = Vec<Span>;

/// Puts several views together: at every moment of the period, what they say is decided to be one state. A view that says
/// nothing at a moment is [`State::Silent`].
pub fn together(
    views: &[Timeline],
    period: Interval,
    decide: impl Fn(&[State]) -> State,
) -> Timeline {
    let mut edges: Vec<Timestamp> = views
        .iter()
        .flatten()
        .filter_map(|span| span.interval.within(period))
        .flat_map(|interval| [interval.from, interval.to])
        .chain([period.from, period.to])
        .collect();
    edges.sort_unstable();
    edges.dedup();
    let mut next = vec![0; views.len()];
    let mut states = vec![State::Silent; views.len()];
    let mut timeline: Timeline = Vec::new();
    for pair in edges.windows(2) {
        let interval = Interval {
            from: pair[0],
            to: pair[1],
        };
        for ((view, next), state) in views.iter().zip(&mut next).zip(&mut states) {
            while view
                .get(*next)
                .is_some_and(|span| span.interval.to <= interval.from)
            {
                *next += 1;
            }
            *state = view
                .get(*next)
                .filter(|span| span.interval.from <= interval.from)
                .map_or(State::Silent, |span| span.state);
        }
        push(&mut timeline, interval, decide(&states));
    }
    timeline
}

/// Adds a span, or makes the last one longer where it says the same.
fn push(timeline: &mut Timeline, interval: Interval, state: State) {
    match timeline.last_mut() {
        Some(last) if last.state == state && last.interval.to == interval.from => {
            last.interval.to = interval.to;
        }
        _ => timeline.push(Span { interval, state }),
    }
}

/// What of a timeline lies inside an interval.
pub fn clip(timeline: &[Span], within: Interval) -> impl Iterator<Item = Span> {
    timeline.iter().filter_map(move |span| {
        Some(Span {
            interval: span.interval.within(within)?,
            state: span.state,
        })
    })
}

/// How long each state held, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is a state")]
pub struct Times {
    pub up_ns: i64,
    pub local_ns: i64,
    pub down_ns: i64,
    pub unmeasured_ns: i64,
    pub missed_ns: i64,
    pub silent_ns: i64,
    pub maintenance_ns: i64,
}

impl Times {
    /// Of what of a timeline lies inside an interval.
    #[must_use]
    pub fn of(timeline: &[Span], within: Interval) -> Self {
        let mut times = Self::default();
        for span in clip(timeline, within) {
            *times.of_state(span.state) += span.interval.duration_ns();
        }
        times
    }

    const fn of_state(&mut self, state: State) -> &mut i64 {
        match state {
            State::Up => &mut self.up_ns,
            State::Local => &mut self.local_ns,
            State::Down => &mut self.down_ns,
            State::Unmeasured => &mut self.unmeasured_ns,
            State::Missed => &mut self.missed_ns,
            State::Silent => &mut self.silent_ns,
            State::Maintenance => &mut self.maintenance_ns,
        }
    }

    /// How long it is known whether users could work.
    #[must_use]
    pub const fn measured_ns(&self) -> i64 {
        self.up_ns + self.local_ns + self.down_ns
    }

    /// How long it should have been known: all the time but maintenance.
    #[must_use]
    pub const fn expected_ns(&self) -> i64 {
        self.measured_ns() + self.unmeasured_ns + self.missed_ns + self.silent_ns
    }
}

/// From the first moment at which users could not work to the first at which they could again. What nobody measured in
/// between belongs to it, and does not end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When; up to the end of the timeline where it goes on.
    pub interval: Interval,
    /// Whether it was over before the timeline ended.
    pub is_over: bool,
}

/// The outages of a timeline, in their order.
#[must_use]
pub fn outages(timeline: &[Span]) -> Vec<Outage> {
    let mut outages: Vec<Outage> = Vec::new();
    let mut is_open = false;
    for span in timeline {
        match (span.state, is_open, outages.last_mut()) {
            (State::Down, false, _) => {
                is_open = true;
                outages.push(Outage {
                    interval: span.interval,
                    is_over: false,
                });
            }
            (State::Up | State::Local, true, Some(outage)) => {
                is_open = false;
                outage.is_over = true;
            }
            (_, true, Some(outage)) => outage.interval.to = span.interval.to,
            _ => {}
        }
    }
    outages
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn interval(from: i64, to: i64) -> Interval {
        Interval {
            from: at(from),
            to: at(to),
        }
    }

    fn line(spans: &[(i64, i64, State)]) -> Timeline {
        spans
            .iter()
            .map(|(from, to, state)| Span {
                interval: interval(*from, *to),
                state: *state,
            })
            .collect()
    }

    #[test]
    fn what_nobody_says_is_silence_and_equal_neighbours_are_one_span() {
        let views = [
            line(&[(0, 10, State::Up), (20, 30, State::Up)]),
            line(&[(5, 25, State::Up)]),
        ];
        let any = |states: &[State]| states.iter().min().copied().unwrap_or(State::Silent);
        assert_eq!(
            together(&views, interval(-5, 40), any),
            line(&[
                (-5, 0, State::Silent),
                (0, 30, State::Up),
                (30, 40, State::Silent)
            ])
        );
    }

    #[test]
    fn an_outage_lasts_until_somebody_can_work_and_its_gaps_are_not_downtime() {
        let timeline = line(&[
            (0, 10, State::Up),
            (10, 20, State::Down),
            (20, 30, State::Unmeasured),
            (30, 40, State::Down),
            (40, 50, State::Silent),
            (50, 60, State::Local),
            (60, 70, State::Down),
        ]);
        let expected = [(10, 50, true), (60, 70, false)].map(|(from, to, is_over)| Outage {
            interval: interval(from, to),
            is_over,
        });
        assert_eq!(outages(&timeline), expected);
        let times = Times::of(&timeline, interval(0, 70));
        assert_eq!(times.down_ns, 30 * 1_000_000_000);
        assert_eq!(times.expected_ns(), 70 * 1_000_000_000);
    }

    fn some_line() -> impl Strategy<Value = Timeline> {
        let state = prop_oneof![Just(State::Up), Just(State::Down), Just(State::Missed)];
        prop::collection::vec((1..20_i64, 0..5_i64, state), 0..8).prop_map(|parts| {
            let mut from = 0;
            parts
                .into_iter()
                .map(|(length, gap, state)| {
                    let span = (from + gap, from + gap + length, state);
                    from = span.1;
                    line(&[span])[0]
                })
                .collect()
        })
    }

    proptest! {
        /// Every moment of the period has one state: nothing is lost and nothing counts twice.
        #[test]
        fn the_period_is_covered_and_each_moment_is_decided_by_what_is_said_then(views in prop::collection::vec(some_line(), 1..4)) {
            let period = interval(3, 90);
            let worst = |states: &[State]| {
                let down = states.contains(&State::Down);
                if down { State::Down } else { states[0] }
            };
            let timeline = together(&views, period, worst);
            prop_assert_eq!(timeline[0].interval.from, period.from);
            prop_assert_eq!(timeline.last().unwrap().interval.to, period.to);
            for pair in timeline.windows(2) {
                prop_assert_eq!(pair[0].interval.to, pair[1].interval.from);
                prop_assert!(pair[0].state != pair[1].state);
            }
            for second in 3..90 {
                let said = |view: &Timeline| clip(view, interval(second, second + 1)).next().map_or(State::Silent, |span| span.state);
                let states: Vec<_> = views.iter().map(said).collect();
                prop_assert_eq!(said(&timeline), worst(&states));
            }
        }
    }
}
