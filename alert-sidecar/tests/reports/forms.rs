//! The forms: the page, the PDF and the tables say the same, in the order in which somebody hears them read, and what cannot be
//! made is said.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use vigia_testbed::{
    servers::{Program, requires},
    until::until,
};

use crate::{
    months::{self, MONTH},
    stage::{Made, Row, Stage},
};

const TARGETS: &str = r#"
[[target]]
system = ["sin-robot"]
availability = 99.5
[[target]]
availability = 99.9
"#;

/// What stands in a page, as a reader sees it: without its tags, each run of spaces as one.
fn text(html: &str) -> String {
    let body = html.split_once("<body>").unwrap().1;
    let mut plain = String::new();
    for part in body.split('<') {
        let after = part.split_once('>').map_or(part, |(_, after)| after);
        plain.push(' ');
        plain.push_str(after);
    }
    let plain = plain
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    one_line(
        &plain
            .replace("&quot;", "\"")
            .replace("&#x27;", "'")
            .replace("&#x2f;", "/"),
    )
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn run(program: Program, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(program.path().unwrap())
        .args(arguments)
        .arg(file)
        .arg("-")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn html(made: &Made) -> String {
    fs::read_to_string(made.folder.join(format!("vigia-{MONTH}.html"))).unwrap()
}

fn pdf(made: &Made) -> PathBuf {
    made.folder.join(format!("vigia-{MONTH}.pdf"))
}

/// The picture of a run, of one pixel.
fn picture(at: jiff::Timestamp) -> String {
    const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    format!(
        "journey_screenshot,host=h1,impact=critical,journey=consultar,probe=sede,system=tramites image=\"data:image/png;base64,{PIXEL}\",failed_step=\"Ingresar\" {}",
        at.as_nanosecond()
    )
}

/// What the alerts wrote about the incident of the fifth.
fn told(began: jiff::Timestamp) -> [String; 2] {
    let delivered = began + jiff::SignedDuration::from_secs(95);
    let acknowledged = began + jiff::SignedDuration::from_secs(200);
    [
        format!(
            "journey_incident,impact=critical,journey=consultar,probe=sede,system=tramites state=\"closed\",acknowledged_by=\"Ana Pérez\",acknowledged_ns={}i,incident_id=\"i1\",rule=\"journeys-failed\" {}",
            acknowledged.as_nanosecond(),
            began.as_nanosecond()
        ),
        format!(
            "alert_delivery,channel=mail,impact=critical,system=tramites accepted=1i,refused=0i,kind=\"opened\",incident_id=\"i1\" {}",
            delivered.as_nanosecond()
        ),
    ]
}

#[tokio::test]
async fn page_pdf_and_tables_say_the_same_in_the_order_in_which_it_is_read() {
    if !requires(&[Program::Influxd, Program::Chromium, Program::PdfToText]) {
        return;
    }
    let stage = Stage::new().await;
    stage.write(&months::known().lines).await;
    let began = months::local(10, 5, 10, 0);
    stage.write(&told(began)).await;
    stage.write(&[picture(began)]).await;
    let spanish = stage.configure("es", TARGETS);
    let made = stage
        .report(&spanish, "es", &["--month", MONTH])
        .succeeded();
    let page = html(&made);
    let seen = text(&page);
    let heard = one_line(&run(Program::PdfToText, &[], &pdf(&made)));
    let laid_out = run(Program::PdfToText, &["-layout"], &pdf(&made));

    systems_are_told(&made, [&seen, &heard], &laid_out);
    let incidents = made.rows("incidents");
    assert!(
        seen.contains(&format!("{} incidentes", incidents.len())),
        "{seen}"
    );
    let fifth = incidents
        .iter()
        .find(|row| row["started_at"].starts_with("2026-10-05T10:00:00"))
        .unwrap();
    assert_eq!(
        (
            fifth["time_to_detect_s"].as_str(),
            fifth["in_the_month_s"].as_str()
        ),
        ("95", "5400")
    );
    for said in [&seen, &heard] {
        assert!(said.contains("Trámites: 5/10 10:00 – 5/10 11:30"), "{said}");
        assert!(said.contains("a los 1 min 35 s"), "{said}");
        assert!(said.contains("a los 3 min 20 s, Ana Pérez"), "{said}");
        // Of a page that failed nothing becomes markup.
        assert!(said.contains("did not appear <b>"), "{said}");
    }
    assert!(seen.contains(" 100 % más lento"), "{seen}");
    let mut steps = made.rows("steps");
    let p95 = |row: &Row| row["p95_ms"].parse::<f64>().unwrap();
    steps.sort_by(|one, other| p95(other).total_cmp(&p95(one)));
    let slowest: Vec<String> = steps
        .iter()
        .take(12)
        .map(|row| {
            format!(
                "{} {} {}",
                shown(&row["system"]),
                shown(&row["journey"]),
                shown(&row["step"])
            )
        })
        .collect();
    let slowest: Vec<&str> = slowest.iter().map(String::as_str).collect();
    in_order(
        seen.split_once("Los pasos más lentos ").unwrap().1,
        &slowest,
    );
    assert_eq!(page.matches("<img ").count(), 1);
    assert!(page.len() < 400_000, "{}", page.len());

    first_page(&run(Program::PdfToText, &["-l", "1"], &pdf(&made)));
    in_order(
        &heard,
        &[
            "Contenido",
            "Los sistemas",
            "Los incidentes",
            "Los pasos más lentos",
            "Sistema por sistema",
            "Cómo se calcula",
        ],
    );
    qualities(&pdf(&made));

    let english = stage.configure("en", TARGETS);
    let made = stage
        .report(
            &english,
            "en",
            &["--month", MONTH, "--system", "padron", "--system", "nobody"],
        )
        .succeeded();
    let seen = text(&html(&made));
    assert!(
        seen.contains("0 of 1 systems met their target")
            && seen.contains("There is no data of: Nobody."),
        "{seen}"
    );
    assert!(!seen.contains("Trámites"), "{seen}");
}

/// Every system's availability and verdict, in words and in the table as it is laid out.
fn systems_are_told(made: &Made, told: [&str; 2], laid_out: &str) {
    for row in made.rows("systems") {
        let availability = row["availability_percent"].replace('.', ",");
        let name = shown(&row["system"]);
        let expected = match row["verdict"].as_str() {
            "no_data" => "sin datos".to_owned(),
            _ => format!("{availability} %"),
        };
        let verdict = if row["verdict"] == "met" {
            "cumplido"
        } else {
            "no cumplido"
        };
        let sentence = format!(
            "Disponibilidad {availability} %, objetivo 99,9 %: {verdict}. Fuera de servicio"
        );
        for said in told {
            if row["verdict"] == "no_data" {
                assert!(said.contains("No hay datos de este sistema en el mes"));
            } else {
                assert!(said.contains(&sentence), "{sentence}");
            }
        }
        // A long name takes several lines.
        let beginning = name.split(' ').next().unwrap();
        let mut lines = laid_out.lines().map(str::trim_start);
        let line = lines.find(|line| line.starts_with(beginning) && line.contains(&expected));
        assert!(line.is_some(), "{name} {expected}: {laid_out}");
    }
}

/// As the report shows a name that the configuration has none for.
fn shown(name: &str) -> String {
    if name == "tramites" {
        return "Trámites".to_owned();
    }
    let spaced = name.replace('-', " ");
    spaced[..1].to_uppercase() + &spaced[1..]
}

fn in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        rest = rest
            .split_once(part)
            .unwrap_or_else(|| panic!("`{part}` is not in its place"))
            .1;
    }
}

/// What a minister reads, all of it on the first page, and in this order.
fn first_page(text: &str) {
    in_order(
        &one_line(text),
        &[
            "Disponibilidad de los sistemas octubre de 2026",
            "Del 1/10/2026 al 31/10/2026, hora de Europe/Madrid.",
            "sistemas cumplieron su objetivo.",
            "Lo que no funcionó",
            "Trámites: fuera de servicio 10 h 30 min en",
            "Lo que funcionó",
            "Lo que cambió desde septiembre de 2026",
            "Lo que no se sabe",
            "No hay datos de: Archivo y Sin robot.",
            "Página 1 de",
        ],
    );
    assert!(!text.contains("Contenido"), "{text}");
}

/// A4, tagged, and nothing in it depends on the fonts of whoever opens it.
fn qualities(pdf: &Path) {
    let folder = Program::PdfToText.path().unwrap();
    let beside = |name: &str| folder.with_file_name(name);
    let said = |name: &str| {
        let output = Command::new(beside(name)).arg(pdf).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let information = said("pdfinfo");
    let value = |key: &str| {
        let line = information
            .lines()
            .find(|line| line.starts_with(key))
            .unwrap();
        line.split_once(':').unwrap().1.trim().to_owned()
    };
    assert_eq!(value("Tagged"), "yes");
    assert!(value("Page size").contains("A4"), "{information}");
    assert_eq!(
        value("Title"),
        "Disponibilidad de los sistemas, octubre de 2026"
    );
    let fonts = said("pdffonts");
    let fonts: Vec<&str> = fonts.lines().skip(2).collect();
    assert!(!fonts.is_empty());
    for font in fonts {
        // The columns from the end: object (two), unicode, subset, embedded.
        let columns: Vec<&str> = font.split_whitespace().rev().collect();
        assert_eq!(columns[4], "yes", "{font}");
    }
    let bytes = fs::read(pdf).unwrap();
    let has = |name: &[u8]| bytes.windows(name.len()).any(|window| window == name);
    assert!(
        has(b"/Outlines") && has(b"/Lang"),
        "no outline, or no language"
    );
}

#[tokio::test]
async fn what_cannot_be_made_is_said_and_the_rest_is_made() {
    if !requires(&[Program::Influxd]) {
        return;
    }
    let stage = Stage::new().await;
    let config = stage.configure("en", "[pdf]\nchromium = \"/no/such/program\"\n");
    let made = stage.report(&config, "no-browser", &["--month", MONTH]);
    assert_eq!(made.output.status.code(), Some(1));
    assert!(
        made.said()
            .contains("failed to print the PDF: No such file"),
        "{}",
        made.said()
    );
    assert_eq!(made.tables().len(), 5);
    assert!(text(&html(&made)).contains("There is no data of any system"));

    let browser = stage.folder.path().join("hangs.sh");
    fs::write(
        &browser,
        "#!/bin/sh\nsleep 3600 &\necho $! > \"$0.child\"\nwait\n",
    )
    .unwrap();
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).unwrap();
    let hangs = stage.configure(
        "en",
        &format!(
            "[pdf]\nchromium = \"{}\"\ntimeout = \"1s\"\n",
            browser.display()
        ),
    );
    let made = stage.report(&hangs, "hangs", &["--month", MONTH]);
    assert_eq!(made.output.status.code(), Some(1));
    assert!(
        made.said().contains(
            "Chromium did not print the PDF within 1s\nhint: give it longer with timeout under [pdf]"
        ),
        "{}",
        made.said()
    );
    assert_eq!(made.tables().len(), 5);
    let child = fs::read_to_string(stage.folder.path().join("hangs.sh.child")).unwrap();
    let left = Path::new("/proc").join(child.trim()).join("stat");
    let is_over = || fs::read_to_string(&left).map_or(true, |stat| stat.contains(") Z "));
    until(
        "the end of what the browser started",
        Duration::from_mins(1),
        async || is_over().then_some(()),
    )
    .await
    .unwrap();

    let config = stage.configure("en", "[pdf]\nchromium = \"/no/such/program\"\n");
    let made = stage.report(&config, "future", &["--month", "2199-01"]);
    assert_eq!(made.output.status.code(), Some(1));
    assert!(
        made.said().contains("2199-01 has not begun\nhint: "),
        "{}",
        made.said()
    );

    let made = stage.report(&config, "wrong", &["--month", "octubre"]);
    assert_eq!(made.output.status.code(), Some(2));
    assert!(
        made.said().contains("`octubre` is not a month\nhint: "),
        "{}",
        made.said()
    );

    let url = stage.influxdb.url().to_owned();
    drop(stage.influxdb);
    let output = Command::new(env!("CARGO_BIN_EXE_vigia-alert"))
        .args(["report", "--format", "csv", "--config"])
        .arg(&config)
        .env("INFLUX_TOKEN", "x")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("failed to reach InfluxDB"), "{url}: {said}");
}
