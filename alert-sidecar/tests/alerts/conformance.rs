//! One table of cases that every channel must pass, against a server that speaks its service's protocol.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use jiff::Timestamp;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::task::JoinSet;
use vigia_alert::{
    config,
    deliver::{Attempt, Channel, Outgoing, Pictures, Receipt},
    flux::picture::{Format, Picture},
    render::{Illustration, Language, Message, Renderer, Style, link::Signer},
    store::outbox::{Delivery, Kind},
};
use vigia_contract::data_model::Impact;
use vigia_testbed::{
    repository,
    servers::{Program, requires, requires_file},
    tls::Authority,
};

use crate::{
    messages::{delivery, render_as, style},
    services::{
        self, Fault, Post, Proxy, Refusal, Service, discord, google_chat, matrix, mattermost, ntfy,
        pagerduty, picture, rocketchat, slack, teams, telegram, webhook, zulip,
    },
};

/// One channel and its service.
pub struct Row {
    pub name: &'static str,
    service: services::Kind,
    /// The value of the channel's key, where the service has this address.
    pub settings: fn(&str) -> String,
    /// Whom it tells.
    recipient: &'static str,
    pub secrets: &'static [(&'static str, &'static str)],
    /// Where what follows goes.
    threads: Threads,
    /// For how many milliseconds it is left alone when the service asks for seven seconds, or a little less where it says so.
    rest_ms: Option<u64>,
}

/// Where what follows goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Threads {
    /// Under the first message, which the channel remembers.
    Under,
    /// Where the service puts what has the same name.
    Named,
    /// Beside the first message.
    Beside,
}

const ROWS: [Row; 15] = [
    Row {
        name: "slack",
        service: services::Kind::Slack,
        settings: |address| {
            let to = slack::CHANNEL;
            format!(r#"{{ token = "${{secret:TOKEN}}", to = ["{to}"], api = "{address}/api" }}"#)
        },
        recipient: slack::CHANNEL,
        secrets: &[("TOKEN", slack::TOKEN)],
        threads: Threads::Under,
        rest_ms: Some(7000),
    },
    Row {
        name: "slack_webhook",
        service: services::Kind::Slack,
        settings: |address| format!(r#"{{ url = "{address}${{secret:PATH_OF_HOOK}}" }}"#),
        recipient: "slack_webhook",
        secrets: &[("PATH_OF_HOOK", slack::WEBHOOK)],
        threads: Threads::Beside,
        rest_ms: Some(7000),
    },
    Row {
        name: "telegram",
        service: services::Kind::Telegram,
        settings: |address| {
            let to = telegram::CHAT;
            format!(r#"{{ token = "${{secret:TOKEN}}", to = ["{to}"], api = "{address}" }}"#)
        },
        recipient: "-100123456789",
        secrets: &[("TOKEN", telegram::TOKEN)],
        threads: Threads::Under,
        rest_ms: Some(7000),
    },
    Row {
        name: "teams",
        service: services::Kind::Teams,
        settings: |address| format!(r#"{{ url = "{address}${{secret:PATH_OF_HOOK}}" }}"#),
        recipient: "teams",
        secrets: &[("PATH_OF_HOOK", teams::WEBHOOK)],
        threads: Threads::Beside,
        rest_ms: Some(7000),
    },
    Row {
        name: "discord",
        service: services::Kind::Discord,
        settings: |address| format!(r#"{{ url = "{address}${{secret:PATH_OF_HOOK}}" }}"#),
        recipient: "discord",
        secrets: &[("PATH_OF_HOOK", discord::WEBHOOK)],
        threads: Threads::Beside,
        rest_ms: Some(6650),
    },
    Row {
        name: "discord",
        service: services::Kind::Discord,
        settings: |address| {
            format!(r#"{{ url = "{address}${{secret:PATH_OF_HOOK}}", forum = true }}"#)
        },
        recipient: "discord",
        secrets: &[("PATH_OF_HOOK", discord::WEBHOOK)],
        threads: Threads::Under,
        rest_ms: Some(6650),
    },
    Row {
        name: "pagerduty",
        service: services::Kind::PagerDuty,
        settings: |address| {
            format!(r#"{{ routing_key = "${{secret:ROUTING_KEY}}", api = "{address}" }}"#)
        },
        recipient: "pagerduty",
        secrets: &[("ROUTING_KEY", pagerduty::ROUTING_KEY)],
        threads: Threads::Named,
        // It does not say how long.
        rest_ms: Some(60000),
    },
    Row {
        name: "ntfy",
        service: services::Kind::Ntfy,
        settings: |address| {
            let to = ntfy::TOPIC;
            format!(r#"{{ token = "${{secret:TOKEN}}", to = ["{to}"], server = "{address}" }}"#)
        },
        recipient: ntfy::TOPIC,
        secrets: &[("TOKEN", ntfy::TOKEN)],
        threads: Threads::Beside,
        rest_ms: None,
    },
    Row {
        name: "mattermost",
        service: services::Kind::Mattermost,
        settings: |address| {
            let to = mattermost::CHANNEL;
            format!(r#"{{ token = "${{secret:TOKEN}}", to = ["{to}"], server = "{address}" }}"#)
        },
        recipient: mattermost::CHANNEL,
        secrets: &[("TOKEN", mattermost::TOKEN)],
        threads: Threads::Under,
        rest_ms: Some(7000),
    },
    Row {
        name: "mattermost_webhook",
        service: services::Kind::Mattermost,
        settings: |address| format!(r#"{{ url = "{address}${{secret:PATH_OF_HOOK}}" }}"#),
        recipient: "mattermost_webhook",
        secrets: &[("PATH_OF_HOOK", mattermost::WEBHOOK)],
        threads: Threads::Beside,
        rest_ms: Some(7000),
    },
    Row {
        name: "rocketchat",
        service: services::Kind::RocketChat,
        settings: |address| {
            let (to, user) = (rocketchat::ROOM, rocketchat::USER);
            format!(
                r#"{{ user = "{user}", token = "${{secret:TOKEN}}", to = ["{to}"], server = "{address}" }}"#
            )
        },
        recipient: rocketchat::ROOM,
        secrets: &[("TOKEN", rocketchat::TOKEN)],
        threads: Threads::Under,
        rest_ms: Some(7000),
    },
    Row {
        name: "matrix",
        service: services::Kind::Matrix,
        settings: |address| {
            let to = matrix::ROOM;
            format!(r#"{{ token = "${{secret:TOKEN}}", to = ["{to}"], server = "{address}" }}"#)
        },
        recipient: matrix::ROOM,
        secrets: &[("TOKEN", matrix::TOKEN)],
        threads: Threads::Under,
        rest_ms: Some(7000),
    },
    Row {
        name: "google_chat",
        service: services::Kind::GoogleChat,
        settings: |address| format!(r#"{{ url = "{address}${{secret:PATH_OF_HOOK}}" }}"#),
        recipient: "google_chat",
        secrets: &[("PATH_OF_HOOK", google_chat::WEBHOOK)],
        threads: Threads::Under,
        rest_ms: None,
    },
    Row {
        name: "zulip",
        service: services::Kind::Zulip,
        settings: |address| {
            let (bot, to) = (zulip::BOT, zulip::CHANNEL);
            format!(
                r#"{{ bot = "{bot}", key = "${{secret:KEY}}", to = ["{to}"], server = "{address}" }}"#
            )
        },
        recipient: zulip::CHANNEL,
        secrets: &[("KEY", zulip::KEY)],
        threads: Threads::Under,
        rest_ms: Some(6750),
    },
    Row {
        name: "webhook",
        service: services::Kind::Webhook,
        settings: |address| {
            let path = webhook::PATH;
            format!(
                r#"{{ url = "{address}{path}", signing_secret = "${{secret:SIGNING}}", authorization = "Bearer ${{secret:TOKEN}}", picture = true }}"#
            )
        },
        recipient: "webhook",
        secrets: &[("SIGNING", webhook::SECRET), ("TOKEN", "anything-at-all")],
        threads: Threads::Named,
        rest_ms: Some(7000),
    },
];

/// A channel beside its service.
struct Pair {
    row: &'static Row,
    service: Service,
    channel: Channel,
    _folder: TempDir,
}

impl Pair {
    async fn new(row: &'static Row) -> Self {
        let service = Service::start(row.service).await;
        Self::with(row, service, "")
    }

    /// A channel with these lines more.
    fn with(row: &'static Row, service: Service, lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let channel = channel(row, &service.address, lines, &folder);
        Self {
            row,
            service,
            channel,
            _folder: folder,
        }
    }

    fn message(&self, delivery: &Delivery) -> Message {
        let abilities = self.channel.abilities();
        let layout = abilities.layout(Illustration::Later);
        render_as(Language::Spanish, delivery, layout)
    }

    async fn send(&self, delivery: &Delivery) -> Attempt {
        self.send_with(delivery, &[]).await
    }

    async fn send_with(&self, delivery: &Delivery, pictures: &[Picture]) -> Attempt {
        let message = self.message(delivery);
        let outgoing = self.outgoing(delivery, &message, pictures);
        self.channel.send(&outgoing).await
    }

    async fn illustrate(
        &self,
        delivery: &Delivery,
        receipt: &Receipt,
        pictures: &[Picture],
    ) -> Attempt {
        let message = self.message(delivery);
        let outgoing = self.outgoing(delivery, &message, pictures);
        self.channel.illustrate(&outgoing, receipt).await
    }

    fn outgoing<'a>(
        &self,
        delivery: &'a Delivery,
        message: &'a Message,
        pictures: &'a [Picture],
    ) -> Outgoing<'a> {
        Outgoing {
            id: &delivery.id,
            conversation: "tramites.consultar-tramite",
            kind: delivery.kind,
            is_repeat: delivery.is_repeat,
            recipient: self.row.recipient,
            impact: delivery.conversation.lead().impact,
            message,
            pictures,
            thread: delivery.thread.as_deref(),
        }
    }

    /// No secret is in what is told.
    fn check(&self, attempt: &Attempt) {
        let told = format!("{attempt:?}");
        for (_, secret) in self.row.secrets {
            assert!(!told.contains(secret), "{}: {told}", self.row.name);
        }
        assert!(!told.contains("localhost"), "{}: {told}", self.row.name);
    }
}

/// The channel as the operator configures it.
fn channel(row: &Row, address: &str, lines: &str, folder: &TempDir) -> Channel {
    let settings = (row.settings)(address);
    let lines = format!("{lines}\n{} = {settings}", row.name);
    let channel = configured(&lines, row.secrets, folder);
    assert_eq!(channel.recipients(), [row.recipient]);
    channel
}

/// The channel that these lines make.
pub fn configured(lines: &str, secrets: &[(&str, &str)], folder: &TempDir) -> Channel {
    vigia_testbed::http::name_cryptography();
    for (name, secret) in secrets.iter().chain(&[("INFLUX", "t")]) {
        let path = folder.path().join(name);
        fs::write(&path, secret).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let text = format!(
        r#"time_zone = "America/Montevideo"
secrets_folder = "."
[influxdb]
url = "http://127.0.0.1:1"
organization = "o"
bucket = "b"
token = "${{secret:INFLUX}}"
[store]
path = "store.db"
[[channel]]
name = "channel"
{lines}
[[route]]
channels = ["channel"]
"#
    );
    let path = folder.path().join("alert.toml");
    fs::write(&path, text).unwrap();
    let mut config = config::read(&path).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    config.channels.remove("channel").unwrap().channel
}

pub fn accepted(attempt: Attempt) -> Receipt {
    match attempt {
        Attempt::Accepted(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

pub fn page() -> Picture {
    Picture {
        format: Format::Png,
        bytes: picture(40, 30),
        name: "consultar-tramite".into(),
    }
}

/// The first row of this service.
pub fn row(service: services::Kind) -> &'static Row {
    ROWS.iter().find(|row| row.service == service).unwrap()
}

/// What is posted of this to the service, with links, and with pictures by their addresses.
pub async fn posted(service: services::Kind, delivery: &Delivery, pictures: usize) -> Json {
    let pair = Pair::new(row(service)).await;
    let message = with_links(&pair, delivery, pictures);
    let outgoing = pair.outgoing(delivery, &message, &[]);
    accepted(pair.channel.send(&outgoing).await);
    pair.service.bodies().remove(0)
}

/// What people read, without what takes no room.
fn read(post: &Post) -> String {
    post.text.replace('\u{200B}', "")
}

#[tokio::test]
async fn a_message_is_read_as_it_was_meant() {
    for row in &ROWS {
        let pair = Pair::new(row).await;
        accepted(pair.send(&delivery(Kind::Opened)).await);
        let posts = pair.service.posts();
        let text = read(&posts[0]);
        for part in [
            "CRÍTICO",
            "Trámites",
            "No se puede usar «Consultar un trámite»",
            "Desde hoy a las 10:32",
            "en la página falta «Bienvenido»",
            "sede-central",
        ] {
            assert!(text.contains(part), "{}: {part} in {text}", row.name);
        }
        assert_eq!(posts[0].mentions, [""; 0], "{}", row.name);
    }
}

#[tokio::test]
async fn what_follows_goes_under_the_first_message() {
    for row in &ROWS {
        let pair = Pair::new(row).await;
        let receipt = accepted(pair.send(&delivery(Kind::Opened)).await);
        let is_remembered = row.threads == Threads::Under;
        assert_eq!(receipt.thread.is_some(), is_remembered, "{}", row.name);
        let mut end = delivery(Kind::Closed);
        // Another message, and no repeat of the first.
        end.id = "e".into();
        end.thread = receipt.thread;
        accepted(pair.send(&end).await);
        let posts = pair.service.posts();
        let expected = match row.threads {
            Threads::Under => Some(posts[0].id.clone()),
            Threads::Named => posts[0].thread.clone().or(Some(posts[0].id.clone())),
            Threads::Beside => None,
        };
        assert_eq!(posts[1].thread, expected, "{}", row.name);
        let text = read(&posts[1]);
        assert!(text.contains("RESTABLECIDO"), "{}: {text}", row.name);
        assert!(text.contains("Duró 4 min 12 s"), "{}: {text}", row.name);
    }
}

/// What is told while an incident lasts, in the order in which it may be told.
#[tokio::test]
async fn what_is_told_in_between_goes_where_its_conversation_is() {
    for row in &ROWS {
        let pair = Pair::new(row).await;
        let receipt = accepted(pair.send(&delivery(Kind::Opened)).await);
        let first = pair.service.posts()[0].clone();
        for (kind, said) in [
            (Kind::Updated, "«Pagar una tasa»"),
            (Kind::Reminder, "nadie respondió que se ocupa"),
            (
                Kind::Escalated,
                "quienes fueron avisados antes no respondieron",
            ),
        ] {
            let mut next = delivery(kind);
            // Another message, and no repeat of the first.
            kind.name().clone_into(&mut next.id);
            next.thread.clone_from(&receipt.thread);
            let incidents = &mut next.conversation.incidents;
            incidents[0].end = None;
            let mut second = incidents[0].clone();
            second.series.journey = "Pagar una tasa".into();
            incidents.push(second);
            accepted(pair.send(&next).await);
            let posts = pair.service.posts();
            // An alert of PagerDuty is changed; elsewhere each is seen by itself.
            let post = match row.service {
                services::Kind::PagerDuty => &posts[0],
                _ => posts.last().unwrap(),
            };
            let text = read(post);
            for part in ["CRÍTICO", "y 1 más", "Desde hoy a las 10:32", said] {
                assert!(text.contains(part), "{}: {part} in {text}", row.name);
            }
            let expected = match row.threads {
                Threads::Under => Some(&first.id),
                Threads::Named => Some(first.thread.as_ref().unwrap_or(&first.id)),
                Threads::Beside => None,
            };
            assert_eq!(post.thread.as_ref(), expected, "{}: {kind:?}", row.name);
            assert_eq!(post.mentions, [""; 0], "{}", row.name);
            let ends_here = text.contains("en esta misma conversación");
            assert_eq!(
                ends_here,
                row.threads != Threads::Beside,
                "{}: {text}",
                row.name
            );
        }
        let before = pair.service.posts().len();
        let expected = if row.service == services::Kind::PagerDuty {
            1
        } else {
            4
        };
        assert_eq!(before, expected, "{}", row.name);
    }
}

#[tokio::test]
async fn a_digest_is_read_by_itself_and_asks_for_nothing() {
    for row in &ROWS {
        let pair = Pair::new(row).await;
        accepted(pair.send(&delivery(Kind::Opened)).await);
        let mut digest = delivery(Kind::Digest);
        let incidents = &mut digest.conversation.incidents;
        incidents[0].impact = Impact::Low;
        let mut open = incidents[0].clone();
        open.series.journey = "Pagar una tasa".into();
        open.end = None;
        incidents.push(open);
        let message = pair.message(&digest);
        let outgoing = Outgoing {
            conversation: "digest",
            ..pair.outgoing(&digest, &message, &[])
        };
        accepted(pair.channel.send(&outgoing).await);
        let posts = pair.service.posts();
        let text = read(&posts[1]);
        for part in [
            "RESUMEN",
            "2 incidentes de impacto bajo",
            "Consultar un trámite",
            "«Pagar una tasa»",
            "Restablecido tras 4 min 12 s",
        ] {
            assert!(text.contains(part), "{}: {part} in {text}", row.name);
        }
        assert_ne!(posts[1].thread, Some(posts[0].id.clone()), "{}", row.name);
        assert_eq!(posts[1].mentions, [""; 0], "{}", row.name);
        if row.service == services::Kind::PagerDuty {
            assert_eq!(posts[1].place, "resolved");
        }
    }
}

#[tokio::test]
async fn the_picture_is_seen_with_its_message() {
    for row in &ROWS {
        let pair = Pair::new(row).await;
        let opened = delivery(Kind::Opened);
        let seen = match pair.channel.abilities().pictures {
            Pictures::Linked | Pictures::Never => continue,
            Pictures::Inside => {
                accepted(pair.send_with(&opened, &[page()]).await);
                pair.service.posts()[0].clone()
            }
            Pictures::After => {
                let receipt = accepted(pair.send(&opened).await);
                assert_eq!(pair.service.posts()[0].pictures, [], "{}", row.name);
                accepted(pair.illustrate(&opened, &receipt, &[page()]).await);
                let posts = pair.service.posts();
                posts
                    .into_iter()
                    .find(|post| !post.pictures.is_empty())
                    .unwrap()
            }
        };
        assert_eq!(seen.pictures[0].bytes, page().bytes, "{}", row.name);
        let is_with_it = row.threads == Threads::Beside
            || seen.id == pair.service.posts()[0].id
            || seen.thread.as_ref() == Some(&pair.service.posts()[0].id);
        assert!(is_with_it, "{}: {seen:?}", row.name);
    }
}

/// With the pictures where our page shows them.
fn with_links(pair: &Pair, delivery: &Delivery, count: usize) -> Message {
    let lasts = Duration::from_hours(1);
    let signer = Signer::new("https://vigia.example", &"a key".into(), lasts);
    let renderer = Renderer::new(Style {
        signer: Some(signer),
        ..style(Language::Spanish)
    });
    let abilities = pair.channel.abilities();
    let layout = abilities.layout(Illustration::Linked(count));
    let renderer = renderer.unwrap();
    assert!(renderer.links_pictures());
    renderer.render(delivery, layout, Timestamp::now()).unwrap()
}

#[tokio::test]
async fn a_picture_that_is_not_brought_is_fetched_from_our_page() {
    for row in &ROWS {
        let pair = Pair::new(row).await;
        if pair.channel.abilities().pictures != Pictures::Linked {
            continue;
        }
        let opened = delivery(Kind::Opened);
        for (count, expected) in [(1, vec!["failed"]), (2, vec!["failed", "before"])] {
            let message = with_links(&pair, &opened, count);
            let (id, conversation) = (format!("{}-{count}", opened.id), format!("c{count}"));
            let outgoing = Outgoing {
                id: &id,
                conversation: &conversation,
                ..pair.outgoing(&opened, &message, &[])
            };
            accepted(pair.channel.send(&outgoing).await);
            let post = pair.service.posts().pop().unwrap();
            let shown = post.linked.iter().map(|(address, _)| {
                let after = address.strip_prefix("https://vigia.example/shown?picture=");
                after.unwrap().split_once("&about=i&until=").unwrap().0
            });
            assert_eq!(shown.collect::<Vec<_>>(), expected, "{}", row.name);
            let read = &post.linked[0].1;
            assert!(read.contains("intento fallido"), "{}: {read}", row.name);
        }
        if row.name == "pagerduty" {
            // What resolves an alert there adds nothing to it.
            continue;
        }
        let closed = delivery(Kind::Closed);
        let message = with_links(&pair, &closed, 1);
        let outgoing = pair.outgoing(&closed, &message, &[]);
        accepted(pair.channel.send(&outgoing).await);
        let post = pair.service.posts().pop().unwrap();
        let restored = "https://vigia.example/shown?picture=restored&";
        assert!(
            post.linked[0].0.starts_with(restored),
            "{}: {post:?}",
            row.name
        );
    }
}

/// `testbed/chat-types` holds what services publish for those who write programs for them.
#[tokio::test]
async fn what_is_posted_is_of_the_types_that_the_services_publish() {
    let types = repository::path("testbed/chat-types");
    if !requires(&[Program::Node]) || !requires_file(&types.join("node_modules")) {
        return;
    }
    let mut posted = Vec::new();
    for row in &ROWS {
        let kind = match row.name {
            "slack" | "slack_webhook" => "slack",
            "teams" | "google_chat" | "mattermost" | "mattermost_webhook" | "discord"
            | "telegram" | "pagerduty" => row.name,
            _ => continue,
        };
        let pair = Pair::new(row).await;
        let mut thread = None;
        for told in [Kind::Opened, Kind::Updated, Kind::Closed, Kind::Digest] {
            let mut delivery = delivery(told);
            told.name().clone_into(&mut delivery.id);
            delivery.thread.clone_from(&thread);
            let message = with_links(&pair, &delivery, 2);
            let outgoing = pair.outgoing(&delivery, &message, &[]);
            let receipt = accepted(pair.channel.send(&outgoing).await);
            thread = thread.or(receipt.thread);
        }
        let bodies = pair.service.bodies();
        // A digest is an alert that is over to PagerDuty.
        let count = if row.name == "pagerduty" { 5 } else { 4 };
        assert_eq!(bodies.len(), count, "{}", row.name);
        posted.extend(
            bodies
                .iter()
                .map(|body| json!({ "type": kind, "body": body })),
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("posted.json");
    let check = async |posted: &[Json]| {
        fs::write(&file, serde_json::to_vec(posted).unwrap()).unwrap();
        let output = tokio::process::Command::new(Program::Node.path().unwrap())
            .arg(types.join("check.mjs"))
            .arg(&file)
            .output()
            .await
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        (
            output.status.success(),
            said + &String::from_utf8_lossy(&output.stderr),
        )
    };
    let (is_good, said) = check(&posted).await;
    assert!(is_good, "{said}");

    // What no service knows is found in each of them.
    for entry in &mut posted {
        entry["body"]["shout"] = true.into();
    }
    let (_, said) = check(&posted).await;
    let all = format!("{0} bodies, {0} mistakes", posted.len());
    assert!(said.contains(&all), "{said}");
}

#[tokio::test]
async fn who_reads_a_message_can_acknowledge_and_silence() {
    for row in &ROWS {
        let pair = Pair::new(row).await;
        let opened = delivery(Kind::Opened);
        let message = with_links(&pair, &opened, 0);
        let outgoing = pair.outgoing(&opened, &message, &[]);
        accepted(pair.channel.send(&outgoing).await);
        let post = pair.service.posts().pop().unwrap();
        for action in ["acknowledge", "silence"] {
            let address = format!("https://vigia.example/act?do={action}&about=i%2Fmail&until=");
            let leads = |link: &String| link.starts_with(&address);
            // Programs read it as an annotation.
            let is_there = post.links.iter().any(leads) || post.text.contains(&address);
            assert!(is_there, "{}: {action} is not in {post:#?}", row.name);
        }
    }
}

#[tokio::test]
async fn a_message_that_slack_will_not_take_with_its_picture_goes_without() {
    let row = ROWS.iter().find(|row| row.name == "slack_webhook").unwrap();
    let pair = Pair::new(row).await;
    let opened = delivery(Kind::Opened);
    let message = with_links(&pair, &opened, 1);
    pair.service.next(Fault::Message(Refusal::TooBig));
    accepted(
        pair.channel
            .send(&pair.outgoing(&opened, &message, &[]))
            .await,
    );
    let posts = pair.service.posts();
    assert_eq!((posts.len(), posts[0].linked.len()), (1, 0));
}

#[tokio::test]
async fn a_picture_that_is_refused_takes_nothing_from_its_message() {
    for row in &ROWS {
        let pair = Pair::new(row).await;
        if pair.channel.abilities().pictures != Pictures::After {
            continue;
        }
        for refusal in [
            Refusal::NotTaken,
            Refusal::TooBig,
            Refusal::TooMany(7),
            Refusal::Unavailable,
        ] {
            let opened = delivery(Kind::Opened);
            let receipt = accepted(pair.send(&opened).await);
            let before = pair.service.posts();
            pair.service.next(Fault::Picture(refusal));
            let attempt = pair.illustrate(&opened, &receipt, &[page()]).await;
            pair.check(&attempt);
            let is_right = match attempt {
                // As another kind of file it may be taken.
                Attempt::Accepted(_) | Attempt::Refused(_) => {
                    matches!(refusal, Refusal::NotTaken | Refusal::TooBig)
                }
                Attempt::Failed { .. } => {
                    matches!(refusal, Refusal::TooMany(_) | Refusal::Unavailable)
                }
                Attempt::Uncertain(_) => false,
            };
            assert!(is_right, "{}: {refusal:?}: {attempt:?}", row.name);
            assert!(pair.service.faults_are_spent(), "{}", row.name);
            assert_eq!(pair.service.posts()[..before.len()], before, "{}", row.name);
        }
    }
}

/// Telegram takes no photo that is twenty times as long as it is wide, or too big; as a file it takes both.
#[tokio::test]
async fn a_page_that_is_no_photo_to_telegram_comes_as_a_file() {
    let pair = Pair::new(row(services::Kind::Telegram)).await;
    let opened = delivery(Kind::Opened);
    let receipt = accepted(pair.send(&opened).await);
    let tall = Picture {
        bytes: picture(10, 400),
        ..page()
    };
    accepted(
        pair.illustrate(&opened, &receipt, std::slice::from_ref(&tall))
            .await,
    );
    pair.service.next(Fault::Picture(Refusal::TooBig));
    accepted(pair.illustrate(&opened, &receipt, &[page()]).await);

    let posts = pair.service.posts();
    let shown: Vec<_> = posts[1..]
        .iter()
        .map(|post| (&post.pictures[0].bytes, post.thread.as_ref()))
        .collect();
    let first = Some(&posts[0].id);
    assert_eq!(shown, [(&tall.bytes, first), (&page().bytes, first)]);
}

#[tokio::test]
async fn what_a_page_says_mentions_nobody_and_leads_nowhere() {
    let mut hostile = delivery(Kind::Opened);
    hostile.conversation.incidents[0].series.system =
        "<!channel> @everyone @here @all <b>s</b>".into();
    hostile.conversation.incidents[0].failure.step =
        Some("[click](https://evil.example) *a* _b_ `c`".into());
    hostile.conversation.incidents[0].failure.error =
        Some("<https://evil.example|login> <a href=\"https://evil.example\">x</a> www.evil.example @everybody".into());
    hostile.conversation.incidents[0].failure.url = Some("https://evil.example/\"><script>".into());
    for row in &ROWS {
        let pair = Pair::new(row).await;
        accepted(pair.send(&hostile).await);
        let post = &pair.service.posts()[0];
        assert_eq!(post.mentions, [""; 0], "{}: {post:#?}", row.name);
        let links = post.links.iter().filter(|link| link.contains("evil"));
        assert_eq!(links.count(), 0, "{}: {post:#?}", row.name);
        // Nothing that a service would underline unasked.
        if pair.channel.abilities().markup != vigia_alert::render::Markup::Plain {
            for loose in [
                "https://evil",
                "www.evil",
                "evil.example",
                "@everyone",
                "@all",
            ] {
                assert!(
                    !post.text.contains(loose),
                    "{}: {loose} in {}",
                    row.name,
                    post.text
                );
            }
        }
        assert!(
            read(post).contains("evil.example"),
            "{}: {}",
            row.name,
            post.text
        );
    }
}

#[tokio::test]
async fn what_is_too_long_is_shortened_and_says_so() {
    let mut long = delivery(Kind::Opened);
    long.conversation.incidents[0].failure.error = Some("<&> una frase larga ".repeat(2000));
    for row in &ROWS {
        let pair = Pair::new(row).await;
        accepted(pair.send(&long).await);
        let text = read(&pair.service.posts()[0]);
        assert!(text.contains("No se puede usar"), "{}: {text}", row.name);
        let is_short = text.chars().count() < 10_000;
        assert_eq!(text.contains("Mensaje recortado"), is_short, "{}", row.name);
    }
}

#[tokio::test]
async fn who_wants_to_be_left_alone_says_for_how_long() {
    for row in &ROWS {
        let pair = Pair::new(row).await;
        pair.service.next(Fault::Message(Refusal::TooMany(7)));
        let attempt = pair.send(&delivery(Kind::Opened)).await;
        pair.check(&attempt);
        let Attempt::Failed { retry_after, .. } = attempt else {
            panic!("{}: {attempt:?}", row.name);
        };
        // Where a service says at what moment it may be tried again, some of the time until then is gone.
        let rest = row.rest_ms.map(Duration::from_millis);
        let is_so = retry_after.is_some() == rest.is_some()
            && retry_after <= rest
            && retry_after.map(|rest| rest + Duration::from_secs(3)) >= rest;
        assert!(is_so, "{}: {retry_after:?}, not {rest:?}", row.name);
        assert_eq!(pair.service.posts(), [], "{}", row.name);
    }
}

#[tokio::test]
async fn a_service_that_is_out_of_order_is_tried_again() {
    for row in &ROWS {
        let pair = Pair::new(row).await;
        pair.service.next(Fault::Message(Refusal::Unavailable));
        let attempt = pair.send(&delivery(Kind::Opened)).await;
        pair.check(&attempt);
        assert!(
            matches!(attempt, Attempt::Failed { .. }),
            "{}: {attempt:?}",
            row.name
        );
        accepted(pair.send(&delivery(Kind::Opened)).await);
        assert_eq!(pair.service.posts().len(), 1, "{}", row.name);
    }
}

#[tokio::test]
async fn what_is_refused_for_good_is_not_tried_again() {
    for row in &ROWS {
        let pair = Pair::new(row).await;
        for refusal in [Refusal::Revoked, Refusal::Gone, Refusal::TooBig] {
            pair.service.next(Fault::Message(refusal));
            let attempt = pair.send(&delivery(Kind::Opened)).await;
            pair.check(&attempt);
            assert!(
                matches!(attempt, Attempt::Refused(_)),
                "{}: {refusal:?}: {attempt:?}",
                row.name
            );
        }
    }
}

/// As proxies and frameworks do that tell what they could not serve.
#[tokio::test]
async fn a_secret_that_a_service_repeats_is_not_told() {
    for row in &ROWS {
        let pair = Pair::new(row).await;
        pair.service.next(Fault::Echo);
        let attempt = pair.send(&delivery(Kind::Opened)).await;
        assert!(matches!(attempt, Attempt::Refused(_)), "{attempt:?}");
        assert!(
            format!("{attempt:?}").contains("cannot serve"),
            "{attempt:?}"
        );
        pair.check(&attempt);
    }
}

#[tokio::test]
async fn a_message_that_nobody_confirmed_is_never_called_sent() {
    for row in &ROWS {
        let pair = Pair::new(row).await;
        pair.service.next(Fault::HangUpAfterMessage);
        let opened = delivery(Kind::Opened);
        let attempt = pair.send(&opened).await;
        pair.check(&attempt);
        assert!(
            matches!(attempt, Attempt::Uncertain(_)),
            "{}: {attempt:?}",
            row.name
        );
        accepted(pair.send(&opened).await);
        let is_known_again = pair.channel.abilities().recognises_repeats;
        // Mattermost knows a message again, but only for half a minute.
        let is_known_now = is_known_again || row.name == "mattermost";
        let expected = if is_known_now { 1 } else { 2 };
        assert_eq!(pair.service.posts().len(), expected, "{}", row.name);
    }
}

/// All at once: each is waited for until the deadline of its channel.
#[tokio::test]
async fn a_service_that_falls_silent_is_not_waited_for_for_ever() {
    let mut silent = JoinSet::new();
    for row in &ROWS {
        silent.spawn(async move {
            let pair = Pair::new(row).await;
            pair.service.next(Fault::SilentAfterMessage);
            let attempt = pair.send(&delivery(Kind::Opened)).await;
            pair.check(&attempt);
            assert!(
                matches!(attempt, Attempt::Uncertain(_)),
                "{}: {attempt:?}",
                row.name
            );
            assert_eq!(pair.service.posts().len(), 1, "{}", row.name);
        });
    }
    while let Some(ended) = silent.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_a_message() {
    for row in &ROWS {
        for status in [301, 302, 307, 308] {
            let pair = Pair::new(row).await;
            let elsewhere = Service::start(row.service).await;
            let target = format!("{}/elsewhere", elsewhere.address);
            pair.service.next(Fault::Redirect(status, target));
            let attempt = pair.send(&delivery(Kind::Opened)).await;
            pair.check(&attempt);
            assert!(
                matches!(
                    (&attempt, status),
                    (Attempt::Refused(_), 301 | 308) | (Attempt::Failed { .. }, 302 | 307)
                ),
                "{}: {attempt:?}",
                row.name
            );
            assert_eq!(elsewhere.heard(), [], "{}", row.name);
        }
    }
}

#[tokio::test]
async fn a_service_that_nobody_answers_for_is_tried_again() {
    for row in &ROWS {
        let pair = Pair::new(row).await;
        let Pair { channel, row, .. } = &pair;
        let gone = Service::start(row.service).await.address.clone();
        let folder = tempfile::tempdir().unwrap();
        let gone = Pair {
            row,
            service: Service::start(row.service).await,
            channel: self::channel(row, &gone, "", &folder),
            _folder: folder,
        };
        assert_eq!(channel.recipients(), gone.channel.recipients());
        let attempt = gone.send(&delivery(Kind::Opened)).await;
        gone.check(&attempt);
        assert!(
            matches!(attempt, Attempt::Failed { .. }),
            "{}: {attempt:?}",
            row.name
        );
    }
}

#[tokio::test]
async fn only_a_certificate_of_a_known_authority_is_trusted() {
    let authority = Authority::new().unwrap();
    for row in &ROWS {
        let stranger = Service::start_with_tls(row.service, &authority).await;
        let pair = Pair::with(row, stranger, "");
        let attempt = pair.send(&delivery(Kind::Opened)).await;
        pair.check(&attempt);
        assert!(
            matches!(attempt, Attempt::Failed { .. }),
            "{}: {attempt:?}",
            row.name
        );
        let folder = tempfile::tempdir().unwrap();
        let ca = folder.path().join("ca.pem");
        fs::write(&ca, authority.pem()).unwrap();
        let known = Service::start_with_tls(row.service, &authority).await;
        let pair = Pair::with(row, known, &format!("ca_file = \"{}\"", ca.display()));
        accepted(pair.send(&delivery(Kind::Opened)).await);
    }
}

#[tokio::test]
async fn a_proxy_is_gone_through() {
    for row in &ROWS {
        let proxy = Proxy::start(None).await;
        let service = Service::start(row.service).await;
        let pair = Pair::with(row, service, &format!("proxy = \"{}\"", proxy.address));
        accepted(pair.send(&delivery(Kind::Opened)).await);
        assert!(!proxy.asked().is_empty(), "{}", row.name);
    }
}

/// What an operator sees of a channel that works, and of one that does not.
#[tokio::test]
async fn a_channel_can_be_tried() {
    let service = Service::start(services::Kind::Slack).await;
    let folder = tempfile::tempdir().unwrap();
    let row = &ROWS[0];
    channel(
        row,
        &service.address,
        "rate = { messages = 100, per = \"1s\" }",
        &folder,
    );
    let test = async |name: &str| {
        let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_vigia-alert"))
            .args(["test", name, "--impact", "critical", "--config"])
            .arg(folder.path().join("alert.toml"))
            .output()
            .await
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), said)
    };

    let (code, said) = test("channel").await;
    assert_eq!(code, Some(0), "{said}");
    let to = slack::CHANNEL;
    for what in [
        "opened", "picture", "updated", "reminder", "closed", "digest",
    ] {
        assert!(
            said.contains(&format!("channel -> {to}: {what}: accepted")),
            "{said}"
        );
    }
    let posts = service.posts();
    assert!(
        posts.iter().all(|post| !post.text.contains("Trámites")),
        "{posts:#?}"
    );
    assert!(posts[0].text.contains("PRUEBA de Vigía"), "{posts:#?}");

    service.next(Fault::Message(Refusal::Revoked));
    let (code, said) = test("channel").await;
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains(&format!(
            "channel -> {to}: opened: refused for good: Slack answered `token_revoked`"
        )),
        "{said}"
    );
    let (code, said) = test("chanel").await;
    assert_eq!(
        (code, said.as_str()),
        (
            Some(1),
            "there is no channel `chanel`\nhint: there are channel\n"
        )
    );
}

/// `docs/gallery.md` is what people read. `GALLERY=write` writes it anew.
#[tokio::test]
async fn the_gallery_shows_what_is_sent() {
    let mut gallery = String::from(
        "# What people read, channel by channel\n\n\
         The beginning and the end of an incident as each service shows them, without their looks; the pictures follow or are\n\
         inside, as [the channels](channels.md) say. This page is made of messages that were sent: a test compares it with them.\n\n\
         What can be drawn here is: a mail by Chromium, and the card of Teams by Microsoft's own renderer of such cards, with the\n\
         colours that its designer has for Teams. `make looks` keeps pictures of every kind of both, by day and by night.\n\n\
         ## email\n\
         <img src=\"mail.png\" width=\"320\" alt=\"A mail of the demo: critical, the system, what cannot be used and since when; below, the reason, the pictures of the page now and when it was last well, and the details.\">\n",
    );
    for row in &ROWS {
        let pair = Pair::new(row).await;
        let receipt = accepted(pair.send(&delivery(Kind::Opened)).await);
        let mut end = delivery(Kind::Closed);
        // Another message, and no repeat of the first.
        end.id = "e".into();
        end.thread = receipt.thread;
        accepted(pair.send(&end).await);
        let title = (row.settings)("").contains("forum").then_some(" (a forum)");
        gallery.extend(["\n## ", row.name, title.unwrap_or_default(), "\n"]);
        if row.name == "teams" {
            gallery.push_str("<img src=\"teams.png\" width=\"390\" alt=\"The card of the same beginning, on a phone by day.\">\n\n");
        }
        for post in pair.service.posts() {
            // A signed payload has an identity of its own each time; what is read has not.
            let text = read(&post);
            let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
            gallery.extend(["```text\n", lines.join("\n").trim_end(), "\n```\n"]);
        }
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/gallery.md");
    if std::env::var_os("GALLERY").is_some() {
        fs::write(&path, &gallery).unwrap();
    }
    let shown = fs::read_to_string(path).unwrap_or_default();
    assert!(
        shown == gallery,
        "docs/gallery.md is not what is sent; GALLERY=write writes it anew"
    );
}
