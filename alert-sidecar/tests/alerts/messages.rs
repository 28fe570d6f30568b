//! What people read, word for word.

use jiff::{Timestamp, tz::TimeZone};
use vigia_alert::{
    flux::{Series, Trouble, observation::Failure},
    incident::{End, Form, Incident},
    render::{Illustration, Language, Layout, Markup, Message, Renderer, Room, Style, Templates},
    store::{
        conversations::Conversation,
        outbox::{Delivery, Kind},
    },
};
use vigia_contract::data_model::{ErrorClass, Impact};

pub fn delivery(kind: Kind) -> Delivery {
    let end = End {
        at: at("2026-11-22T13:36:17Z"),
        run_id: "r9".into(),
    };
    Delivery {
        id: format!("d-{}", kind.name()),
        conversation: Conversation {
            id: "i/mail".into(),
            incidents: vec![Incident {
                id: "i".into(),
                rule: "journeys-failed".into(),
                series: Series {
                    system: "tramites".into(),
                    journey: "consultar-tramite".into(),
                    probe: "sede-central".into(),
                },
                impact: Impact::Critical,
                started_at: at("2026-11-22T13:32:05Z"),
                run_id: "01KAPZ".into(),
                failure: Failure {
                    step: Some("Ingresar".into()),
                    class: Some("element_missing".into()),
                    error: Some("the text `Bienvenido` did not appear within 5 s".into()),
                    url: Some("https://tramites.example/ingreso?volver=%2F".into()),
                    http_status: Some(200),
                    artifact: None,
                },
                form: Form::Failing,
                end: (kind != Kind::Opened).then_some(end),
            }],
        },
        channel: "mail".into(),
        recipient: "director@agency.example".into(),
        kind,
        attempt: 1,
        is_repeat: false,
        thread: None,
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn render(language: Language, delivery: &Delivery, illustration: Illustration) -> Message {
    let layout = Layout {
        markup: Markup::Html,
        room: Room::Unlimited,
        illustration,
        is_one_thread: true,
    };
    render_as(language, delivery, layout)
}

pub fn render_as(language: Language, delivery: &Delivery, layout: Layout) -> Message {
    render_with(language, Templates::new(), delivery, layout)
}

pub fn render_with(
    language: Language,
    templates: Templates,
    delivery: &Delivery,
    layout: Layout,
) -> Message {
    let renderer = Renderer::new(Style {
        templates,
        ..style(language)
    });
    renderer
        .unwrap()
        .render(delivery, layout, at("2026-11-22T13:37:00Z"))
        .unwrap()
}

/// As the operator of the examples wants messages.
pub fn style(language: Language) -> Style {
    Style {
        language,
        time_zone: TimeZone::get("America/Montevideo").unwrap(),
        names: [
            ("tramites", "Trámites"),
            ("consultar-tramite", "Consultar un trámite"),
        ]
        .map(|(name, shown)| (name.to_owned(), shown.to_owned()))
        .into(),
        templates: Templates::new(),
        dashboard: Some("https://grafana.example/d/vigia?var-system={{ system }}".into()),
        page: None,
        signer: None,
    }
}

fn shown(language: Language, kind: Kind) -> String {
    let message = render(language, &delivery(kind), Illustration::Pictures(1));
    format!("{}\n\n{}", message.subject, message.text)
}

#[test]
fn the_beginning_in_spanish() {
    insta::assert_snapshot!(shown(Language::Spanish, Kind::Opened));
}

#[test]
fn the_end_in_spanish() {
    insta::assert_snapshot!(shown(Language::Spanish, Kind::Closed));
}

#[test]
fn the_whole_in_spanish() {
    insta::assert_snapshot!(shown(Language::Spanish, Kind::Whole));
}

#[test]
fn the_beginning_in_english() {
    insta::assert_snapshot!(shown(Language::English, Kind::Opened));
}

#[test]
fn the_end_in_english() {
    insta::assert_snapshot!(shown(Language::English, Kind::Closed));
}

#[test]
fn the_page_in_html() {
    insta::assert_snapshot!(
        render(
            Language::Spanish,
            &delivery(Kind::Opened),
            Illustration::Pictures(1)
        )
        .marked
    );
}

#[test]
fn a_message_without_a_picture_says_so_and_a_repeat_too() {
    let mut repeated = delivery(Kind::Opened);
    repeated.is_repeat = true;
    let message = render(Language::Spanish, &repeated, Illustration::None);
    for body in [&message.text, &message.marked] {
        assert!(body.contains("Sin captura de la página."), "{body}");
        assert!(
            body.contains("Este mensaje puede llegar dos veces"),
            "{body}"
        );
        assert!(!body.contains("cid:"), "{body}");
    }
}

#[test]
fn the_whole_does_not_claim_to_be_the_first_where_the_beginning_may_have_arrived() {
    let mut repeated = delivery(Kind::Whole);
    let first = render(Language::Spanish, &repeated, Illustration::Pictures(1));
    repeated.is_repeat = true;
    let second = render(Language::Spanish, &repeated, Illustration::Pictures(1));
    for (message, is_claimed) in [(first, true), (second, false)] {
        assert_eq!(
            message.text.contains("se avisa recién ahora"),
            is_claimed,
            "{}",
            message.text
        );
    }
}

/// The first 80 characters alone say which system, what is broken and since when.
#[test]
fn a_subject_stands_alone_on_a_locked_phone() {
    for (language, expected) in [
        (
            Language::Spanish,
            "CRÍTICO Trámites: no se puede usar «Consultar un trámite» desde las 10:32",
        ),
        (
            Language::English,
            "CRITICAL Trámites: “Consultar un trámite” not working since 10:32",
        ),
    ] {
        let subject = render(language, &delivery(Kind::Opened), Illustration::Pictures(1)).subject;
        let preview: String = subject.chars().take(80).collect();
        assert!(preview.contains(expected), "{preview}");
    }
}

#[test]
fn what_a_page_says_is_never_markup() {
    let mut hostile = delivery(Kind::Opened);
    hostile.conversation.incidents[0].series.system = "<b>s</b>".into();
    hostile.conversation.incidents[0].failure.step =
        Some("<img src=x>\r\nBcc: all@agency.example".into());
    hostile.conversation.incidents[0].failure.error =
        Some("`<script>alert(1)</script>` {{ 7 * 7 }}".into());
    hostile.conversation.incidents[0].failure.url =
        Some("javascript:alert(1)\"><a href='x'>".into());

    let message = render(Language::Spanish, &hostile, Illustration::Pictures(1));

    for markup in ["<b>s", "<img src=x", "<script", "<a href='x'", "49"] {
        assert!(
            !message.marked.contains(markup),
            "{markup} in {}",
            message.marked
        );
    }
    assert!(
        message.marked.contains("&lt;script&gt;"),
        "{}",
        message.marked
    );
    assert!(
        !message.subject.contains(['\r', '\n']),
        "{}",
        message.subject
    );
}

#[test]
fn every_class_of_error_has_its_words_in_both_languages() {
    use ErrorClass::{
        Assertion, Connect, Crash, Dialog, Dns, Download, ElementMissing, HttpStatus,
        NotActionable, Script, Timeout, Tls,
    };
    for language in [Language::Spanish, Language::English] {
        let mut unknown = delivery(Kind::Opened);
        unknown.conversation.incidents[0].failure.class = Some("of a later version".into());
        let other = render(language, &unknown, Illustration::Pictures(1)).subject;
        for class in [
            Dns,
            Connect,
            Tls,
            HttpStatus,
            Timeout,
            ElementMissing,
            NotActionable,
            Assertion,
            Script,
            Dialog,
            Download,
            Crash,
        ] {
            let mut known = delivery(Kind::Opened);
            known.conversation.incidents[0].failure.class = Some(class.name().into());
            assert_ne!(
                render(language, &known, Illustration::Pictures(1)).subject,
                other,
                "{class:?}"
            );
        }
    }
}

/// What is told of a kind of trouble, from its beginning to its end, in few words.
fn story(language: Language, of: &impl Fn(&mut Incident)) -> String {
    let [beginning, end] = [Kind::Opened, Kind::Closed].map(|kind| {
        let mut delivery = delivery(kind);
        of(&mut delivery.conversation.incidents[0]);
        render(language, &delivery, Illustration::None)
    });
    format!(
        "{}\n{}\n--\n{}",
        beginning.subject, beginning.text, end.text
    )
}

#[test]
fn every_kind_of_trouble_has_a_story_of_its_own() {
    for (code, language) in [("es", Language::Spanish), ("en", Language::English)] {
        let mut stories: Vec<String> = Vec::new();
        for trouble in Trouble::ALL {
            let of = |incident: &mut Incident| {
                incident.failure = Failure {
                    class: Some(trouble.name().into()),
                    error: Some("what the rule says".into()),
                    ..Failure::default()
                };
                if !trouble.is_about_a_journey() {
                    incident.series = Series {
                        system: "web-01".into(),
                        journey: "/var".into(),
                        probe: "web-01".into(),
                    };
                }
            };
            stories.push(format!(
                "=== {} ===\n{}\n",
                trouble.name(),
                story(language, &of)
            ));
        }
        for form in [
            Form::Flapping,
            Form::Local(vec!["sucursal".into(), "nube".into()]),
        ] {
            let of = |incident: &mut Incident| incident.form = form.clone();
            stories.push(format!("=== {form:?} ===\n{}\n", story(language, &of)));
        }
        insta::assert_snapshot!(format!("stories_{code}"), stories.concat());
    }
}

/// For every kind of message and of trouble, what a locked phone shows says which system, what is broken and since when.
#[test]
fn the_first_characters_of_every_message_stand_alone() {
    for language in [Language::Spanish, Language::English] {
        // What follows has a word before it.
        for (kind, most) in [
            (Kind::Opened, 80),
            (Kind::Updated, 93),
            (Kind::Reminder, 93),
            (Kind::Escalated, 93),
        ] {
            for trouble in [None].into_iter().chain(Trouble::ALL.map(Some)) {
                let mut delivery = delivery(kind);
                let incident = &mut delivery.conversation.incidents[0];
                incident.end = None;
                if let Some(trouble) = trouble {
                    incident.failure.class = Some(trouble.name().into());
                }
                let subject = render(language, &delivery, Illustration::None).subject;
                let preview: String = subject.chars().take(most).collect();
                assert!(preview.contains("10:32"), "{kind:?} {trouble:?}: {preview}");
                assert!(
                    preview.contains("Trámites"),
                    "{kind:?} {trouble:?}: {preview}"
                );
            }
        }
    }
}

#[test]
fn several_incidents_are_one_message_that_lists_them() {
    let mut delivery = delivery(Kind::Updated);
    let lead = &mut delivery.conversation.incidents[0];
    lead.end = None;
    let mut other = lead.clone();
    other.series.system = "expedientes".into();
    other.series.journey = "ver-expediente".into();
    let mut over = other.clone();
    over.series.system = "licencias".into();
    over.end = Some(End {
        at: at("2026-11-22T13:36:17Z"),
        run_id: "r9".into(),
    });
    delivery.conversation.incidents.extend([other, over]);
    let message = render(Language::Spanish, &delivery, Illustration::None);
    assert!(
        message.subject.starts_with(
            "Cambio: CRÍTICO Trámites y 2 más: no se puede usar «Consultar un trámite»"
        ),
        "{}",
        message.subject
    );
    for line in [
        "CRÍTICO Expedientes: no se puede usar «Ver expediente» desde las 10:32",
        "Restablecido tras 4 min 12 s: CRÍTICO Licencias: no se puede usar",
    ] {
        assert!(message.text.contains(line), "{line} in {}", message.text);
    }

    delivery.kind = Kind::Digest;
    let digest = render(Language::English, &delivery, Illustration::None);
    assert_eq!(digest.subject, "DIGEST of Vigía: 3 incidents of low impact");
    assert!(
        digest.text.contains("Working again after 4 min 12 s"),
        "{}",
        digest.text
    );
    assert!(digest.marked.len() < 100_000);
}
