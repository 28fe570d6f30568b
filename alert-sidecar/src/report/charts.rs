//! The charts, as SVG that stands inside the page. None says anything by colour alone: height, hatching and the text beside
//! it say the same.

use std::fmt::Write;

use super::timeline::Times;

/// The width of a day, and the height of all of them.
const CELL: [i64; 2] = [6, 24];

/// Where this much of a day was lost, its cell is full.
const FULL_NS: i64 = 3_600_000_000_000;

/// A cell for each of a month's days, as far as they are over.
#[must_use]
pub fn days(days: &[Times], of_month: usize, label: &str) -> String {
    let [width, height] = CELL;
    let all = i64::try_from(of_month).unwrap_or(31) * width;
    let mut svg = format!(
        r#"<svg class="days" role="img" aria-label="{}" viewBox="0 0 {all} {height}" width="{all}" height="{height}">"#,
        escaped(label)
    );
    for (index, times) in (0..).zip(days) {
        let x = index * width;
        let inner = width - 1;
        let whole = times.expected_ns() + times.maintenance_ns;
        let mut rectangle = |class: &str, y: i64, tall: i64| {
            // Writing to a text cannot fail.
            let _ = write!(
                svg,
                r#"<rect class="{class}" x="{x}" y="{y}" width="{inner}" height="{tall}"/>"#
            );
        };
        let blind = times.expected_ns() - times.measured_ns();
        let background = if times.measured_ns() == 0 && times.maintenance_ns == 0 {
            "blind"
        } else if times.measured_ns() == 0 {
            "planned"
        } else {
            "up"
        };
        rectangle(background, 0, height);
        if background == "up" {
            if blind > 0 {
                rectangle("blind", 0, part(blind, whole, height / 2));
            }
            if times.maintenance_ns > 0 {
                let tall = part(times.maintenance_ns, whole, height / 2);
                rectangle("planned", height / 2 - tall, tall);
            }
        }
        if times.down_ns > 0 {
            let tall = part(times.down_ns.min(FULL_NS), FULL_NS, height);
            rectangle("down", height - tall, tall);
        }
    }
    svg.push_str("</svg>");
    svg
}

/// How much of what a target allows was used: a bar that is full at all of it.
#[must_use]
pub fn allowance(used_ns: i64, allowed_ns: i64, label: &str) -> String {
    const WIDTH: i64 = 60;
    let is_exceeded = used_ns > allowed_ns;
    let used = if used_ns == 0 {
        0
    } else {
        part(used_ns.min(allowed_ns), allowed_ns.max(1), WIDTH)
    };
    let class = if is_exceeded { "down" } else { "used" };
    let used = if is_exceeded { WIDTH } else { used };
    format!(
        r#"<svg class="allowance" role="img" aria-label="{}" viewBox="0 0 {WIDTH} 7" width="{WIDTH}" height="7"><rect class="frame" x="0" y="0" width="{WIDTH}" height="7"/><rect class="{class}" x="0" y="0" width="{used}" height="7"/></svg>"#,
        escaped(label)
    )
}

/// How long something took, beside the longest of those it is compared with.
#[must_use]
pub fn bar(took_ms: f64, longest_ms: f64, label: &str) -> String {
    const WIDTH: f64 = 160.0;
    let long = if longest_ms > 0.0 {
        (took_ms / longest_ms * WIDTH).clamp(1.0, WIDTH)
    } else {
        1.0
    };
    format!(
        r#"<svg class="bar" role="img" aria-label="{}" viewBox="0 0 {WIDTH} 9" width="{WIDTH}" height="9"><rect class="used" x="0" y="0" width="{long:.1}" height="9"/></svg>"#,
        escaped(label)
    )
}

/// Of so many units, at least one that can be seen.
fn part(of: i64, whole: i64, units: i64) -> i64 {
    let scaled = i128::from(of) * i128::from(units) / i128::from(whole.max(1));
    i64::try_from(scaled).unwrap_or(units).clamp(2, units)
}

fn escaped(text: &str) -> String {
    minijinja::HtmlEscape(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_without_anything_measured_does_not_look_good() {
        let good = Times {
            up_ns: 86_400_000_000_000,
            ..Times::default()
        };
        let silent = Times {
            silent_ns: 86_400_000_000_000,
            ..Times::default()
        };
        let down = Times {
            up_ns: 86_399_000_000_000,
            down_ns: 1_000_000_000,
            ..Times::default()
        };
        let svg = days(&[good, silent, down], 31, "a \"label\"");
        assert_eq!(svg.matches(r#"class="up""#).count(), 2);
        assert_eq!(svg.matches(r#"class="blind""#).count(), 1);
        // A second is seen, too.
        assert!(
            svg.contains(r#"<rect class="down" x="12" y="22" width="5" height="2"/>"#),
            "{svg}"
        );
        assert!(svg.contains("a &quot;label&quot;"), "{svg}");
    }
}
