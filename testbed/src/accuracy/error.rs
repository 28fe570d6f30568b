//! What many measurements say about how far off they are.

/// One step, measured twice.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// By the page.
    pub page_ms: f64,
    /// By the probe.
    pub probe_ms: f64,
}

/// Of many steps.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_field_names, reason = "numbers carry their unit")]
pub struct Summary {
    /// The median of what the page says.
    pub page_ms: f64,
    /// The median of what the probe says.
    pub probe_ms: f64,
    /// The median of the signed error.
    pub bias_ms: f64,
    /// The median of the error's size.
    pub p50_ms: f64,
    /// One in twenty is further off.
    pub p95_ms: f64,
    /// The furthest off.
    pub worst_ms: f64,
}

impl Summary {
    /// There must be at least one sample.
    pub fn of(samples: &[Sample]) -> Self {
        let sorted = |value: &dyn Fn(&Sample) -> f64| {
            let mut values: Vec<f64> = samples.iter().map(value).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let size = sorted(&|sample| (sample.probe_ms - sample.page_ms).abs());
        Self {
            page_ms: at(&sorted(&|sample| sample.page_ms), 50),
            probe_ms: at(&sorted(&|sample| sample.probe_ms), 50),
            bias_ms: at(&sorted(&|sample| sample.probe_ms - sample.page_ms), 50),
            p50_ms: at(&size, 50),
            p95_ms: at(&size, 95),
            worst_ms: at(&size, 100),
        }
    }
}

/// The nearest rank: a value that was measured, never one between two.
fn at(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted[rank.max(1) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_a_sign_as_a_bias_and_none_as_a_size() {
        let samples: Vec<Sample> = (1..=20)
            .map(|number| Sample {
                page_ms: 100.0,
                probe_ms: 100.0 - f64::from(number),
            })
            .collect();

        let summary = Summary::of(&samples);

        let told = format!(
            "{:+} {} {} {}",
            summary.bias_ms, summary.p50_ms, summary.p95_ms, summary.worst_ms
        );
        assert_eq!(told, "-11 10 19 20");
    }
}
