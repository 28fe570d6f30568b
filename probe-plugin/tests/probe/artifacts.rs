//! What a failed run leaves: the picture as the user saw it with what failed marked, the source, the requests as viewers read
//! them; kept in a folder or in an S3-compatible store, without ever stopping the measuring.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use base64::{Engine, engine::general_purpose::STANDARD};

use serde_json::Value;
use vigia_testbed::{
    portal::{Fault, Portal, Switch},
    repository,
    servers::{Program, requires},
};

use crate::{
    running::{JOURNEY, Point, Run, Running, Setting, browser_table, until},
    site::{Reply, journey, serve},
};

/// Of the frame around what failed.
const FRAME: [u8; 3] = [226, 26, 46];

struct Left {
    setting: Setting,
    run: Run,
    shot: Point,
}

impl Left {
    fn by(journey: &str, site: &str) -> Self {
        let setting = Setting::new(journey, site, browser_table());
        let mut probe = Running::start(&setting);
        probe.ask_for_points();
        let run = probe.run_that_started();
        assert_eq!(
            run.journey.text("result"),
            Some("failed"),
            "{}",
            run.journey.0
        );
        let shot = probe.next("journey_screenshot");
        probe.stop();
        Self { setting, run, shot }
    }

    fn folder(&self) -> PathBuf {
        self.setting
            .artifacts()
            .join(self.run.journey.text("artifact").unwrap())
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.folder().join(name)).unwrap()
    }
}

/// Where the frame is: left, top, right, bottom.
fn framed(picture: &Path) -> Option<(u32, u32, u32, u32)> {
    let picture = image::open(picture).unwrap().into_rgb8();
    let near = |pixel: &image::Rgb<u8>| {
        let far = pixel.0.iter().zip(FRAME);
        far.map(|(one, other)| u32::from(one.abs_diff(other)))
            .sum::<u32>()
            < 60
    };
    let red = picture
        .enumerate_pixels()
        .filter(|(_, _, pixel)| near(pixel));
    red.fold(None, |found: Option<(u32, u32, u32, u32)>, (x, y, _)| {
        let (left, top, right, bottom) = found.unwrap_or((x, y, x, y));
        Some((left.min(x), top.min(y), right.max(x), bottom.max(y)))
    })
}

fn is_about(found: Option<(u32, u32, u32, u32)>, expected: (u32, u32, u32, u32)) {
    let found = found.expect("a frame");
    let far = [
        found.0.abs_diff(expected.0),
        found.1.abs_diff(expected.1),
        found.2.abs_diff(expected.2),
        found.3.abs_diff(expected.3),
    ];
    assert!(
        far.iter().all(|far| *far <= 10),
        "{found:?}, not {expected:?}"
    );
}

fn page(html: &'static str) -> String {
    serve(move |path| match path {
        "/" => Reply::page(html),
        _ => Reply::raw("404 Not Found\nContent-Length: 0", ""),
    })
}

#[test]
fn the_element_that_failed_has_a_frame_around_it() {
    let site = page(
        "<!doctype html><body style='margin:0'><button disabled style='position:absolute;left:300px;top:200px;width:100px;height:40px'>Enviar</button>",
    );
    let left = Left::by(
        &journey("{ goto = '${portal}/' }, { click = 'text=Enviar' }"),
        &site,
    );
    is_about(
        framed(&left.folder().join("screenshot.jpg")),
        (293, 193, 407, 247),
    );
    assert!(!left.folder().join("element.jpg").exists());
}

#[test]
fn what_failed_in_a_frame_of_another_site_has_a_frame_around_it() {
    let site = serve(|path| match path {
        "/marco" => Reply::page(
            "<!doctype html><body style='margin:0'><button disabled style='position:absolute;left:20px;top:10px;width:100px;height:40px'>Enviar</button>",
        ),
        "/" => Reply::page(
            "<!doctype html><body style='margin:0'><iframe style='position:absolute;left:300px;top:200px;border:0;padding:5px;width:400px;height:200px'></iframe><script>document.querySelector('iframe').src = location.origin.replace('127.0.0.1', 'localhost') + '/marco'</script>",
        ),
        _ => Reply::raw("404 Not Found\nContent-Length: 0", ""),
    });
    let left = Left::by(
        &journey("{ goto = '${portal}/' }, { click = 'text=Enviar' }"),
        &site,
    );
    is_about(
        framed(&left.folder().join("screenshot.jpg")),
        (318, 208, 432, 262),
    );
}

#[test]
fn where_something_was_expected_there_is_a_broken_frame() {
    let site = page(
        "<!doctype html><body style='margin:0'><form id=datos style='position:absolute;left:100px;top:100px;width:300px;height:80px'><input></form>",
    );
    let left = Left::by(
        &journey("{ goto = '${portal}/' }, { click = '#datos .enviar' }"),
        &site,
    );
    is_about(
        framed(&left.folder().join("screenshot.jpg")),
        (93, 93, 407, 187),
    );
}

/// A page of 3000 pixels that ends with a green bar, and prints what is typed far below its window.
const HIGH_PAGE: &str = "<!doctype html><body style='margin:0;height:3000px;background:white'>
    <input aria-label=Clave oninput='eco.textContent = value'>
    <p id=eco style='position:absolute;left:100px;top:2000px;margin:0;font:40px monospace'></p>
    <div style='position:absolute;top:2900px;width:100%;height:100px;background:rgb(10,200,30)'></div>";

#[test]
fn the_whole_page_is_pictured_where_a_journey_asks_for_it_and_left_as_it_was() {
    let actions = "{ goto = '${portal}/' }, { fill = { field = 'label=Clave', with = '${secret:TRAMITES_CLAVE}' } },
        { viewport = { width = 900, height = 600 } }, { scroll = { at = { y = 400 } } },
        { screenshot = { name = 'entera', full_page = true } }, { screenshot = 'ventana' },
        { expect = { expression = 'scrollY === 400 && innerWidth === 900 && innerHeight === 600' } },
        { expect = { text = 'Recibido' }, timeout = '1s' }";
    let journey = journey(actions)
        .replace("impact =", "full_page = true\nimpact =")
        .replace("timeout = \"20s\"", "timeout = \"55s\"")
        .replace("action_timeout = \"3s\"", "action_timeout = \"20s\"");
    let left = Left::by(&journey, &page(HIGH_PAGE));
    let told = left.run.journey.text("error").unwrap();
    assert!(told.contains("Recibido"), "{told}");
    let picture = |name: &str| image::open(left.folder().join(name)).unwrap().into_rgb8();

    assert_eq!(picture("02-usar-ventana.jpg").dimensions(), (900, 600));
    for name in ["01-usar-entera.jpg", "full-page.jpg"] {
        let picture = picture(name);
        assert_eq!(picture.dimensions(), (900, 3000), "{name}");
        let has = |x, y, expected: [u8; 3]| {
            let seen = picture.get_pixel(x, y).0;
            let far = seen.iter().zip(expected).map(|(a, b)| a.abs_diff(b));
            assert!(far.max() < Some(8), "{name}: {seen:?} at {x}, {y}");
        };
        has(450, 2950, [10, 200, 30]);
        has(450, 2800, [255, 255, 255]);
        // The bar over what it prints.
        has(102, 2020, [58, 64, 74]);
        has(180, 2020, [58, 64, 74]);
    }
}

#[test]
fn what_failed_out_of_the_window_is_in_view_in_a_picture_of_its_own() {
    let site = page(
        "<!doctype html><body style='margin:0;height:6000px'><input type=checkbox disabled aria-label=Acepto style='position:absolute;left:300px;top:5000px'>",
    );
    let left = Left::by(
        &journey("{ goto = '${portal}/' }, { expect = { checked = 'label=Acepto' } }"),
        &site,
    );
    assert_eq!(framed(&left.folder().join("screenshot.jpg")), None);
    assert!(framed(&left.folder().join("element.jpg")).is_some());
    // It is the one that rides the pipeline.
    assert!(left.shot.text("image").unwrap().len() <= 60_000);
    let inline = left.folder().join("inline.jpg");
    let (_, data) = left
        .shot
        .text("image")
        .unwrap()
        .split_once("base64,")
        .unwrap();
    fs::write(&inline, STANDARD.decode(data).unwrap()).unwrap();
    assert!(framed(&inline).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_requests_are_an_archive_that_viewers_read() {
    if !requires(&[Program::Node]) {
        return;
    }
    let portal = Portal::start().await.unwrap();
    portal.set_fault(Fault::ServerError, Switch::On);
    let left = Left::by(JOURNEY, portal.url());
    let har: Value = serde_json::from_str(&left.text("network.har")).unwrap();
    let entries = har["log"]["entries"].as_array().unwrap();
    let failed = entries
        .iter()
        .find(|entry| entry["response"]["status"] == 500);
    assert!(
        failed.is_some_and(|entry| entry["time"].as_f64().unwrap() > 0.0),
        "{har:#}"
    );
    assert!(
        har["log"]["pages"].as_array().unwrap().len() >= 2,
        "{har:#}"
    );
    let timings = &har["log"]["pages"][0]["pageTimings"];
    let content_ms = timings["onContentLoad"].as_f64().unwrap_or_default();
    assert!(
        content_ms > 0.0 && timings["onLoad"].as_f64() >= Some(content_ms),
        "{timings}"
    );
    let posted = entries
        .iter()
        .find(|entry| entry["request"]["method"] == "POST");
    let status = &posted.expect("the form was sent")["response"]["status"];
    assert!((300..400).contains(&status.as_i64().unwrap()), "{status}");
    assert!(
        left.text("failed-requests.txt").contains(": HTTP 500"),
        "{}",
        left.text("failed-requests.txt")
    );
    let steps: Value = serde_json::from_str(&left.text("steps.json")).unwrap();
    assert_eq!(steps["failed_step"], "Buscar expediente");
    assert_eq!(steps["steps"][2]["result"], "not reached", "{steps:#}");
    assert!(
        left.text("page.html").contains("<!DOCTYPE html>"),
        "{}",
        left.text("page.html")
    );

    let schema = repository::path("testbed/har-schema");
    let valid = |har: &Path| {
        let script = "const {har} = require('har-validator'); har(JSON.parse(require('fs').readFileSync(process.argv[1]))).then(() => {}, (error) => { console.log(JSON.stringify(error.errors)); process.exitCode = 1 })";
        let output = Command::new(Program::Node.path().unwrap())
            .args(["-e", script])
            .arg(har)
            .current_dir(&schema)
            .output()
            .unwrap();
        (output.status.success(), format!("{output:?}"))
    };
    let (well, told) = valid(&left.folder().join("network.har"));
    assert!(well, "{told}");
    let spoilt = left.folder().join("spoilt.har");
    fs::write(
        &spoilt,
        left.text("network.har")
            .replace("\"startedDateTime\"", "\"started\""),
    )
    .unwrap();
    let (well, told) = valid(&spoilt);
    assert!(!well && told.contains("startedDateTime"), "{told}");
}

#[test]
fn a_page_that_waits_for_an_answer_that_never_comes_is_pictured_as_it_stood() {
    let site = serve(|path| match path {
        "/" => Reply::page(
            "<!doctype html><body><p style='background:#00f;width:600px;height:300px'></p><label>Clave <input type=password></label><a href=/nunca>Seguir</a>",
        ),
        "/nunca" => Reply::Page(60_000, String::new()),
        _ => Reply::raw("404 Not Found\nContent-Length: 0", ""),
    });
    let actions = "{ goto = '${portal}/' }, { fill = { field = 'label=Clave', with = '${secret:TRAMITES_CLAVE}' } }, { click = 'text=Seguir' }";
    let left = Left::by(&journey(actions), &site);
    assert_eq!(
        left.run.journey.text("error_class"),
        Some("timeout"),
        "{}",
        left.run.journey.0
    );
    let picture = image::open(left.folder().join("screenshot.jpg"))
        .unwrap()
        .into_rgb8();
    let blue = picture
        .pixels()
        .filter(|pixel| pixel[2] > 200 && pixel[0] < 60)
        .count();
    assert!(blue > 100_000, "{blue}");
    assert!(
        left.text("failed-requests.txt").contains("/nunca"),
        "{}",
        left.text("failed-requests.txt")
    );
}

#[test]
fn a_page_that_hangs_in_a_script_is_pictured_without_its_secret() {
    let site = page(
        "<!doctype html><body><label>Clave <input style='color:#f0f'></label><button onclick='setTimeout(() => { for (;;); })'>Seguir</button>",
    );
    let actions = "{ goto = '${portal}/' }, { fill = { field = 'label=Clave', with = '${secret:TRAMITES_CLAVE}' } }, { click = 'text=Seguir' }, { expect = { text = 'Listo' } }";
    let setting = Setting::new(&journey(actions), &site, browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let run = probe.run_that_started();
    let (_, _, stderr) = probe.stop();
    assert_eq!(
        run.journey.text("result"),
        Some("failed"),
        "{}",
        run.journey.0
    );
    let picture = setting
        .artifacts()
        .join(run.journey.text("artifact").unwrap())
        .join("screenshot.jpg");
    if picture.exists() {
        let picture = image::open(&picture).unwrap().into_rgb8();
        let shown = picture
            .pixels()
            .filter(|pixel| pixel[0] > 200 && pixel[1] < 60 && pixel[2] > 200)
            .count();
        assert_eq!(shown, 0);
    } else {
        assert!(
            stderr.contains("W! failed to take a screenshot: "),
            "{stderr}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_written_is_told_and_the_run_is_measured() {
    let portal = Portal::start().await.unwrap();
    portal.set_fault(Fault::ServerError, Switch::On);
    let setting = Setting::new(JOURNEY, portal.url(), browser_table());
    // Nobody, root neither, makes a folder of a file.
    fs::write(setting.artifacts(), "").unwrap();
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let run = probe.run_that_started();
    let (_, _, stderr) = probe.stop();
    assert_eq!(
        run.journey.text("result"),
        Some("failed"),
        "{}",
        run.journey.0
    );
    assert_eq!(run.journey.text("artifact"), None);
    assert!(
        stderr.contains("W! failed to keep `tramites/consultar-tramite/"),
        "{stderr}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_is_told_and_taken_again_when_it_has_room() {
    let portal = Portal::start().await.unwrap();
    portal.set_fault(Fault::ServerError, Switch::On);
    let journey = JOURNEY.replace("every = \"24h\"", "every = \"2s\"");
    let setting = Setting::new(&journey, portal.url(), "[browser]\nsandbox = false")
        .with_artifacts_on_a_small_disk();
    let probe = Running::start(&setting);
    let disk = setting.artifacts_of(&probe);
    let first = probe.run_that_started();
    assert!(
        first.journey.text("artifact").is_some(),
        "{}",
        first.journey.0
    );
    let fill = disk.join("fill");
    let no_room = fs::write(&fill, vec![0; 64 << 20]).unwrap_err();
    assert_eq!(no_room.kind(), std::io::ErrorKind::StorageFull);

    let leaves_nothing = |run: &Run| {
        assert_eq!(
            run.journey.text("result"),
            Some("failed"),
            "{}",
            run.journey.0
        );
        run.journey.text("artifact").is_none()
    };
    // One may have been under way.
    until("a run that leaves nothing", || {
        leaves_nothing(&probe.run_that_started())
    });

    fs::remove_file(&fill).unwrap();
    until("a run that leaves something", || {
        !leaves_nothing(&probe.run_that_started())
    });
    let runs = fs::read_dir(disk.join("tramites/consultar-tramite")).unwrap();
    let files = runs.flat_map(|run| fs::read_dir(run.unwrap().path()).unwrap());
    let mut names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert!(
        names.all(|name| !name.contains('#')),
        "a half of a file is left"
    );
    let (_, _, stderr) = probe.stop();
    assert!(
        stderr.contains("W! failed to keep `tramites/consultar-tramite/")
            && stderr.contains("No space left on device"),
        "{stderr}"
    );
}

/// A real server with a bucket in it; it ends with this value.
struct S3 {
    child: std::process::Child,
    address: String,
}

impl S3 {
    fn start() -> Self {
        let mut child = Command::new(Program::Moto.path().unwrap())
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines
            .find_map(|line| Some(line.unwrap().split_once("Running on http://")?.1.to_owned()))
            .unwrap();
        // Whoever does not read on stops it.
        std::thread::spawn(move || lines.for_each(drop));
        let server = Self { child, address };
        assert!(server.ask("PUT", "/vigia").starts_with("HTTP/1.1 200"));
        server
    }

    fn ask(&self, method: &str, path: &str) -> String {
        let mut stream = std::net::TcpStream::connect(&self.address).unwrap();
        let host = &self.address;
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_speaks_s3_takes_what_a_folder_takes_and_forgets_as_much() {
    if !requires(&[Program::Moto]) {
        return;
    }
    let portal = Portal::start().await.unwrap();
    portal.set_fault(Fault::ServerError, Switch::On);
    let store = S3::start();
    let journey = JOURNEY.replace("every = \"24h\"", "every = \"1s\"");
    let setting = Setting::new(&journey, portal.url(), browser_table())
        .with_artifacts(&format!(
            "s3 = {{ bucket = \"vigia\", endpoint = \"http://{}\", access_key = \"probe\", secret_key = \"${{secret:S3_CLAVE}}\" }}\nkeep = {{ failed_runs = 1 }}",
            store.address
        ))
        .with_secret("S3_CLAVE", "una-llave-larga");
    let probe = Running::start(&setting);
    let first = probe.run_that_started();
    let second = probe.run_that_started();
    let third = probe.run_that_started();
    let key = |run: &Run| run.journey.text("artifact").unwrap().to_owned();
    let listed = || store.ask("GET", "/vigia?list-type=2");
    until("the newest run alone", || {
        let listed = listed();
        listed.contains(&format!("{}/network.har", key(&third)))
            && !listed.contains(&key(&first))
            && !listed.contains(&key(&second))
    });
    let (_, _, stderr) = probe.stop();
    let all = listed();
    assert!(
        all.contains(&format!("{}/screenshot.jpg", key(&third))),
        "{all}"
    );
    assert!(!stderr.contains("una-llave-larga"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_keeps_no_news_from_being_told() {
    let portal = Portal::start().await.unwrap();
    portal.set_fault(Fault::ServerError, Switch::On);
    // It takes the connection and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let setting = Setting::new(JOURNEY, portal.url(), browser_table()).with_artifacts(&format!(
        "s3 = {{ bucket = \"vigia\", endpoint = \"http://{address}\", access_key = \"probe\", secret_key = \"x\" }}"
    ));
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    // It is told while the store is still waited for.
    let run = probe.run_that_started();
    assert_eq!(
        run.journey.text("result"),
        Some("failed"),
        "{}",
        run.journey.0
    );
    let (status, ..) = probe.stop();
    assert!(status.success(), "{status}");
}
