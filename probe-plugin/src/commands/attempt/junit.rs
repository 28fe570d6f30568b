//! Runs as `JUnit` XML, for a build server: a suite a run, a case a step.

use std::path::Path;

use anyhow::Context;
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};
use vigia_contract::data_model::Outcome;

use super::series::{Ran, Series};
use crate::{journey::Journey, run::RunReport};

/// How often a level is indented.
const INDENT: usize = 2;

/// Writes the file.
pub fn write(path: &Path, journey: &Journey, series: &Series) -> anyhow::Result<()> {
    let xml = xml(journey, series).context("failed to write JUnit XML")?;
    std::fs::write(path, xml).with_context(|| format!("failed to write `{}`", path.display()))
}

fn xml(journey: &Journey, series: &Series) -> std::io::Result<Vec<u8>> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', INDENT);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let name = format!("{}/{}", journey.system, journey.name);
    writer.write_event(Event::Start(
        BytesStart::new("testsuites").with_attributes([("name", name.as_str())]),
    ))?;
    for (index, ran) in series.runs.iter().enumerate() {
        let name = if series.runs.len() == 1 {
            name.clone()
        } else {
            format!("{name} run {}", index + 1)
        };
        suite(&mut writer, &name, journey, ran)?;
    }
    writer.write_event(Event::End(BytesEnd::new("testsuites")))?;
    let mut xml = writer.into_inner();
    xml.push(b'\n');
    Ok(xml)
}

fn suite(
    writer: &mut Writer<Vec<u8>>,
    name: &str,
    journey: &Journey,
    ran: &Ran,
) -> std::io::Result<()> {
    let report = &ran.report;
    let steps = report.step_names(journey);
    let count = |outcome: Outcome| usize::from(report.outcome == outcome).to_string();
    let skipped = steps.len().saturating_sub(report.steps.len().max(1));
    let skipped = if report.failure.is_some() { skipped } else { 0 };
    writer.write_event(Event::Start(BytesStart::new("testsuite").with_attributes(
        [
            ("name", name),
            ("tests", steps.len().max(1).to_string().as_str()),
            ("failures", count(Outcome::Failed).as_str()),
            ("errors", count(Outcome::Unmeasured).as_str()),
            ("skipped", skipped.to_string().as_str()),
            (
                "time",
                seconds(report.duration().unwrap_or(ran.wall)).as_str(),
            ),
            ("timestamp", report.started.to_string().as_str()),
        ],
    )))?;
    // What could not even begin is told at the first step.
    let failed = report.steps.len().saturating_sub(1);
    for (index, step) in steps.iter().enumerate() {
        case(writer, name, step, report, (index, failed))?;
    }
    if steps.is_empty() {
        case(writer, name, "the whole", report, (0, 0))?;
    }
    writer.write_event(Event::End(BytesEnd::new("testsuite")))
}

fn case(
    writer: &mut Writer<Vec<u8>>,
    suite: &str,
    step: &str,
    report: &RunReport,
    (index, failed): (usize, usize),
) -> std::io::Result<()> {
    let done = report.steps.get(index);
    let took = done.and_then(|done| done.duration).unwrap_or_default();
    writer.write_event(Event::Start(BytesStart::new("testcase").with_attributes([
        ("classname", suite),
        ("name", step),
        ("time", seconds(took).as_str()),
    ])))?;
    match &report.failure {
        Some(failure) if index == failed => {
            let element = match report.outcome {
                Outcome::Failed => "failure",
                _ => "error",
            };
            let told = BytesStart::new(element).with_attributes([
                ("type", failure.class.name()),
                ("message", failure.error.as_str()),
            ]);
            writer.write_event(Event::Start(told))?;
            let url = report.url.as_deref().unwrap_or_default();
            writer.write_event(Event::Text(BytesText::new(&format!(
                "{}\n{url}",
                failure.error
            ))))?;
            writer.write_event(Event::End(BytesEnd::new(element)))?;
        }
        Some(_) if index > failed => {
            writer.write_event(Event::Empty(BytesStart::new("skipped")))?;
        }
        _ => {}
    }
    if let Some(done) = done
        && done.outcome == Outcome::Slow
        && let (Some(took), Some(budget)) = (done.duration, done.budget)
    {
        writer.write_event(Event::Start(BytesStart::new("system-out")))?;
        let told = format!(
            "slow: {} s, its budget is {} s",
            seconds(took),
            seconds(budget)
        );
        writer.write_event(Event::Text(BytesText::new(&told)))?;
        writer.write_event(Event::End(BytesEnd::new("system-out")))?;
    }
    writer.write_event(Event::End(BytesEnd::new("testcase")))
}

fn seconds(duration: std::time::Duration) -> String {
    format!("{:.3}", duration.as_secs_f64())
}
