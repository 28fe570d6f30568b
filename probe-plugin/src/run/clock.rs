//! One clock for a whole run, whatever documents and processes of the browser it leads through.
//!
//! A page's clock is monotonic, but each process of the browser places its zero by the time of day at which the process
//! began: two pages may disagree by as much as the time of day was set in between. On Linux Chromium's clock and
//! [`Instant`] are the same one (`CLOCK_MONOTONIC`), so only the place of a page's zero has to be found. The time of day
//! gives it to a tenth of a millisecond, and every answer of the page, which was made after the question was sent and
//! before it was received, proves or disproves it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

/// How long an answer may be under way before the time of day is believed less than the answer.
const UNDER_WAY_MS: f64 = 20.0;

/// What a page's clock is coarsened by, and more.
const COARSE_MS: f64 = 1.0;

/// The clock of a run; its times are milliseconds since its start.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    /// The same by the clock of the machine, which is the browser's: since the machine's start.
    started_ms: f64,
}

/// A question to a page and its answer, each by the clock of who gave it.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_field_names, reason = "numbers carry their unit")]
pub struct Exchange {
    /// By the run's clock, before the question went out.
    pub sent_ms: f64,
    /// By the page's clock, as the question came in.
    pub began_ms: f64,
    /// By the page's clock, as the answer went out.
    pub answered_ms: f64,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Self {
        let since_boot = clock_gettime(ClockId::Monotonic);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a machine that runs for a century is told to the microsecond"
        )]
        let started_ms = since_boot.tv_sec as f64 * 1000.0 + since_boot.tv_nsec as f64 / 1e6;
        Self {
            start: Instant::now(),
            started_ms,
        }
    }

    /// The time.
    pub fn now_ms(&self) -> f64 {
        self.start.elapsed().as_secs_f64() * 1000.0
    }

    /// What the browser itself told, in seconds by its monotonic clock, by the run's.
    pub fn of_browser_ms(&self, timestamp_s: f64) -> f64 {
        timestamp_s * 1000.0 - self.started_ms
    }

    /// What to take off a page's time to have the run's, as an answer that was received just now shows it.
    pub fn zero_ms(&self, exchange: Exchange) -> f64 {
        let received_ms = self.now_ms();
        let time_of_day = SystemTime::now().duration_since(UNIX_EPOCH);
        let time_of_day_ms = time_of_day.unwrap_or_default().as_secs_f64() * 1000.0;
        zero_ms(exchange, received_ms, time_of_day_ms - received_ms)
    }
}

/// `supposed_ms` is where the zero is if the time of day was not set since the page's process began.
fn zero_ms(exchange: Exchange, received_ms: f64, supposed_ms: f64) -> f64 {
    let at_least_ms = exchange.answered_ms - received_ms;
    let at_most_ms = exchange.began_ms - exchange.sent_ms;
    let proved = at_least_ms - COARSE_MS..=at_most_ms + COARSE_MS;
    if proved.contains(&supposed_ms) && supposed_ms - at_least_ms <= UNDER_WAY_MS {
        supposed_ms
    } else {
        // A question may have waited for the page; an answer hardly waits for anybody.
        at_least_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page whose zero is at 1000, asked at 10; it answers at 15 what is received at 15.5.
    const EXCHANGE: Exchange = Exchange {
        sent_ms: 10.0,
        began_ms: 1010.4,
        answered_ms: 1015.0,
    };

    #[test]
    fn the_time_of_day_places_a_pages_clock() {
        assert!((zero_ms(EXCHANGE, 15.5, 1000.1) - 1000.1).abs() < 0.001);
    }

    #[test]
    fn a_time_of_day_that_was_set_meanwhile_moves_nothing() {
        for set_ms in [-3_600_000.0, -300.0, 300.0, 3_600_000.0] {
            let zero_ms = zero_ms(EXCHANGE, 15.5, 1000.0 + set_ms);
            assert!((zero_ms - 1000.0).abs() < 1.0, "{set_ms}: {zero_ms}");
        }
    }

    #[test]
    fn a_time_of_day_that_was_set_is_found_also_where_the_question_waited_long() {
        let waited = Exchange {
            sent_ms: 10.0,
            began_ms: 3010.4,
            answered_ms: 3015.0,
        };
        assert!((zero_ms(waited, 2015.5, 1300.0) - 1000.0).abs() < 1.0);
    }
}
