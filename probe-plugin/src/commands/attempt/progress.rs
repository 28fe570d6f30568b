//! One line that says where the runs are, written over as they go on, for a person who waits; nothing where nobody looks.

use std::{
    convert::Infallible,
    io::Write,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{super::paint::Paint, series::Size};
use crate::journey::Journey;

/// Often enough that it seems alive.
const EVERY: Duration = Duration::from_millis(120);

/// Writes it until it is dropped with the future, and then takes it away.
pub async fn show(
    journey: &Journey,
    size: Size,
    done: &watch::Receiver<u32>,
    at_step: &watch::Receiver<usize>,
) -> Infallible {
    let paint = Paint::for_stderr();
    // Where the Enter key is waited for, the question for it stands there.
    if !paint.is_on() || size.by_step {
        return std::future::pending().await;
    }
    let began = Instant::now();
    let steps = journey.steps();
    let _line = Line;
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        let at = *at_step.borrow();
        let step = at.checked_sub(1).and_then(|index| steps.get(index));
        let what = match step {
            Some(step) if size.runs == 1 => format!("step {at} of {}: {}", steps.len(), step.name),
            _ if size.runs == 1 => "the browser starts".to_owned(),
            _ => format!("{} of {} runs", *done.borrow(), size.runs),
        };
        let seconds = began.elapsed().as_secs_f64();
        let dim = paint.dim();
        let mut stderr = std::io::stderr();
        // Behind the text the rest of an older, longer one is taken away.
        write!(stderr, "\r{dim}{seconds:>5.1} s  {what}{dim:#}\x1b[K").ok();
        stderr.flush().ok();
    }
}

/// The line is gone when what it told of is over.
struct Line;

impl Drop for Line {
    fn drop(&mut self) {
        write!(std::io::stderr(), "\r\x1b[K").ok();
    }
}
