//! The days on which nobody works, from an iCalendar file (RFC 5545) as calendars export it.
//!
//! Days are read, and their return every year. Whatever else an event says about when it is, is refused: a holiday that is
//! silently missed is a call at home.

use std::collections::BTreeSet;

use jiff::civil::Date;

/// Days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holidays {
    once: BTreeSet<Date>,
    yearly: Vec<Yearly>,
}

/// The same day of every year.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Yearly {
    first: Date,
    last: Date,
}

/// A line that cannot be understood, counted from 1, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct HolidayError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// An event, as far as it is read.
#[derive(Default)]
struct Event {
    line: usize,
    start: Option<Date>,
    end: Option<Date>,
    rule: Option<String>,
    is_cancelled: bool,
}

impl Holidays {
    /// Reads a file, or says every line that cannot be understood.
    pub fn read(text: &str) -> Result<Self, Vec<HolidayError>> {
        let mut holidays = Self::default();
        let mut errors = Vec::new();
        let mut event: Option<Event> = None;
        if !text
            .trim_start_matches('\u{feff}')
            .trim_start()
            .starts_with("BEGIN:VCALENDAR")
        {
            return Err(vec![HolidayError {
                line: 1,
                what: "this is no iCalendar file: it does not begin with BEGIN:VCALENDAR".into(),
            }]);
        }
        for (line, content) in unfolded(text) {
            let mut complain = |what: String| errors.push(HolidayError { line, what });
            let Some((head, value)) = content.split_once(':') else {
                continue;
            };
            let name = head.split(';').next().unwrap_or(head).to_ascii_uppercase();
            match (name.as_str(), &mut event) {
                ("BEGIN", _) if value.eq_ignore_ascii_case("VEVENT") => {
                    event = Some(Event {
                        line,
                        ..Event::default()
                    });
                }
                ("END", _) if value.eq_ignore_ascii_case("VEVENT") => {
                    if let Some(event) = event.take()
                        && let Err(error) = holidays.add(&event)
                    {
                        errors.push(error);
                    }
                }
                ("DTSTART", Some(event)) => match date(value) {
                    Some(date) => event.start = Some(date),
                    None => complain(format!("`{value}` is not a day")),
                },
                ("DTEND", Some(event)) => match date(value) {
                    Some(date) => event.end = Some(date),
                    None => complain(format!("`{value}` is not a day")),
                },
                ("RRULE", Some(event)) => event.rule = Some(value.to_owned()),
                ("STATUS", Some(event)) => {
                    event.is_cancelled = value.eq_ignore_ascii_case("CANCELLED");
                }
                ("DURATION" | "RDATE" | "EXDATE" | "EXRULE" | "RECURRENCE-ID", Some(_)) => {
                    complain(format!("{name} is not understood"));
                }
                _ => {}
            }
        }
        if errors.is_empty() {
            Ok(holidays)
        } else {
            Err(errors)
        }
    }

    fn add(&mut self, event: &Event) -> Result<(), HolidayError> {
        let wrong = |what: String| HolidayError {
            line: event.line,
            what,
        };
        if event.is_cancelled {
            return Ok(());
        }
        let Some(start) = event.start else {
            return Err(wrong("this event has no DTSTART".into()));
        };
        // The end of a day is the beginning of the next: it is not part of the event.
        let days = start.series(jiff::Span::new().days(1));
        let days: Vec<Date> = match event.end {
            Some(end) if end > start => days.take_while(|day| *day < end).collect(),
            _ => vec![start],
        };
        let Some(rule) = &event.rule else {
            self.once.extend(days);
            return Ok(());
        };
        let last = last_of(rule, start).ok_or_else(|| {
            wrong(format!(
                "RRULE:{rule} is not understood: only FREQ=YEARLY is"
            ))
        })?;
        self.yearly
            .extend(days.into_iter().map(|first| Yearly { first, last }));
        Ok(())
    }

    /// Whether this day is one of them.
    #[must_use]
    pub fn contains(&self, day: Date) -> bool {
        self.once.contains(&day)
            || self.yearly.iter().any(|yearly| {
                (yearly.first.month(), yearly.first.day()) == (day.month(), day.day())
                    && yearly.first <= day
                    && day <= yearly.last
            })
    }
}

/// The last day on which something that returns every year may begin, where the rule says nothing but that.
fn last_of(rule: &str, start: Date) -> Option<Date> {
    let mut last = Date::MAX;
    let mut is_yearly = false;
    for part in rule.split(';').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        match name.to_ascii_uppercase().as_str() {
            "FREQ" => is_yearly = value.eq_ignore_ascii_case("YEARLY"),
            "INTERVAL" if value == "1" => {}
            "WKST" => {}
            "BYMONTH" if value.parse() == Ok(start.month()) => {}
            "BYMONTHDAY" if value.parse() == Ok(start.day()) => {}
            "UNTIL" => last = last.min(date(value)?),
            "COUNT" => {
                let years: i16 = value.parse().ok()?;
                let year = start.year().checked_add(years.checked_sub(1)?)?;
                last = last.min(Date::new(year, 12, 31).ok()?);
            }
            _ => return None,
        }
    }
    is_yearly.then_some(last)
}

/// The day of `20261225` or `20261225T000000Z`.
fn date(value: &str) -> Option<Date> {
    let day = value.split_once('T').map_or(value, |(day, _)| day);
    if day.len() != 8 || !day.bytes().all(|letter| letter.is_ascii_digit()) {
        return None;
    }
    Date::new(
        day[..4].parse().ok()?,
        day[4..6].parse().ok()?,
        day[6..].parse().ok()?,
    )
    .ok()
}

/// The content lines with the number of their first line: what begins with a space goes on from the line before.
fn unfolded(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some((_, last))) => last.push_str(rest),
            _ => lines.push((number, line.to_owned())),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(events: &str) -> String {
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n")
    }

    fn event(lines: &str) -> String {
        calendar(&format!("BEGIN:VEVENT\r\n{lines}END:VEVENT\r\n"))
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn days_and_their_return_are_understood() {
        for (lines, day_of, expected) in [
            ("DTSTART;VALUE=DATE:20261225\r\n", "2026-12-25", true),
            ("DTSTART;VALUE=DATE:20261225\r\n", "2027-12-25", false),
            (
                "DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261226\r\n",
                "2026-12-26",
                false,
            ),
            (
                "DTSTART;VALUE=DATE:20270325\r\nDTEND;VALUE=DATE:20270327\r\n",
                "2027-03-26",
                true,
            ),
            (
                "DTSTART;VALUE=DATE:20200825\r\nRRULE:FREQ=YEA\r\n RLY\r\n",
                "2026-08-25",
                true,
            ),
            (
                "DTSTART;VALUE=DATE:20200825\r\nRRULE:FREQ=YEARLY\r\n",
                "2019-08-25",
                false,
            ),
            (
                "DTSTART;VALUE=DATE:20200825\r\nRRULE:FREQ=YEARLY;COUNT=2\r\n",
                "2021-08-25",
                true,
            ),
            (
                "DTSTART;VALUE=DATE:20200825\r\nRRULE:FREQ=YEARLY;COUNT=2\r\n",
                "2022-08-25",
                false,
            ),
            (
                "DTSTART;VALUE=DATE:20200825\r\nRRULE:FREQ=YEARLY;UNTIL=20220101\r\n",
                "2022-08-25",
                false,
            ),
            (
                "DTSTART:20260501T000000Z\r\nSUMMARY:Día: de los trabajadores\r\n",
                "2026-05-01",
                true,
            ),
            (
                "DTSTART:20260501\r\nSTATUS:CANCELLED\r\n",
                "2026-05-01",
                false,
            ),
        ] {
            let holidays = Holidays::read(&event(lines)).unwrap();
            assert_eq!(holidays.contains(day(day_of)), expected, "{lines}{day_of}");
        }
    }

    #[test]
    fn what_is_not_understood_is_said_with_its_line() {
        let wrong = |text: &str| -> Vec<String> {
            let errors = Holidays::read(text).unwrap_err();
            errors.iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            wrong(&event("DTSTART:20261332\r\nEXDATE:20270101\r\n")),
            [
                "line 4: `20261332` is not a day",
                "line 5: EXDATE is not understood",
                "line 3: this event has no DTSTART"
            ]
        );
        assert_eq!(
            wrong(&event(
                "DTSTART:20260406\r\nRRULE:FREQ=YEARLY;BYDAY=1MO\r\n"
            )),
            ["line 3: RRULE:FREQ=YEARLY;BYDAY=1MO is not understood: only FREQ=YEARLY is"]
        );
        assert_eq!(
            wrong("fecha,nombre\n"),
            ["line 1: this is no iCalendar file: it does not begin with BEGIN:VCALENDAR"]
        );
    }
}
