//! One case: a site, a probe that walks it, and what both say about each step.

use std::{env, fs, process::Stdio, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use influxdb_line_protocol::{FieldValue, parse_lines};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use super::{
    case::Case,
    error::Sample,
    site::{self, Told},
};
use crate::servers::process;

/// A beacon may take a moment longer than the run.
const TOLD_WITHIN: Duration = Duration::from_secs(5);

/// Measures the case so many times in one run of a probe of its own.
pub async fn walk(case: Case, repeats: usize) -> Result<Vec<Sample>> {
    let told = Told::default();
    let site = site::serve(told.clone()).await?;
    let measured = measured(case, repeats, &site).await?;
    ensure!(
        measured.len() == repeats,
        "`{}`: the probe measured {} of {repeats} steps",
        case.name(),
        measured.len()
    );
    let pages = tokio::time::timeout(TOLD_WITHIN, told.all(repeats))
        .await
        .with_context(|| format!("`{}`: not every page told its time", case.name()))?;
    Ok(measured
        .into_iter()
        .enumerate()
        .map(|(number, probe_ms)| Sample {
            page_ms: pages[&number],
            probe_ms,
        })
        .collect())
}

/// The times of the steps that count, in their order.
async fn measured(case: Case, repeats: usize, site: &str) -> Result<Vec<f64>> {
    let folder = env::temp_dir().join(format!("vigia-accuracy-{}", std::process::id()));
    fs::create_dir_all(folder.join("journeys"))?;
    fs::write(folder.join("journeys/case.toml"), case.journey(repeats))?;
    // Chromium's sandbox does not work for root.
    let sandbox = !rustix::process::geteuid().is_root();
    fs::write(
        folder.join("probe.toml"),
        format!(
            "probe = \"accuracy\"\njourneys = \"journeys\"\n[browser]\nsandbox = {sandbox}\n[artifacts]\nfolder = \"artifacts\"\n[environment]\nvariables = {{ site = \"{site}\" }}\n"
        ),
    )?;
    let probe = env::current_exe()
        .context("failed to find this program's own file")?
        .with_file_name("vigia-probe");
    let mut command = process::tied(&probe);
    command
        .args(["run", "--config"])
        .arg(folder.join("probe.toml"));
    let mut child = tokio::process::Command::from(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("failed to start `{}`", probe.display()))?;
    let mut stdin = child.stdin.take().context("the probe has no stdin")?;
    stdin.write_all(b"\n").await?;
    let stdout = child.stdout.take().context("the probe has no stdout")?;
    let mut lines = BufReader::new(stdout).lines();
    let mut journey = None;
    let mut times_ms = Vec::new();
    while let Some(line) = lines.next_line().await? {
        match line.split([',', ' ']).next() {
            Some("journey") => {
                if !line.contains("result=\"ok\"") {
                    bail!("`{}` was not walked: {line}", case.name());
                }
                journey = Some(line);
            }
            Some("journey_step") if line.contains("step=medir-") => {
                times_ms.push(duration_ms(&line).with_context(|| line.clone())?);
                if times_ms.len() == repeats {
                    break;
                }
            }
            _ => {}
        }
    }
    ensure!(journey.is_some(), "the probe ended without a word");
    drop(stdin);
    child.wait().await?;
    fs::remove_dir_all(&folder)?;
    Ok(times_ms)
}

fn duration_ms(line: &str) -> Option<f64> {
    let parsed = parse_lines(line).next()?.ok()?;
    match parsed.field_value("duration_ms")? {
        FieldValue::F64(duration_ms) => Some(*duration_ms),
        _ => None,
    }
}
