//! The commands of the other pages, typed on the machine that the page about installing has led to, by the users that they are for.

use std::fs;

use jiff::{Timestamp, Zoned, tz::TimeZone};
use vigia_testbed::{
    portal::{self, Portal},
    repository,
};

use crate::{
    machine::Machine,
    page::{self, Prompt},
};

/// What the pages call the journey of the page about installing, and its system.
const JOURNEY: (&str, &str) = ("tramites/consultar-tramite", "tramites/portada");

fn page(name: &str) -> String {
    fs::read_to_string(repository::path("docs").join(name)).unwrap()
}

/// Types lines as this user, in this folder, which is theirs.
fn as_user(machine: &Machine, user: &str, folder: &str, lines: &str) -> String {
    machine.run(&format!(
        "test -d {folder} || install -d -o {user} {folder}"
    ));
    machine.write("srv/typed.sh", &format!("cd {folder}\n{lines}\n"));
    machine.run(&format!(
        "runuser -u {user} -- bash -euo pipefail /srv/typed.sh"
    ))
}

/// A secret of a journey, as the page about secrets puts it in place: what the other package keeps beside it stays readable.
pub fn give_a_secret(machine: &Machine) {
    machine.run(&page::typed(
        &page("secrets.md"),
        "Where they may be",
        Prompt::Root,
        &[("the password", portal::PASSWORD)],
    ));
    machine.run("runuser -u vigia-alert -- vigia-alert check");
}

/// An example is walked, a mistake is told, the machine is looked at, and Telegraf prints what it would write.
pub fn look_at_the_probe(machine: &Machine, portal: &Portal) {
    machine.run("mkdir /srv/walked && cp -r /usr/share/doc/vigia-probe/examples /srv/walked/");
    let first_journey = page("first-journey.md");
    let typed = page::typed(
        &first_journey,
        "4. Try it",
        Prompt::User,
        &[
            ("...", portal::PASSWORD),
            ("http://127.0.0.1:44095", portal.url()),
        ],
    );
    let walked = as_user(machine, "telegraf", "/srv/walked", &typed);
    assert!(
        walked.contains("Ver detalle") && walked.contains("ok in "),
        "{walked}"
    );

    let configuration = "probe = \"sede\"\njourneys = \"/srv/walked/examples/journeys\"\nsecrets_folder = \"/etc/vigia/secrets/probe\"\n";
    machine.write("srv/checked/probe.toml", configuration);
    let typed = page::typed(&first_journey, "5. Check everything", Prompt::User, &[]);
    let checked = as_user(machine, "telegraf", "/srv/checked", &typed);
    assert!(
        first_journey.contains(&checked),
        "the page does not show\n{checked}"
    );

    let journey = machine.read("srv/walked/examples/journeys/consultar-tramite.toml");
    let mistaken = journey.replace("impact = \"critical\"", "impact = \"urgent\"");
    machine.write("srv/mistaken/journeys/consultar-tramite.toml", &mistaken);
    let configuration = configuration.replace("/srv/walked/examples/journeys", "journeys");
    machine.write("srv/mistaken/probe.toml", &configuration);
    let troubleshooting = page("troubleshooting.md");
    let typed = page::typed(
        &troubleshooting,
        "# When something is wrong",
        Prompt::User,
        &[],
    );
    let told = as_user(
        machine,
        "telegraf",
        "/srv/mistaken",
        &format!("{typed} 2>&1 || test $? = 1"),
    );
    assert!(
        troubleshooting.contains(&told),
        "the page does not show\n{told}"
    );

    let typed = page::typed(
        &first_journey,
        "The first ten minutes",
        Prompt::User,
        &[("sudo -u telegraf ", "")],
    );
    let doctor = typed.lines().find(|line| line.contains(" doctor "));
    let seen = as_user(machine, "telegraf", "/srv/checked", doctor.unwrap());
    assert!(seen.contains(", in its sandbox: started"), "{seen}");

    let typed = page::typed(
        &first_journey,
        "The first ten minutes",
        Prompt::User,
        &[("probe.toml", "/etc/vigia/probe.toml"), A_SHORTER_LOOK],
    );
    let under_telegraf = typed.split_once("export VIGIA_PROBE").unwrap().1;
    let printed = as_user(
        machine,
        "telegraf",
        "/srv/checked",
        &format!("export VIGIA_PROBE{under_telegraf}"),
    );
    assert!(printed.contains("journey,"), "{printed}");

    machine.run("cp /usr/share/doc/vigia-probe/examples/telegraf.d/vigia-servers.conf /etc/telegraf/telegraf.d/");
    for (heading, measurement) in [
        ("3. See it print", "> journey,"),
        ("Servers and services", "systems=tramites"),
    ] {
        let typed = page::typed(
            &page("telegraf.md"),
            heading,
            Prompt::User,
            &[A_SHORTER_LOOK],
        );
        let printed = as_user(machine, "telegraf", "/srv/checked", &typed);
        assert!(printed.contains(measurement), "{printed}");
    }
    machine.run("rm /etc/telegraf/telegraf.d/vigia-servers.conf");
}

/// The journey of this machine runs more often than once a minute.
const A_SHORTER_LOOK: (&str, &str) = ("--test-wait 60", "--test-wait 15");

/// What people do about an incident that is open, and ask about it.
pub fn steer(machine: &Machine, incident: &str) {
    let steering = page("steering.md");
    let now = Zoned::new(
        Timestamp::now(),
        TimeZone::get("America/Montevideo").unwrap(),
    );
    let now = now.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    let values = [(
        "journeys-failed.tramites.consultar-tramite.sede.1795860000000000000",
        incident.to_owned(),
    )];
    let typed = page::commands(&steering, "Acknowledge and silence", &values).join("\n");
    let answered = as_user(machine, "vigia-alert", "/srv/steering", &typed);
    for part in ["taken care of: ", "cambio de disco", "the silence is over"] {
        assert!(answered.contains(part), "{part} is not in {answered}");
    }
    let values = [
        values[0].clone(),
        (JOURNEY.0, JOURNEY.1.to_owned()),
        ("2026-11-28T10:02:00-03:00", now),
    ];
    let typed = page::commands(&steering, "Why was this sent", &values).join("\n");
    let explained = as_user(machine, "vigia-alert", "/srv/steering", &typed);
    assert!(explained.contains("told through `mail`"), "{explained}");
}

/// What is asked about the past, and looked up in the store.
pub fn look_back(machine: &Machine) {
    machine.run("install -d -o vigia-alert /srv/steering && cp /etc/vigia/alert.toml /srv/steering/quieter.toml && chown vigia-alert /srv/steering/quieter.toml");
    let typed = page::commands(&page("steering.md"), "What would other rules", &[]).join("\n");
    let tried = as_user(machine, "vigia-alert", "/srv/steering", &typed);
    assert!(tried.contains("mail"), "{tried}");

    let store = page::commands(&page("store.md"), "The file", &[]).join("\n");
    let looked = as_user(machine, "vigia-alert", "/var/lib/vigia-alert", &store);
    assert!(looked.contains("accepted|"), "{looked}");
    machine.run("rm /var/lib/vigia-alert/vigia-alert-backup.db");

    let month = Timestamp::now().strftime("%Y-%m").to_string();
    let configuration = ("alert.toml", "/etc/vigia/alert.toml");
    let typed = page::typed(
        &page("reports.md"),
        "Make one",
        Prompt::User,
        &[configuration, ("2026-10", &month)],
    );
    let made = as_user(
        machine,
        "vigia-alert",
        "/srv/reports",
        &format!("{typed} && ls reports"),
    );
    assert!(made.contains(&format!("vigia-{month}.pdf")), "{made}");

    let typed = page::typed(
        &page("channels.md"),
        "# Channels",
        Prompt::User,
        &[configuration, ("test chat", "test mail")],
    );
    let sent = as_user(
        machine,
        "vigia-alert",
        "/srv/steering",
        &format!("{typed} 2>&1"),
    );
    assert!(sent.contains("opened: accepted"), "{sent}");
}
