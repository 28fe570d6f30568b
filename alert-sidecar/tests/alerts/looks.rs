//! What mails and the cards of Teams look like: on a phone, by day and by night, with pictures and without. Chromium measures
//! whether everything is on the screen and can be read against what is behind it. `LOOKS=FOLDER` keeps a picture of each.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use vigia_alert::{
    render::{
        Illustration, Language, Layout, Markup, Message, Renderer, Room, Style, link::Signer,
    },
    store::outbox::{Delivery, Kind},
};
use vigia_contract::data_model::Impact;
use vigia_testbed::{
    repository,
    servers::{Program, requires, requires_file},
};

use super::{
    conformance,
    messages::{delivery, style},
    services,
};

/// As wide as the phones that most people have, in CSS pixels.
const PHONE: u32 = 390;

/// No page is longer.
const LONGEST: u32 = 1600;

/// What mail programs want of text against what is behind it, and of large text: <https://www.w3.org/TR/WCAG22/#contrast-minimum>.
const MEASURE: &str = r"
const large = (style) => parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
const rgba = (text) => text.match(/[\d.]+/g).map(Number);
const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (view, element) => {
  for (let e = element; e; e = e.parentElement) {
    const colour = rgba(view.getComputedStyle(e).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
const found = [];
for (const frame of document.querySelectorAll('iframe')) {
  const { contentDocument: page, contentWindow: view } = frame;
  const said = (what) => found.push(`${frame.title}: ${what}`);
  if (page.documentElement.scrollWidth > view.innerWidth) said(`${page.documentElement.scrollWidth} pixels wide`);
  let texts = 0;
  const walker = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    const range = page.createRange();
    range.selectNodeContents(walker.currentNode);
    const box = range.getBoundingClientRect();
    if (!text || box.height === 0 || element.closest('[style*=\'display:none\']')) continue;
    texts += 1;
    if (box.right > view.innerWidth || box.left < 0) said(`beyond the screen: ${text}`);
    const style = view.getComputedStyle(element);
    const [light, dark] = [luminance(rgba(style.color)), luminance(behind(view, element))].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < (large(style) ? 3 : 4.5)) said(`contrast ${contrast.toFixed(1)}: ${text}`);
    if (parseFloat(style.fontSize) < 12) said(`small: ${text}`);
  }
  if (texts < 8) said(`only ${texts} texts`);
  const buttons = [...page.querySelectorAll('a')].filter((a) => a.getBoundingClientRect().height < 20);
  for (const button of buttons) said(`hard to press: ${button.textContent}`);
}
document.title = JSON.stringify(found);
";

/// One mail, and what it is called.
struct Letter {
    name: String,
    message: Message,
}

/// What the mails are about: one incident, or several.
fn told(kind: Kind) -> Delivery {
    let mut told = delivery(kind);
    let incidents = &mut told.conversation.incidents;
    if !kind.is_end() {
        incidents[0].end = None;
    }
    match kind {
        Kind::Updated => {
            let mut second = incidents[0].clone();
            second.series.journey = "pagar-una-tasa-de-habilitacion-comercial-en-cuotas".into();
            second.started_at += SignedDuration::from_secs(90);
            let mut over = delivery(Kind::Closed).conversation.incidents.remove(0);
            over.series.system = "expediente-electronico".into();
            incidents.extend([second, over]);
        }
        Kind::Digest => {
            let mut over = delivery(Kind::Closed).conversation.incidents.remove(0);
            over.series.journey = "pagar-una-tasa".into();
            incidents.push(over);
            for incident in incidents {
                incident.impact = Impact::Low;
            }
        }
        _ => {}
    }
    told
}

fn letters() -> Vec<Letter> {
    let at: Timestamp = "2026-11-22T13:37:00Z".parse().unwrap();
    let mut letters = Vec::new();
    for language in [Language::Spanish, Language::English] {
        let signer = Signer::new(
            "https://vigia.example",
            &"a key".into(),
            Duration::from_hours(1),
        );
        let renderer = Renderer::new(Style {
            signer: Some(signer),
            page: Some("https://vigia.example".into()),
            ..style(language)
        });
        let renderer = renderer.unwrap();
        for kind in Kind::ALL {
            let mut told = told(kind);
            told.is_repeat = kind == Kind::Reminder;
            let illustration = match kind {
                Kind::Opened | Kind::Escalated => Illustration::Pictures(2),
                Kind::Closed => Illustration::Pictures(1),
                Kind::Whole => Illustration::None,
                _ => Illustration::Later,
            };
            let layout = Layout {
                markup: Markup::Html,
                room: Room::Unlimited,
                illustration,
                is_one_thread: true,
            };
            letters.push(Letter {
                name: format!("{}-{}", language.code(), kind.name()),
                message: renderer.render(&told, layout, at).unwrap(),
            });
        }
    }
    letters
}

/// As a mail program shows it that has its pictures.
fn with_pictures(html: &str) -> String {
    let picture = vigia_alert::render::sample::picture().data_uri();
    html.replace("cid:picture-2", &picture)
        .replace("cid:picture", &picture)
}

fn frame(title: &str, html: &str) -> String {
    let escaped = html.replace('&', "&amp;").replace('"', "&quot;");
    format!(
        "<iframe title=\"{title}\" srcdoc=\"{escaped}\" style=\"display:block;border:0;width:{PHONE}px;height:{LONGEST}px\"></iframe>\n"
    )
}

/// How the mail program's colours are.
#[derive(Clone, Copy)]
enum Light {
    Day,
    Night,
}

impl Light {
    const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Night => "night",
        }
    }
}

/// Has Chromium open a file; gives what it prints.
async fn chromium(folder: &Path, light: Light, file: &Path, arguments: &[String]) -> String {
    let mut command = tokio::process::Command::new(Program::Chromium.path().unwrap());
    // Chromium's numbers for what a page may prefer: dark, light.
    let scheme = match light {
        Light::Day => 1,
        Light::Night => 0,
    };
    command
        .args([
            "--headless",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--hide-scrollbars",
        ])
        .arg("--host-resolver-rules=MAP * ~NOTFOUND")
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!(
            "--user-data-dir={}",
            folder.join("profile").display()
        ))
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    if rustix::process::geteuid().is_root() {
        command.arg("--no-sandbox");
    }
    let output = tokio::time::timeout(Duration::from_mins(2), command.arg(file).output());
    String::from_utf8(output.await.unwrap().unwrap().stdout).unwrap()
}

/// What is wrong with the looks of these pages.
async fn flaws(folder: &Path, light: Light, frames: &str) -> Vec<String> {
    let page = folder.join("page.html");
    let html = format!(
        "<!DOCTYPE html><meta charset=\"utf-8\">{frames}<script>onload = () => {{{MEASURE}}};</script>"
    );
    fs::write(&page, html).unwrap();
    let dom = chromium(folder, light, &page, &["--dump-dom".into()]).await;
    let title = dom
        .split_once("<title>")
        .and_then(|(_, rest)| rest.split_once("</title>"));
    let Some((title, _)) = title else {
        panic!("Chromium measured nothing: {dom}");
    };
    let title = title
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    serde_json::from_str(&title).unwrap()
}

#[tokio::test]
async fn mails_can_be_read_on_a_phone_by_day_and_by_night() {
    if !requires(&[Program::Chromium]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let letters = letters();
    let frames: Vec<String> = letters
        .iter()
        .flat_map(|Letter { name, message }| {
            let blocked = frame(&format!("{name} without pictures"), &message.marked);
            [frame(name, &with_pictures(&message.marked)), blocked]
        })
        .collect();
    let frames = frames.concat();
    for light in [Light::Day, Light::Night] {
        assert_eq!(flaws(folder.path(), light, &frames).await, [""; 0]);
    }
    // What is wrong is found.
    let wide = "<p style='width:500px'>a</p><p style='color:#777;background:#666'>b</p>";
    assert_eq!(
        flaws(folder.path(), Light::Day, &frame("wrong", wide)).await,
        [
            "wrong: 508 pixels wide",
            "wrong: contrast 1.3: b",
            "wrong: only 2 texts"
        ]
    );
    if let Some(kept) = env::var_os("LOOKS") {
        keep(folder.path(), &PathBuf::from(kept), &letters).await;
    }
}

/// Microsoft's own renderer draws the cards, with the colours and measures that its designer has for Teams.
#[tokio::test]
async fn cards_can_be_read_on_a_phone_by_day_and_by_night() {
    let types = repository::path("testbed/chat-types/node_modules");
    if !requires(&[Program::Chromium]) || !requires_file(&types) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut cards = Vec::new();
    for (kind, pictures) in [
        (Kind::Opened, 2),
        (Kind::Updated, 0),
        (Kind::Closed, 1),
        (Kind::Digest, 0),
    ] {
        let posted = conformance::posted(services::Kind::Teams, &told(kind), pictures).await;
        let card = posted["attachments"][0]["content"].to_string();
        cards.push((kind.name(), card));
    }
    for light in [Light::Day, Light::Night] {
        let frames: Vec<String> = cards
            .iter()
            .map(|(name, card)| frame(name, &drawn(&types, light, card)))
            .collect();
        let found = flaws(folder.path(), light, &frames.concat()).await;
        assert_eq!(found, [""; 0]);
        if let Some(kept) = env::var_os("LOOKS") {
            for (name, card) in &cards {
                let name = format!("teams-{name}-{}", light.name());
                let page = drawn(&types, light, card);
                picture(folder.path(), light, &page, &Path::new(&kept).join(name)).await;
            }
        }
    }
}

/// The page that draws a card as Teams does.
fn drawn(types: &Path, light: Light, card: &str) -> String {
    let colours = match light {
        Light::Day => "light",
        Light::Night => "dark",
    };
    let designer = types.join("adaptivecards-designer");
    let host = designer.join(format!("lib/hostConfigs/microsoft-teams-{colours}.json"));
    let host = fs::read_to_string(host).unwrap();
    let style = designer.join(format!("dist/containers/teams-container-{colours}.css"));
    let [style, renderer, markdown] = [
        style,
        types.join("adaptivecards/dist/adaptivecards.min.js"),
        types.join("markdown-it/dist/markdown-it.min.js"),
    ]
    .map(|path| path.display().to_string());
    let picture = vigia_alert::render::sample::picture().data_uri();
    format!(
        r#"<!DOCTYPE html><meta charset="utf-8"><link rel="stylesheet" href="file://{style}">
<script src="file://{renderer}"></script><script src="file://{markdown}"></script><body style="margin:0"><script>
AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {{
  result.outputHtml = markdownit().render(text);
  result.didProcess = true;
}};
const card = new AdaptiveCards.AdaptiveCard();
card.hostConfig = new AdaptiveCards.HostConfig({host});
card.parse(JSON.parse({card}, function (name, value) {{
  return this.type === 'Image' && name === 'url' ? '{picture}' : value;
}}));
document.body.append(card.render());
</script>"#,
        card = serde_json::Value::from(card)
            .to_string()
            .replace("</", r"<\/"),
    )
}

/// Pictures of the mails, and their texts.
async fn keep(folder: &Path, kept: &Path, letters: &[Letter]) {
    for Letter { name, message } in letters {
        let shown = with_pictures(&message.marked);
        for light in [Light::Day, Light::Night] {
            let place = kept.join(format!("mail-{name}-{}", light.name()));
            picture(folder, light, &shown, &place).await;
        }
        let blocked = kept.join(format!("mail-{name}-blocked"));
        picture(folder, Light::Night, &message.marked, &blocked).await;
        let text = format!("{}\n\n{}", message.subject, message.text);
        fs::write(kept.join(format!("mail-{name}.txt")), text).unwrap();
    }
}

/// A picture of a page on a phone, as `place.png`.
async fn picture(folder: &Path, light: Light, html: &str, place: &Path) {
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    let page = folder.join("shown.html");
    fs::write(&page, html).unwrap();
    let file = format!("{}.png", place.display());
    let arguments = [
        format!("--screenshot={file}"),
        format!("--window-size={PHONE},{LONGEST}"),
    ];
    chromium(folder, light, &page, &arguments).await;
    let shown = image::open(&file).unwrap().into_rgb8();
    let blank = shown.get_pixel(0, LONGEST - 1);
    let height = 1
        + (0..LONGEST)
            .rev()
            .find(|y| (0..PHONE).any(|x| shown.get_pixel(x, *y) != blank))
            .unwrap();
    let shown = image::imageops::crop_imm(&shown, 0, 0, PHONE, height);
    shown.to_image().save(&file).unwrap();
}
