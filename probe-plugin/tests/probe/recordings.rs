//! Recordings of Chrome's Recorder: played by Puppeteer's own replay and by the probe on pages that write down all that is
//! done to them, with the same end; and what is told of those that cannot be played.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};

use rustix::process::geteuid;
use serde_json::{Value, json};
use vigia_testbed::{repository, servers::Program};

use crate::running::{Run, Running, Setting, browser_table, until};

/// The recordings, by the names of their files, which are what they report under.
const RECORDINGS: &[(&str, &str)] = &[
    ("changes", include_str!("recordings/changes.json")),
    ("clicks", include_str!("recordings/clicks.json")),
    ("frames", include_str!("recordings/frames.json")),
    ("keys", include_str!("recordings/keys.json")),
    ("waits", include_str!("recordings/waits.json")),
    ("windows", include_str!("recordings/windows.json")),
];

const PAGES: &[(&str, &str)] = &[
    ("/changes", include_str!("recordings/changes.html")),
    ("/clicks", include_str!("recordings/clicks.html")),
    ("/frame", include_str!("recordings/frame.html")),
    ("/frames", include_str!("recordings/frames.html")),
    ("/keys", include_str!("recordings/keys.html")),
    ("/nested", include_str!("recordings/nested.html")),
    ("/reached", include_str!("recordings/reached.html")),
    ("/waits", include_str!("recordings/waits.html")),
    ("/window", include_str!("recordings/window.html")),
    ("/windows", include_str!("recordings/windows.html")),
];

/// The pages' site, and what they have reported, by recording.
struct Site {
    port: u16,
    reports: Arc<Mutex<BTreeMap<String, Value>>>,
}

impl Site {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let reports = Arc::new(Mutex::new(BTreeMap::new()));
        let taken = Arc::clone(&reports);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let taken = Arc::clone(&taken);
                // A browser that gives up is no matter here.
                std::thread::spawn(move || answer(&stream.unwrap(), port, &taken).ok());
            }
        });
        Self { port, reports }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The recording on this site; another site is on the same port.
    fn recording(&self, text: &str) -> String {
        let other = format!("http://localhost:{}", self.port);
        text.replace("{SITE}", &self.url())
            .replace("{OTHER}", &other)
    }

    fn reports(&self) -> BTreeMap<String, Value> {
        self.reports.lock().unwrap().clone()
    }
}

fn answer(
    mut stream: &TcpStream,
    port: u16,
    reports: &Mutex<BTreeMap<String, Value>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let path = request.split([' ', '?']).nth(1).unwrap_or_default();
    let (kind, body) = match path {
        "/log.js" => ("text/javascript", include_str!("recordings/log.js").into()),
        "/report" => {
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            let mut report: Value = serde_json::from_slice(&body)?;
            let name = report["recording"]
                .take()
                .as_str()
                .unwrap_or_default()
                .to_owned();
            reports.lock().unwrap().insert(name, report);
            ("text/plain", String::new())
        }
        _ => {
            let page = PAGES.iter().find(|(known, _)| *known == path);
            let other = format!("http://localhost:{port}");
            (
                "text/html",
                page.map_or(String::new(), |(_, page)| page.replace("OTHER", &other)),
            )
        }
    };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// Plays all of them by Puppeteer's own replay; nothing where this machine does not have it.
fn replay(site: &Site) -> Option<()> {
    let peers = repository::path("testbed/benchmark");
    if !vigia_testbed::servers::requires(&[Program::Node, Program::Chromium])
        || !vigia_testbed::servers::requires_file(&peers.join("node_modules/@puppeteer/replay"))
    {
        return None;
    }
    let recordings: Vec<Value> = RECORDINGS
        .iter()
        .map(|(_, text)| {
            let json = text.split("\n//").next().unwrap();
            serde_json::from_str(&site.recording(json)).unwrap()
        })
        .collect();
    let order = json!({
        "program": Program::Chromium.path().unwrap(),
        "sandbox": !geteuid().is_root(),
        "recordings": recordings,
    });
    let mut player = Command::new(Program::Node.path().unwrap())
        .arg(peers.join("recordings.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = player.stdin.take().unwrap();
    stdin.write_all(order.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = player.wait_with_output().unwrap();
    let results: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let failed: Vec<_> = results
        .iter()
        .filter(|one| !one["error"].is_null())
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    Some(())
}

/// A probe with these recordings beside a journey that does nothing.
fn setting(site: &Site, recordings: &[(&str, &str)]) -> Setting {
    let mut more = format!("max_concurrent = 1\n{}\n", browser_table());
    for (name, _) in recordings {
        write!(
            more,
            "[[recording]]\nfile = \"recordings/{name}.json\"\nsystem = \"grabado\"\nname = \"{name}\"\nimpact = \"high\"\nevery = \"1h\"\n"
        )
        .unwrap();
    }
    let nothing = crate::site::journey("{ goto = \"${portal}/reached\" }");
    let setting = Setting::new(&nothing, &site.url(), &more);
    fs::create_dir(setting.path().join("recordings")).unwrap();
    for (name, text) in recordings {
        let file = setting.path().join(format!("recordings/{name}.json"));
        fs::write(file, site.recording(text)).unwrap();
    }
    setting
}

/// The run of each recording.
fn runs(setting: &Setting, count: usize) -> BTreeMap<String, Run> {
    let mut probe = Running::start(setting);
    probe.ask_for_points();
    let runs = (0..=count).map(|_| probe.run());
    let runs = runs.map(|run| (run.journey.tag("journey").unwrap(), run));
    let runs = runs.collect();
    probe.stop();
    runs
}

#[test]
fn a_recording_does_to_its_pages_what_puppeteers_own_replay_does() {
    let theirs = Site::start();
    if replay(&theirs).is_none() {
        return;
    }
    let ours = Site::start();
    let runs = runs(&setting(&ours, RECORDINGS), RECORDINGS.len());
    for (name, _) in RECORDINGS {
        let journey = &runs[*name].journey;
        assert_eq!(journey.text("result"), Some("ok"), "{}", journey.0);
        assert_eq!(journey.tag("impact").as_deref(), Some("high"));
    }
    let (theirs, ours) = (theirs.reports(), ours.reports());
    let differences: String = RECORDINGS
        .iter()
        .map(|(name, _)| difference(&theirs[*name], &ours[*name]))
        .collect();
    // docs/recordings.md names each of them.
    insta::assert_snapshot!(differences, @r##"
- /changes keydown name A KeyA 
+ /changes keydown name A KeyA shiftKey
- /changes keyup name A KeyA 
+ /changes keyup name A KeyA shiftKey
- /changes keydown name ! Digit1 
+ /changes keydown name ! Digit1 shiftKey
- /changes keyup name ! Digit1 
+ /changes keyup name ! Digit1 shiftKey
- /changes keydown city L KeyL 
+ /changes keydown city L KeyL shiftKey
- /changes keyup city L KeyL 
+ /changes keyup city L KeyL shiftKey
+ /changes keydown city L KeyL shiftKey
+ /changes input city L
+ /changes keyup city L KeyL shiftKey
+ /changes keydown city i KeyI 
+ /changes input city Li
+ /changes keyup city i KeyI 
+ /changes keydown city m KeyM 
+ /changes input city Lim
+ /changes keyup city m KeyM 
+ /changes keydown city a KeyA 
+ /changes input city Lima
+ /changes keyup city a KeyA 
+ /changes input clear-away 
+ /changes change clear-away 
+ /changes keydown accent ñ  
+ /changes keyup accent ñ  
- /changes keydown secret C KeyC 
+ /changes keydown secret C KeyC shiftKey
- /changes keyup secret C KeyC 
+ /changes keyup secret C KeyC shiftKey
- /changes keydown secret - NumpadSubtract 
+ /changes keydown secret - Minus 
- /changes keyup secret - NumpadSubtract 
+ /changes keyup secret - Minus
"##);
}

/// The lines of one report that the other does not have: `-` theirs, `+` ours.
fn difference(theirs: &Value, ours: &Value) -> String {
    let lines = |report: &Value| -> Vec<String> {
        let events = report["events"].as_array().unwrap();
        let events = events
            .iter()
            .map(|event| event.as_str().unwrap().to_owned());
        let state = serde_json::to_string_pretty(&report["state"]).unwrap();
        events.chain(state.lines().map(str::to_owned)).collect()
    };
    let (theirs, ours) = (lines(theirs), lines(ours));
    // How many lines the rests of both have in common, from each pair of places on.
    let mut common = vec![vec![0; ours.len() + 1]; theirs.len() + 1];
    for (row, their) in theirs.iter().enumerate().rev() {
        for (column, our) in ours.iter().enumerate().rev() {
            common[row][column] = if their == our {
                common[row + 1][column + 1] + 1
            } else {
                common[row + 1][column].max(common[row][column + 1])
            };
        }
    }
    let (mut row, mut column, mut told) = (0, 0, String::new());
    while row < theirs.len() || column < ours.len() {
        if row < theirs.len() && column < ours.len() && theirs[row] == ours[column] {
            (row, column) = (row + 1, column + 1);
        } else if column == ours.len()
            || (row < theirs.len() && common[row + 1][column] >= common[row][column + 1])
        {
            writeln!(told, "- {}", theirs[row]).unwrap();
            row += 1;
        } else {
            writeln!(told, "+ {}", ours[column]).unwrap();
            column += 1;
        }
    }
    told
}

/// What `check` says of these steps, with the journey that does nothing beside them.
fn told_by_check(recording: &str, more: &str) -> String {
    let site = Site {
        port: 80,
        reports: Arc::default(),
    };
    let setting = setting(&site, &[("grabada", recording)]);
    let file = setting.path().join("probe.toml");
    let config = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        config.replace("every = \"1h\"\n", &format!("every = \"1h\"\n{more}")),
    )
    .unwrap();
    let output = setting.command("check").output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    told.replace(&format!("{}/", setting.path().display()), "")
}

#[test]
fn every_mistake_in_a_recording_is_told_at_once_with_its_line_and_what_to_do() {
    insta::assert_snapshot!(told_by_check(
        r##"{
  "title": "Grabada",
  "timeout": "mucho",
  "steps": [
    { "type": "navigate", "url": "tramites.example" },
    { "type": "tap", "selectors": ["#a"] },
    { "type": "click", "selectors": ["#a"] },
    { "type": "customStep", "name": "lighthouse", "parameters": {} },
    { "type": "hover", "selectors": ["#a"], "assertedEvents": [{ "type": "console" }] },
    { "type": "keyDown", "target": 7, "key": "a" },
    { "type": "change", "selectors": ["#a"], "value": "x", "timeout": -1 }
  ]
}"##,
        "",
    ), @r##"
recordings/grabada.json:1:1: `"mucho"` is no time that a step may take
  1 | {
    | ^
  hint: write milliseconds, for example 10000
recordings/grabada.json:5:5: step 1, `navigate`: `tramites.example` is no address of a page
  5 |     { "type": "navigate", "url": "tramites.example" },
    |     ^
  hint: begin with https:// or http://
recordings/grabada.json:6:5: step 2, `tap`: unknown type of step
  6 |     { "type": "tap", "selectors": ["#a"] },
    |     ^
  hint: known types: setViewport, emulateNetworkConditions, navigate, click, doubleClick, hover, change, keyDown, keyUp, scroll, close, waitForElement, waitForExpression
recordings/grabada.json:7:5: step 3, `click`: missing field `offsetX`
  7 |     { "type": "click", "selectors": ["#a"] },
    |     ^
  hint: compare it with what Chrome's Recorder exports
recordings/grabada.json:8:5: step 4, `customStep`: the custom step `lighthouse` is played by the extension that made it, and by nothing else
  8 |     { "type": "customStep", "name": "lighthouse", "parameters": {} },
    |     ^
  hint: record what it does as other steps, or take it out
recordings/grabada.json:9:5: step 5, `hover`: the asserted event `console` is unknown
  9 |     { "type": "hover", "selectors": ["#a"], "assertedEvents": [{ "type": "console" }] },
    |     ^
  hint: only `navigation` is known; take the event out
recordings/grabada.json:10:5: step 6: invalid type: integer `7`, expected a string
  10 |     { "type": "keyDown", "target": 7, "key": "a" },
     |     ^
  hint: compare it with what Chrome's Recorder exports
recordings/grabada.json:11:5: step 7, `change`: `-1` is no time that a step may take
  11 |     { "type": "change", "selectors": ["#a"], "value": "x", "timeout": -1 }
     |     ^
  hint: write milliseconds, for example 10000
8 mistakes
"##);
}

#[test]
fn what_a_step_means_is_checked_where_its_form_is_right() {
    insta::assert_snapshot!(told_by_check(
        r##"{
  "title": "Grabada",
  "steps": [
    { "type": "navigate", "url": "tramites.example" },
    { "type": "navigate", "url": "${portal}/x", "frame": [0] },
    { "type": "click", "selectors": ["aria/Ver[role=\"tecla\"]"], "offsetX": 1, "offsetY": -4 },
    { "type": "click", "selectors": ["a >>> b"], "offsetX": 1, "offsetY": 1 },
    { "type": "hover", "selectors": [] },
    { "type": "keyDown", "key": "Dead" },
    { "type": "change", "selectors": ["#a"], "value": "${secret:NADIE} ${nada}" },
    { "type": "waitForElement", "selectors": ["#a"], "properties": { "value": null } },
    { "type": "waitForExpression", "expression": "  " }
  ]
}"##,
        "variables = { otra = \"1\" }\n",
    ), @r##"
recordings/grabada.json:4:5: step 1, `navigate`: `tramites.example` is no address of a page
  4 |     { "type": "navigate", "url": "tramites.example" },
    |     ^
  hint: begin with https:// or http://
recordings/grabada.json:5:5: step 2, `navigate`: a frame alone is not sent to an address
  5 |     { "type": "navigate", "url": "${portal}/x", "frame": [0] },
    |     ^
  hint: open the page, and click what changes the frame
recordings/grabada.json:6:5: step 3, `click`: an offset of -4 is outside the element
  6 |     { "type": "click", "selectors": ["aria/Ver[role=\"tecla\"]"], "offsetX": 1, "offsetY": -4 },
    |     ^
  hint: it is counted from the element's top left corner
recordings/grabada.json:7:5: step 4, `click`: `a >>> b` is no CSS
  7 |     { "type": "click", "selectors": ["a >>> b"], "offsetX": 1, "offsetY": 1 },
    |     ^
  hint: write a list for a way through shadow roots, ["#host", "#inner"], and `aria/`, `text/` or `xpath/` for what is no CSS
recordings/grabada.json:8:5: step 5, `hover`: it has no selector
  8 |     { "type": "hover", "selectors": [] },
    |     ^
  hint: write for example "selectors": ["aria/Ingresar"]
recordings/grabada.json:9:5: step 6, `keyDown`: unknown key `Dead`
  9 |     { "type": "keyDown", "key": "Dead" },
    |     ^
  hint: a single character, or one of Enter, Tab, Escape, Backspace, Delete, Insert, Space, ArrowUp, ArrowDown, ArrowLeft, ArrowRight, Home, End, PageUp, PageDown, ContextMenu, Alt, Control, Meta, Shift, AltGraph, CapsLock, Help, NumLock, Pause, PrintScreen, ScrollLock, F1 to F12; with others held down: Control+A
recordings/grabada.json:10:5: step 7, `change`: unknown variable `${nada}`
  10 |     { "type": "change", "selectors": ["#a"], "value": "${secret:NADIE} ${nada}" },
     |     ^
  hint: give it a value where the recording is listed: variables = { nada = "..." }
recordings/grabada.json:11:5: step 8, `waitForElement`: `null` among its `properties` cannot be waited for
  11 |     { "type": "waitForElement", "selectors": ["#a"], "properties": { "value": null } },
     |     ^
  hint: use `waitForExpression`
recordings/grabada.json:12:5: step 9, `waitForExpression`: it has no JavaScript
  12 |     { "type": "waitForExpression", "expression": "  " }
     |     ^
  hint: write for example "document.readyState === 'complete'"
9 mistakes
"##);
}

#[test]
fn an_asserted_navigation_has_to_come_and_to_lead_to_the_page_that_was_recorded() {
    let site = Site::start();
    let recordings = [
        ("nowhere", "#whole", "", ""),
        ("other-address", "#on", "{SITE}/clicks", ""),
        ("other-title", "#on", "{SITE}/reached", "Otra página"),
    ];
    let recordings: Vec<(&str, String)> = recordings
        .into_iter()
        .map(|(name, on, url, title)| {
            let recording = json!({ "title": name, "timeout": 1500, "steps": [
                { "type": "navigate", "url": "{SITE}/clicks" },
                { "type": "click", "selectors": [[on]], "offsetX": 5, "offsetY": 5,
                  "assertedEvents": [{ "type": "navigation", "url": url, "title": title }] },
            ] });
            (name, recording.to_string())
        })
        .collect();
    let recordings: Vec<(&str, &str)> = recordings
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let runs = runs(&setting(&site, &recordings), recordings.len());
    let told = |name: &str| {
        let journey = &runs[name].journey;
        assert_eq!(
            journey.text("error_class"),
            Some("assertion"),
            "{}",
            journey.0
        );
        let error = journey
            .text("error")
            .unwrap()
            .split(" (waited")
            .next()
            .unwrap();
        error.replace(&site.url(), "SITE")
    };
    assert_eq!(told("nowhere"), "the page did not lead to another one");
    assert_eq!(
        told("other-address"),
        "the address is `SITE/reached`, not `SITE/clicks`"
    );
    assert_eq!(
        told("other-title"),
        "the title is `Segunda página`, not `Otra página`"
    );
}

#[test]
fn what_stands_beside_a_recording_is_checked_with_it() {
    let told = told_by_check(
        r#"{ "title": "Grabada", "steps": [{ "type": "navigate", "url": "http://127.0.0.1/${portal}" }] }"#,
        "variables = { otra = \"1\" }\n[[recording.cleanup]]\nname = \"Salir\"\nactions = []\n[[recording]]\nfile = \"nada.json\"\nsystem = \"Grabado\"\nimpact = \"low\"\nevery = \"1m\"\n",
    );
    insta::assert_snapshot!(told, @r##"
probe.toml:15:11: the step `Salir` does nothing
  15 | actions = []
     |           ^
  hint: add an action, for example { goto = "https://..." }
probe.toml:7:8: the recording has no variable `otra`
  7 | file = "recordings/grabada.json"
    |        ^
  hint: write ${otra} into one of its addresses or values, or take the variable out
probe.toml:18:10: `Grabado` cannot be a name in points and addresses
  18 | system = "Grabado"
     |          ^
  hint: write lower-case letters, digits and hyphens: `grabado`
probe.toml:17:8: there is no file `nada.json`
  17 | file = "nada.json"
     |        ^
  hint: name the JSON file that Chrome's Recorder exported, relative to this file
4 mistakes
"##);
}

#[test]
fn a_recording_that_fails_is_tidied_up_after() {
    let site = Site::start();
    let recording = r##"{ "title": "Falla", "timeout": 500, "steps": [
        { "type": "navigate", "url": "{SITE}/frames" },
        { "type": "click", "selectors": ["#nothing"], "offsetX": 1, "offsetY": 1, "frame": [0] }
    ] }"##;
    let setting = setting(&site, &[("falla", recording)]);
    let file = setting.path().join("probe.toml");
    let config = fs::read_to_string(&file).unwrap();
    let cleanup = "every = \"1h\"\n[[recording.cleanup]]\nname = \"Avisar\"\nactions = [{ script = \"await report('cleaned')\" }]\n";
    fs::write(&file, config.replace("every = \"1h\"\n", cleanup)).unwrap();

    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let runs = [probe.run(), probe.run()];
    let failed = runs
        .iter()
        .find(|run| run.journey.text("result") == Some("failed"));
    let error = failed.unwrap().journey.text("error").unwrap();
    assert!(error.starts_with("`#nothing` matched nothing"), "{error}");
    until("the clean-up is made", || {
        site.reports().contains_key("cleaned")
    });
    probe.stop();
}

/// The names of the steps that `try` plays of this recording.
fn steps_of(site: &Site, recording: &str) -> Vec<String> {
    let setting = setting(site, &[("grabada", recording)]);
    let output = setting
        .command("try")
        .arg(setting.path().join("recordings/grabada.json"))
        .args(["--system", "grabado", "--json"])
        .output()
        .unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["system"], "grabado");
    let run = &told["runs"][0];
    assert_eq!(run["outcome"], "ok", "{run:#}");
    let steps = run["steps"].as_array().unwrap().iter();
    steps
        .map(|step| step["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn steps_end_where_another_page_is_reached_or_are_those_that_the_user_names() {
    let site = Site::start();
    assert_eq!(
        steps_of(&site, RECORDINGS[1].1),
        ["Clics", "Guardar", "Dentro", "Segunda página"],
    );
    let titled = r##"{ "title": "Con títulos", "steps": [
        { "type": "navigate", "url": "{SITE}/clicks", "title": "Abrir" },
        { "type": "hover", "selectors": ["#over"] },
        { "type": "customStep", "name": "vigia-step", "parameters": { "title": "Seguir" } },
        { "type": "click", "selectors": ["#on"], "offsetX": 5, "offsetY": 5, "assertedEvents": [{ "type": "navigation" }] },
        { "type": "waitForElement", "selectors": ["h1"] }
    ] }"##;
    assert_eq!(steps_of(&site, titled), ["Abrir", "Seguir"]);
}
