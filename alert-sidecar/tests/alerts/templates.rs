//! The operator's own templates: checked before they are needed, and stood in for where one fails all the same.

use std::{fs, path::Path, process::Command};

use vigia_alert::{
    render::{Illustration, Language, Layout, Markup, Room, Templates},
    store::outbox::Kind,
};

use super::messages::{delivery, render_with};

fn check(folder: &Path) -> (Option<i32>, String) {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/alert/alert.toml");
    let sample = fs::read_to_string(sample).unwrap();
    let config = format!("templates = \"templates\"\n{sample}");
    fs::write(folder.join("alert.toml"), config).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_vigia-alert"))
        .current_dir(folder)
        .args(["check", "--config", "alert.toml"])
        .env("INFLUX_TOKEN", "a-token")
        .env("SMTP_PASSWORD", "a-password")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), said)
}

#[test]
fn a_template_is_tried_with_every_kind_of_message_before_it_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = check(folder.path());
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("alert.toml:1:13: the templates in `templates` cannot be read"),
        "{said}"
    );

    let templates = folder.path().join("templates");
    fs::create_dir(&templates).unwrap();
    fs::write(
        templates.join("message.slack"),
        "{{ badge }}\n{{ hedline }}\n",
    )
    .unwrap();
    fs::write(templates.join("message.telegram"), "{% if %}").unwrap();
    fs::write(templates.join("message.slak"), "").unwrap();
    // Only where several fail together.
    fs::write(
        templates.join("message.txt"),
        "{% if others %}{{ others[7].name.x }}{% endif %}",
    )
    .unwrap();
    let (code, said) = check(folder.path());
    assert_eq!(code, Some(3), "{said}");
    for what in [
        "templates/message.slack:2:1: the template fails: undefined value",
        "templates/message.telegram:1:1: the template fails: syntax error",
        "templates/message.txt:1:1: the template fails: undefined value",
        "no message has a template `message.slak`",
    ] {
        assert!(said.contains(what), "{what} in {said}");
    }

    fs::remove_dir_all(&templates).unwrap();
    fs::create_dir(&templates).unwrap();
    fs::write(
        templates.join("message.slack"),
        "{{ symbol }} {{ headline }}",
    )
    .unwrap();
    let (code, said) = check(folder.path());
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn what_a_template_cannot_say_is_said_by_the_shipped_one() {
    let layout = Layout {
        markup: Markup::Slack,
        room: Room::Letters(700),
        illustration: Illustration::Later,
        is_one_thread: true,
    };
    let marked = |template: &str| {
        let own = Templates::from([(Markup::Slack.template(), template.to_owned())]);
        render_with(Language::Spanish, own, &delivery(Kind::Opened), layout).marked
    };
    assert_eq!(
        marked("{{ headline }}!"),
        "No se puede usar «Consultar un trámite»!"
    );
    for failing in ["{{ details[99].x }}", &"largo ".repeat(200)] {
        let marked = marked(failing);
        assert!(marked.contains("No se puede usar"), "{marked}");
        assert!(!marked.contains("largo"), "{marked}");
    }
}
