//! The Debian packages on a clean machine with systemd: `docs/install.md` word by word until the mail with the picture is
//! there, the commands of the other pages for operators, an upgrade while users suffer, and the removal.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the message, in its helpers too"
)]

mod machine;
mod operator;
mod page;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use machine::Machine;
use page::Prompt;
use vigia_testbed::{
    portal::{Fault, Portal, Switch},
    repository,
    servers::{InfluxDb, MailServer, Program, influxdb, mail, requires, requires_file, root},
    until::until,
};

/// Much longer than anything takes; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_mins(3);

#[tokio::test]
#[ignore = "it fetches Chromium for the machine that it boots; make test-packages runs it"]
async fn what_the_page_says_leads_from_a_clean_machine_to_a_mail_with_the_picture_and_an_upgrade_keeps_everything()
 {
    let programs = [
        Program::Influxd,
        Program::Exim,
        Program::Telegraf,
        Program::Nspawn,
    ];
    if !requires(&programs) || !requires_file(&root::archive()) || !root::allowed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let influxdb = InfluxDb::start(&folder.path().join("influxdb"))
        .await
        .unwrap();
    let mail = MailServer::start(&folder.path().join("mail"))
        .await
        .unwrap();
    let portal = Portal::start().await.unwrap();
    let earlier = earlier_packages(&folder.path().join("earlier"));
    let present = packages(&folder.path().join("present"), "0.0.2");
    let machine = Machine::boot(&folder.path().join("machine")).await;
    machine.install_telegraf();
    machine.write(
        "etc/vigia-ca.pem",
        &fs::read_to_string(mail.ca_file()).unwrap(),
    );

    machine.bring(&earlier, "root");
    install(&machine, &influxdb, &mail, &portal);

    let well = r#"from(bucket: "vigia") |> range(start: -1h) |> filter(fn: (r) => r._measurement == "journey" and r._field == "result") |> group()"#;
    until("a good run in InfluxDB", PATIENCE, async || {
        let rows = influxdb.query(well).await.ok()?;
        rows.iter().any(|row| row["_value"] == "ok").then_some(())
    })
    .await
    .unwrap_or_else(|error| panic!("{error:#}\n{}", machine.journal()));

    operator::give_a_secret(&machine);
    operator::look_at_the_probe(&machine, &portal);

    portal.set_fault(Fault::BadCertificate, Switch::On);
    let failure = mail
        .mailbox()
        .wait_for("the mail about the failure", PATIENCE, |mail| {
            mail.in_reply_to.is_none()
        })
        .await
        .unwrap_or_else(|error| panic!("{error:#}\n{}", machine.journal()));
    assert!(
        failure.subject.starts_with("CRÍTICO Tramites"),
        "{}",
        failure.subject
    );
    assert!(!failure.pictures.is_empty(), "{}", machine.journal());
    assert_eq!(failure.to, ["director@agency.example"]);

    let incidents = machine.run(&alert("incidents"));
    let incident = named(&incidents);
    operator::steer(
        &machine,
        incident.first().unwrap_or_else(|| panic!("{incidents}")),
    );
    let before = upgrade(&machine, &present);
    portal.set_fault(Fault::BadCertificate, Switch::Off);
    let recovery = mail
        .mailbox()
        .wait_for("the mail about the recovery", PATIENCE, |mail| {
            mail.in_reply_to.is_some()
        })
        .await
        .unwrap_or_else(|error| panic!("{error:#}\n{}", machine.journal()));
    assert_eq!(recovery.in_reply_to, failure.message_id);
    assert_eq!(mail.mailbox().mails().unwrap().len(), 2, "one mail each");

    operator::look_back(&machine);
    the_unit_takes_enough_away(&machine);
    go_back(&machine, &earlier, &before);
    remove(&machine, &before);
}

/// Types what the page about installing says, with the values of this test in place of its examples.
fn install(machine: &Machine, influxdb: &InfluxDb, mail: &MailServer, portal: &Portal) {
    let values = [
        ("http://127.0.0.1:8086", influxdb.url().to_owned()),
        ("token-of-influxdb", influxdb::TOKEN.to_owned()),
        ("https://tramites.example", portal.url().to_owned()),
        (
            "server = \"smtp.example\"",
            format!(
                "server = \"{}\"\nport = {}\nca_file = \"/etc/vigia-ca.pem\"",
                mail::HOST,
                mail.port()
            ),
        ),
        (
            "username = \"vigia\"",
            format!("username = \"{}\"", mail::USERNAME),
        ),
        ("password-of-the-mail-server", mail::PASSWORD.to_owned()),
    ];
    let guide = fs::read_to_string(repository::path("docs/install.md")).unwrap();
    for commands in page::commands(&guide, "Debian and Ubuntu packages", &values) {
        machine.run(&commands);
    }
}

/// What an operator has made, and must not lose.
struct Made {
    configuration: String,
    silences: String,
}

/// Asked, the operator keeps the files that they have changed.
const UNASKED: (&str, &str) = (
    "apt-get install",
    "apt-get install -y -o Dpkg::Options::=--force-confold",
);

/// Types what the page about upgrades says, while users suffer and with files that the operator has changed; gives what was there
/// before, which is there afterwards.
fn upgrade(machine: &Machine, present: &[PathBuf]) -> Made {
    machine.run(&alert(
        "silence add --system otro --for 2h --comment 'cambio de disco'",
    ));
    let silences = machine.run(&alert("silence list --json"));
    assert!(silences.contains("cambio de disco"), "{silences}");
    let incidents = machine.run(&alert("incidents"));
    assert!(incidents.contains("tramites.portada"), "{incidents}");
    let configuration = machine.read("etc/vigia/alert.toml");
    machine.write(
        "etc/telegraf/telegraf.d/vigia-probe.conf",
        &format!(
            "# of this agency\n{}",
            machine.read("etc/telegraf/telegraf.d/vigia-probe.conf")
        ),
    );
    let versions = "vigia-probe --version; vigia-alert --version";
    let earlier = machine.run(versions);
    machine.bring(present, "root/present");
    for heading in ["Copies", "Before", "Upgrade"] {
        let commands = page::typed(&upgrade_page(), heading, Prompt::Root, &[UNASKED]);
        machine.run(&format!("cd /root/present\n{commands}"));
    }
    assert_eq!(machine.read("etc/vigia/alert.toml"), configuration);
    assert_eq!(
        machine.run("dpkg-query --show --showformat '${Version} ' vigia-probe vigia-alert"),
        "0.0.2 0.0.2 "
    );
    let version = env!("CARGO_PKG_VERSION");
    let present = machine.run(versions);
    assert_eq!(
        present,
        format!("vigia-probe {version}\nvigia-alert {version}\n")
    );
    // A build of an earlier version says so itself; without one the same programs are upgraded.
    assert_eq!(
        earlier != present,
        env::var_os("EARLIER").is_some(),
        "{earlier}"
    );
    assert!(
        machine
            .read("etc/telegraf/telegraf.d/vigia-probe.conf")
            .starts_with("# of this agency")
    );
    machine.run("systemctl --quiet is-active vigia-alert telegraf");
    assert_eq!(machine.run(&alert("silence list --json")), silences);
    assert_eq!(
        named(&machine.run(&alert("incidents"))),
        named(&incidents),
        "the same incident is open"
    );
    Made {
        configuration,
        silences,
    }
}

fn upgrade_page() -> String {
    fs::read_to_string(repository::path("docs/upgrade.md")).unwrap()
}

fn the_unit_takes_enough_away(machine: &Machine) {
    let exposure = machine.run("systemd-analyze security --no-pager vigia-alert | tail -n 1");
    assert!(
        exposure.contains("OK") || exposure.contains("SAFE"),
        "the unit takes too little away: {exposure}"
    );

    let mistakes = machine
        .run("systemd-analyze verify --man=no vigia-alert.service 2>&1 | grep vigia-alert || true");
    assert_eq!(mistakes, "", "what systemd finds in the unit");
}

/// Types what the page says about the way back to the earlier packages and the copy of the store.
fn go_back(machine: &Machine, earlier: &[PathBuf], made: &Made) {
    let older = earlier
        .iter()
        .filter_map(|package| package.file_name()?.to_str())
        .find(|name| name.starts_with("vigia-alert"))
        .unwrap();
    let back = page::typed(
        &upgrade_page(),
        "The way back",
        Prompt::Root,
        &[
            UNASKED,
            ("./vigia-alert_OLDER.deb", &format!("/root/{older}")),
        ],
    );
    machine.run(&back);
    machine.run("systemctl --quiet is-active vigia-alert");
    assert_eq!(machine.run(&alert("silence list --json")), made.silences);
}

/// Removes the packages, then purges them: the first keeps what the operator has made, the second nothing.
fn remove(machine: &Machine, made: &Made) {
    machine.run("apt-get remove -y vigia-probe vigia-alert");
    assert_eq!(
        machine.run("systemctl is-active vigia-alert || true"),
        "inactive\n"
    );
    assert_eq!(machine.read("etc/vigia/alert.toml"), made.configuration);
    machine.run("rm -r /etc/vigia/journeys; apt-get purge -y vigia-probe vigia-alert");
    let left = machine.run(
        "find / -xdev -path /proc -prune -o -path /root -prune -o -path /srv -prune -o -path /var/log -prune -o -path /var/backups -prune -o -path /tmp -prune -o -name '*vigia*' -print | grep -v -e /etc/vigia-ca.pem -e /var/lib/systemd || true",
    );
    assert_eq!(left, "", "what purging left behind");
}

#[test]
fn the_packages_hold_programs_configuration_and_pages_and_nothing_that_others_may_write() {
    if !requires(&[Program::DpkgShlibdeps]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let built = packages(folder.path(), "0.0.1");
    let [probe, alert] = built.as_slice() else {
        panic!("two packages: {built:?}");
    };
    let expected = [
        (
            probe,
            [
                "/usr/bin/vigia-probe",
                "/usr/share/doc/vigia-probe/docs/install.md",
                "/usr/share/man/man1/vigia-probe-try.1.gz",
                "/usr/share/bash-completion/completions/vigia-probe",
                "/usr/share/zsh/vendor-completions/_vigia-probe",
                "/usr/share/fish/vendor_completions.d/vigia-probe.fish",
            ],
            "/etc/telegraf/telegraf.d/vigia-probe.conf\n/etc/vigia/probe.toml\n",
            "chromium-headless-shell | chromium",
        ),
        (
            alert,
            [
                "/usr/bin/vigia-alert",
                "/lib/systemd/system/vigia-alert.service",
                "/usr/share/man/man1/vigia-alert-backtest.1.gz",
                "/usr/share/bash-completion/completions/vigia-alert",
                "/usr/share/zsh/vendor-completions/_vigia-alert",
                "/usr/share/fish/vendor_completions.d/vigia-alert.fish",
            ],
            "/etc/vigia/alert.toml\n",
            "ca-certificates",
        ),
    ];
    for (package, files, conffiles, depends) in expected {
        let list = dpkg_deb(&["--contents"], package);
        for file in files {
            assert!(
                list.lines().any(|line| line.ends_with(&format!(".{file}"))),
                "no {file} in {list}"
            );
        }
        for line in list.lines().filter(|line| !line.starts_with('l')) {
            assert!(line.contains(" root/root "), "{line}");
            assert_ne!(line.as_bytes()[8], b'w', "others may write: {line}");
        }
        let control = dpkg_deb(&["--ctrl-tarfile"], package);
        assert!(control.contains(conffiles), "{conffiles}");
        let needs = dpkg_deb(&["--field"], package);
        assert!(
            needs.contains(depends) && needs.contains("libc6 (>= "),
            "{needs}"
        );
    }
}

#[test]
#[ignore = "lintian takes most of a minute; make test-packages runs it"]
fn lintian_finds_no_error() {
    if !requires(&[Program::DpkgShlibdeps, Program::Lintian]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let found = Command::new("lintian")
        .args(["--no-cfg", "--allow-root", "--fail-on", "error"])
        // Debian 12's lintian does not know the compression that its dpkg knows.
        .args(["--suppress-tags", "malformed-deb-archive"])
        .args(packages(folder.path(), "0.0.1"))
        .output()
        .unwrap();
    assert!(
        found.status.success(),
        "{}",
        String::from_utf8_lossy(&found.stdout)
    );
}

#[test]
fn the_same_sources_give_packages_of_the_same_bytes() {
    if !requires(&[Program::DpkgShlibdeps]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let once = packages(&folder.path().join("once"), "0.0.1");
    let again = packages(&folder.path().join("again"), "0.0.1");
    for (one, other) in once.iter().zip(&again) {
        assert!(
            fs::read(one).unwrap() == fs::read(other).unwrap(),
            "{}",
            one.display()
        );
    }
}

/// A command of `vigia-alert` as the user that it runs as.
fn alert(arguments: &str) -> String {
    format!("runuser -u vigia-alert -- vigia-alert {arguments}")
}

/// The ids of the incidents in a list that people read, which else says how long each lasts.
fn named(list: &str) -> Vec<&str> {
    list.split_whitespace()
        .filter(|word| word.starts_with("journeys-failed."))
        .collect()
}

fn dpkg_deb(arguments: &[&str], package: &Path) -> String {
    let output = Command::new("dpkg-deb")
        .args(arguments)
        .arg(package)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The packages to upgrade from: those that `make test-packages` built of an earlier version, or else of this one.
fn earlier_packages(output: &Path) -> Vec<PathBuf> {
    let Some(earlier) = env::var_os("EARLIER") else {
        return packages(output, "0.0.1");
    };
    let folder = repository::path("").join(earlier).join("packages");
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect()
}

/// Both packages, made of the programs that this test was built with.
fn packages(output: &Path, version: &str) -> Vec<PathBuf> {
    let binaries = Path::new(env!("CARGO_BIN_EXE_vigia-demo"))
        .parent()
        .unwrap();
    let built = Command::new(repository::path("packaging/deb/build"))
        .args([binaries, output])
        .arg(version)
        .output()
        .unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let printed = String::from_utf8(built.stdout).unwrap();
    printed.lines().map(PathBuf::from).collect()
}
