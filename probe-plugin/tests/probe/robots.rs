//! Journeys that another program takes: whatever it does, what it came to is told rightly and nothing of it is left.

use std::{fs, io::Cursor, os::unix::fs::PermissionsExt, path::Path};

use rustix::process::{Signal, kill_process};

use crate::running::{Run, Running, SECRET, Setting, until};

/// A report of two good steps.
const GREEN: &str = r#"<testsuites><testsuite><testcase name="Ingresar" time="0.25"/><testcase name="Buscar" time="0.5"/></testsuite></testsuites>"#;

/// Its second step has failed, with the secret in what is told of it.
const RED: &str = r#"<testsuites><testsuite><testcase name="Ingresar" time="0.25"/><testcase name="Buscar" time="0.5"><failure message="AssertionError: falta clave=$CLAVE"/></testcase><testcase name="Ver"><skipped/></testcase></testsuite></testsuites>"#;

/// A journey by `sh robot.sh`; `more` are further lines of its table.
fn setting(robot: &str, more: &str) -> Setting {
    let journey = format!(
        r#"
system = "tramites"
name = "consultar"
impact = "high"
every = "1s"
timeout = "5s"

[external]
command = ["sh", "robot.sh", "{{report}}"]
{more}
"#
    );
    let setting = Setting::new(&journey, "x", "").without_variables();
    write_robot(&setting, robot);
    setting
}

fn write_robot(setting: &Setting, robot: &str) {
    fs::write(setting.path().join("journeys/robot.sh"), robot).unwrap();
}

/// The first run of this robot, and how the probe ended.
fn run(setting: &Setting) -> (Run, String) {
    let mut probe = Running::start(setting);
    probe.ask_for_points();
    let run = probe.run_that_started();
    let (_, _, log) = probe.stop();
    (run, log)
}

/// What it came to, in one line.
fn told(run: &Run) -> String {
    let text = |key| run.journey.text(key).unwrap_or("-");
    format!(
        "{}, {}: {}",
        text("result"),
        text("error_class"),
        text("error")
    )
}

fn is_alive(id: &str) -> bool {
    fs::read_to_string(format!("/proc/{}/stat", id.trim()))
        .is_ok_and(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with('Z'))
}

/// The numbers of the processes that a robot has written down.
fn written_down(setting: &Setting) -> Vec<String> {
    let numbers = fs::read_to_string(setting.path().join("journeys/numbers")).unwrap_or_default();
    numbers.lines().map(str::to_owned).collect()
}

fn gone(setting: &Setting, count: usize) {
    let numbers = written_down(setting);
    assert_eq!(numbers.len(), count);
    until("the robot's processes to be gone", || {
        numbers.iter().all(|id| !is_alive(id))
    });
    until("the robot's folder to be gone", || {
        fs::read_dir(setting.path().join("tmp")).unwrap().count() == 0
    });
}

#[test]
fn a_report_gives_the_steps_and_the_newest_picture_is_the_screenshot() {
    let setting = setting(
        &format!(
            r#"cat >"$1" <<END
{RED}
END
echo "escribí $CLAVE"
mkdir "$VIGIA_ARTIFACTS/buscar"
printf 'PK\377' >"$VIGIA_ARTIFACTS/buscar/trace.zip"
echo "<p>$CLAVE</p>" >"$VIGIA_ARTIFACTS/pagina.html"
cp vieja.png "$VIGIA_ARTIFACTS/a.png"
cp nueva.png "$VIGIA_ARTIFACTS/buscar/b.png"
touch -d '1 hour ago' "$VIGIA_ARTIFACTS/a.png"
exit 1
"#
        ),
        r#"environment = { CLAVE = "${secret:TRAMITES_CLAVE}" }
keep_compressed = true
budgets = { Ingresar = "100ms" }"#,
    );
    for (name, side) in [("vieja", 10), ("nueva", 20)] {
        let mut png = Cursor::new(Vec::new());
        let picture = image::RgbImage::new(side, side);
        picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
        let path = setting.path().join(format!("journeys/{name}.png"));
        fs::write(path, png.into_inner()).unwrap();
    }

    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let run = probe.run_that_started();
    let picture = probe.next("journey_screenshot");
    let (_, _, log) = probe.stop();

    assert_eq!(
        told(&run),
        "failed, assertion: AssertionError: falta clave=***"
    );
    assert_eq!(run.journey.text("failed_step"), Some("Buscar"));
    assert_eq!(run.journey.integer("steps_ok"), Some(1));
    assert_eq!(run.journey.integer("steps_total"), Some(3));
    let steps: Vec<_> = run
        .steps
        .iter()
        .map(|step| {
            let slug = step.tag("step").unwrap();
            (slug, step.integer("result_code"), step.float("duration_ms"))
        })
        .collect();
    assert_eq!(
        steps,
        [
            ("ingresar".into(), Some(1), Some(250.0)),
            ("buscar".into(), Some(2), None)
        ]
    );
    assert_eq!(picture.integer("width"), Some(20));
    let kept = setting
        .artifacts()
        .join(run.journey.text("artifact").unwrap());
    let mut names: Vec<_> = fs::read_dir(&kept)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "01-buscar-trace.zip",
            "02-pagina.html",
            "03-a.png",
            "04-buscar-b.png",
            "output.txt",
            "report-1.xml",
            "screenshot.jpg",
            "steps.json",
        ]
    );
    let screenshot = image::open(kept.join("screenshot.jpg")).unwrap();
    assert_eq!(screenshot.width(), 20);
    for text in ["02-pagina.html", "output.txt", "report-1.xml"] {
        let text = fs::read_to_string(kept.join(text)).unwrap();
        assert!(text.contains("***") && !text.contains(SECRET), "{text}");
    }
    assert!(!log.contains(SECRET), "{log}");
}

#[test]
fn without_a_report_the_exit_code_and_the_last_lines_decide() {
    for (robot, outcome) in [
        ("echo bien", "ok, -: -"),
        (
            "echo uno; echo dos >&2; exit 3",
            "failed, assertion: the robot ended with exit code 3: uno | dos",
        ),
        (
            "echo \"Error: connect ECONNREFUSED 10.0.0.1:443\"; exit 1",
            "failed, connect: the robot ended with exit code 1: Error: connect ECONNREFUSED 10.0.0.1:443",
        ),
        (
            "echo \"ModuleNotFoundError: No module named 'nada'\"; exit 1",
            "unmeasured, config: the robot ended with exit code 1: ModuleNotFoundError: No module named 'nada'",
        ),
        (
            "kill -9 $$",
            "unmeasured, browser: the robot was killed by signal 9",
        ),
    ] {
        let setting = setting(robot, "");
        let journey = setting.path().join("journeys/journey.toml");
        let without = fs::read_to_string(&journey)
            .unwrap()
            .replace(", \"{report}\"", "");
        fs::write(&journey, without).unwrap();
        let (run, _) = run(&setting);
        assert_eq!(told(&run), outcome);
        let measured = run.journey.float("duration_ms").is_some();
        assert_eq!(measured, outcome.starts_with("ok"), "{}", run.journey.0);
        assert_eq!(run.steps.len(), 0);
    }
}

#[test]
fn a_report_that_is_none_is_the_robots_fault() {
    for (robot, outcome) in [
        (
            "echo '<testsuites><testcase' >\"$1\"",
            "unmeasured, config: the report cannot be read: ",
        ),
        (
            "truncate -s 3G \"$1\"",
            "unmeasured, config: the report cannot be read: it is larger than 16000000 bytes",
        ),
        (
            "exit 4",
            "unmeasured, config: the robot ended with exit code 4 and wrote no report",
        ),
        (
            "mkdir \"$1\"",
            "unmeasured, config: the robot ended with exit code 0 and wrote no report",
        ),
    ] {
        let (run, _) = run(&setting(robot, ""));
        let told = told(&run);
        assert!(told.starts_with(outcome), "{robot}: {told}");
    }
}

#[test]
fn a_report_of_the_run_before_is_never_taken_for_this_ones() {
    let robot = format!("[ -e report.xml ] || echo '{GREEN}' >report.xml");
    let setting = setting(&robot, "report = \"report.xml\"");
    let probe = Running::start(&setting);
    assert_eq!(told(&probe.run_that_started()), "ok, -: -");
    assert_eq!(
        told(&probe.run_that_started()),
        "unmeasured, config: the robot ended with exit code 0; the report that is there is of an earlier run"
    );
    let mut command = setting.command("try");
    let output = command
        .args(["--runs", "4", "--concurrency", "2"])
        .arg(setting.path().join("journeys/journey.toml"))
        .output();
    let refused = String::from_utf8(output.unwrap().stdout).unwrap();
    assert!(refused.contains("cannot run twice at once"), "{refused}");
    write_robot(&setting, &format!("echo '{GREEN}' >report.xml"));
    until("a run with a report of its own", || {
        told(&probe.run_that_started()) == "ok, -: -"
    });
    probe.stop();
}

#[test]
fn several_reports_of_one_run_are_read_together() {
    let robot = format!(
        "mkdir -p out; echo '{GREEN}' >out/TEST-a.xml; echo '{GREEN}' >out/TEST-b.xml; echo x >out/b.xml"
    );
    let (run, _) = run(&setting(&robot, "report = \"out/TEST-*.xml\""));
    assert_eq!(told(&run), "ok, -: -");
    let slugs: Vec<_> = run
        .steps
        .iter()
        .map(|step| step.tag("step").unwrap())
        .collect();
    assert_eq!(slugs, ["ingresar", "buscar", "ingresar-2", "buscar-2"]);
}

/// A robot that refuses to end, one child in its group, one that left it, and one whose parent is gone as well.
const STUBBORN: &str = r#"trap '' TERM
echo $$ >>numbers
sleep 1000 & echo $! >>numbers
setsid sh -c 'echo $$ >>numbers; exec sleep 1000' &
(setsid sh -c 'echo $$ >>numbers; exec sleep 1000' &)
echo "espero $CLAVE"
while :; do sleep 1; done
"#;

#[test]
fn a_robot_that_does_not_end_is_ended_whole_at_the_deadline() {
    let setting = setting(
        STUBBORN,
        "environment = { CLAVE = \"${secret:TRAMITES_CLAVE}\" }",
    );
    let (run, _) = run(&setting);
    assert_eq!(
        told(&run),
        "failed, timeout: the robot did not end within its `timeout` of 5 s: espero ***"
    );
    gone(&setting, 4);
}

#[test]
fn what_a_robot_leaves_running_is_ended_and_told() {
    let robot = format!(
        "echo '{GREEN}' >\"$1\"; setsid sleep 1000 & echo $! >>numbers; sleep 1000 & echo $! >>numbers"
    );
    let setting = setting(&robot, "");
    let (run, log) = run(&setting);
    assert_eq!(told(&run), "ok, -: -");
    gone(&setting, 2);
    assert!(
        log.contains("an external journey left processes behind: "),
        "{log}"
    );
}

#[test]
fn a_report_without_an_end_proves_that_the_system_worked_or_failed() {
    let setting = setting(&format!("echo '{GREEN}' >\"$1\"; exec sleep 1000"), "");
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    assert_eq!(
        told(&probe.run_that_started()),
        "unmeasured, browser: every step of the report is ok, but the robot did not end within its `timeout` of 5 s"
    );
    write_robot(&setting, &format!("echo '{RED}' >\"$1\"; exec sleep 1000"));
    until("the red run", || {
        told(&probe.run_that_started()) == "failed, assertion: AssertionError: falta clave=$CLAVE"
    });
    probe.stop();
}

#[test]
fn a_probe_that_is_stopped_takes_its_robots_along() {
    let setting = setting(STUBBORN, "environment = { CLAVE = \"x\" }");
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    until("the robot to be under way", || {
        written_down(&setting).len() == 4
    });
    let (_, points, _) = probe.stop();
    // Beside runs that were due meanwhile and found it still under way.
    let mut results = points
        .iter()
        .filter(|point| point.measurement() == "journey")
        .map(|point| point.text("result"));
    assert!(
        results.any(|result| result == Some("unmeasured")),
        "{points:?}"
    );
    gone(&setting, 4);
}

#[test]
fn the_next_probe_ends_the_robots_of_one_that_was_killed() {
    let setting = setting(STUBBORN, "environment = { CLAVE = \"x\" }");
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    until("the robot to be under way", || {
        written_down(&setting).len() == 4
    });
    kill_process(probe.id(), Signal::KILL).unwrap();
    probe.wait();
    let left: Vec<String> = written_down(&setting);
    assert!(left.iter().all(|id| is_alive(id)));

    write_robot(&setting, "exit 0");
    let (_, log) = run(&setting);

    assert!(
        log.contains("ended 1 external journeys that an earlier probe left behind"),
        "{log}"
    );
    gone(&setting, 4);
}

#[test]
fn endless_output_and_gigabytes_of_files_take_no_memory() {
    let setting = setting(
        "truncate -s 3G \"$VIGIA_ARTIFACTS/video.webm\"; truncate -s 3G \"$VIGIA_ARTIFACTS/a.png\"; exec yes",
        "",
    );
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let run = probe.run_that_started();
    let status = fs::read_to_string(format!("/proc/{}/status", probe.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak_kilobytes: u64 = peak
        .unwrap()
        .trim()
        .strip_suffix(" kB")
        .unwrap()
        .parse()
        .unwrap();
    let (_, _, log) = probe.stop();

    assert_eq!(
        told(&run),
        "failed, timeout: the robot did not end within its `timeout` of 5 s: y | y | y | y | y"
    );
    assert!(peak_kilobytes < 100_000, "{peak_kilobytes} kB");
    assert!(log.contains("left 2 files that are not kept"), "{log}");
    let kept = setting
        .artifacts()
        .join(run.journey.text("artifact").unwrap());
    assert!(fs::metadata(kept.join("output.txt")).unwrap().len() < 200_000);
}

#[test]
fn a_program_that_cannot_be_started_says_nothing_about_the_system() {
    let setting = setting("", "");
    let program = setting.path().join("journeys/robot");
    fs::write(&program, "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let journey = setting.path().join("journeys/journey.toml");
    let text = fs::read_to_string(&journey).unwrap();
    let text = text.replace("\"sh\", \"robot.sh\"", "\"./robot\"");
    fs::write(&journey, text).unwrap();
    let probe = Running::start(&setting);
    let folder = setting.path().display().to_string();
    let first = told(&probe.run_that_started()).replace(&folder, "FOLDER");
    fs::remove_file(&program).unwrap();
    let mut second = String::new();
    until("a run without the program", || {
        second = told(&probe.run_that_started()).replace(&folder, "FOLDER");
        second != first
    });
    probe.stop();
    insta::assert_snapshot!(format!("{first}\n{second}"), @"
        unmeasured, config: failed to start the robot `FOLDER/journeys/robot`: the interpreter or the loader that it asks for is not there
        unmeasured, config: failed to start the robot `FOLDER/journeys/robot`: No such file or directory (os error 2)
        ");
}

#[test]
fn a_robot_has_the_environment_that_its_journey_lists_and_no_other() {
    let setting = setting(
        "env >>out; pwd >>out; exit 0",
        r#"folder = "../journeys"
pass_environment = ["DE_LA_SONDA"]
environment = { CLAVE = "${secret:TRAMITES_CLAVE}", INFORME = "--junit={report}" }
report = "no.xml""#,
    );
    let mut command = setting.command("try");
    let output = command
        .env("DE_LA_SONDA", "sí")
        .arg(setting.path().join("journeys/journey.toml"))
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("wrote no report"), "{told}");
    let out = fs::read_to_string(setting.path().join("journeys/out")).unwrap();
    let mut names: Vec<_> = out
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0))
        // The shell's own.
        .filter(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name))
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "CLAVE",
            "DE_LA_SONDA",
            "HOME",
            "INFORME",
            "LANG",
            "PATH",
            "TMPDIR",
            "VIGIA_ARTIFACTS",
            "VIGIA_REPORT",
            "VIGIA_RUN_ID"
        ]
    );
    assert!(out.contains(&format!("CLAVE={SECRET}\n")));
    let value = |name: &str| {
        let line = out.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().to_owned()
    };
    assert_eq!(
        value("INFORME="),
        format!("--junit={}", value("VIGIA_REPORT="))
    );
    assert!(Path::new(out.lines().last().unwrap()).ends_with("journeys"));
}

#[test]
fn a_try_shows_the_steps_of_the_report() {
    let setting = setting(&format!("echo '{RED}' >\"$1\"; exit 1"), "");
    let output = setting
        .command("try")
        .arg(setting.path().join("journeys/journey.toml"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap(), @"
        tramites/consultar
          Ingresar  ok             250 ms  ████████████████████████████████████████
          Buscar    failed              -                                          ▏
          Ver       not reached
        failed
          assertion: AssertionError: falta clave=$CLAVE
        ");
}

#[test]
fn every_mistake_of_an_external_journey_is_told_at_once() {
    let setting = setting(
        "",
        r#"folder = "nowhere"
report = "a*/b*.xml"
pass_environment = ["CLAVE", "NO VALE", "NO_ESTÁ"]
environment = { CLAVE = "${secret:TRAMITES_CLAVE}", VIGIA_REPORT = "x", N = "${stored:n}" }
budget = "3s"
[[cleanup]]
name = "x"
actions = []"#,
    );
    let journey = setting.path().join("journeys/journey.toml");
    let text = fs::read_to_string(&journey).unwrap();
    let told = || {
        let output = setting.command("check").output().unwrap();
        let folder = setting.path().display().to_string();
        String::from_utf8(output.stdout)
            .unwrap()
            .replace(&folder, "FOLDER")
    };
    insta::assert_snapshot!(told(), @r#"
        FOLDER/journeys/journey.toml:14:1: unknown key `budget`
          14 | budget = "3s"
             | ^
          hint: did you mean `budgets`? known here: command, folder, pass_environment, environment, report, artifacts, budgets, keep_compressed
        1 mistake
        "#);

    let text = text.replace("budget = \"3s\"\n", "");
    fs::write(&journey, &text).unwrap();
    insta::assert_snapshot!(told(), @r#"
        FOLDER/journeys/journey.toml:8:1: an external journey has no `cleanup`
          8 | [external]
            | ^
          hint: another program takes it, and does all of that itself: take the key out
        FOLDER/journeys/journey.toml:10:10: `nowhere` is no folder
          10 | folder = "nowhere"
             |          ^
          hint: write the folder that the program works in, relative to this file
        FOLDER/journeys/journey.toml:11:10: `a*/b*.xml` names no reports
          11 | report = "a*/b*.xml"
             |          ^
          hint: write a file, or files of one folder with a single `*` in their name: "results/TEST-*.xml"
        FOLDER/journeys/journey.toml:12:21: `CLAVE` is passed through and has a value too
          12 | pass_environment = ["CLAVE", "NO VALE", "NO_ESTÁ"]
             |                     ^
          hint: keep one of the two
        FOLDER/journeys/journey.toml:12:30: `NO VALE` cannot be passed through
          12 | pass_environment = ["CLAVE", "NO VALE", "NO_ESTÁ"]
             |                              ^
          hint: names are letters, digits and underscores; those that begin with VIGIA_ are the probe's own
        FOLDER/journeys/journey.toml:12:41: `NO_ESTÁ` cannot be passed through
          12 | pass_environment = ["CLAVE", "NO VALE", "NO_ESTÁ"]
             |                                         ^
          hint: names are letters, digits and underscores; those that begin with VIGIA_ are the probe's own
        FOLDER/journeys/journey.toml:13:68: `VIGIA_REPORT` cannot be set
          13 | environment = { CLAVE = "${secret:TRAMITES_CLAVE}", VIGIA_REPORT = "x", N = "${stored:n}" }
             |                                                                    ^
          hint: names are letters, digits and underscores; those that begin with VIGIA_ are the probe's own
        FOLDER/journeys/journey.toml:13:77: an external journey stores nothing
          13 | environment = { CLAVE = "${secret:TRAMITES_CLAVE}", VIGIA_REPORT = "x", N = "${stored:n}" }
             |                                                                             ^
          hint: write a value, `${name}` for a variable or `${secret:NAME}`
        8 mistakes
        "#);

    for (command, what) in [
        ("[]", "there is no program to start"),
        (
            r#"["no-such-program"]"#,
            "there is no program `no-such-program` on /usr/local/bin:/usr/bin:/bin",
        ),
        (r#"["./robot.sh"]"#, "is no program"),
        (
            r#"["sh", "-c", "x ${secret:TRAMITES_CLAVE}"]"#,
            "refers to what no argument may hold",
        ),
    ] {
        let text = text.replace(r#"["sh", "robot.sh", "{report}"]"#, command);
        fs::write(&journey, text).unwrap();
        let told = told();
        assert!(told.contains(what), "{told}");
    }
}

#[test]
fn what_is_to_be_passed_through_and_is_not_set_is_told() {
    let setting = setting("", "pass_environment = [\"NO_EXISTE\"]");
    let output = setting.command("check").output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        told.contains(
            "the environment variable `NO_EXISTE`, which is to be passed through, is not set"
        ),
        "{told}"
    );
}
