//! A page that echoes the secret it was given in every way it can: no byte of what the probe leaves holds it, and no pixel
//! shows it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    running::{Point, Running, Setting, browser_table},
    site::{Reply, journey, serve},
};

/// With letters that HTML, JSON and addresses write in other ways.
const SECRET: &str = "Cl4ve<&\"ñ'>/+1 fin";

/// All that shows the secret does so in this colour, and nothing else has it.
const ECHO_COLOR: [u8; 3] = [255, 0, 255];

/// Shows and tells `CLAVE` in every way, as soon as it has been typed.
const ECHO: &str = r##"<!doctype html><meta charset=utf-8><title>Eco</title>
<style>
  .eco, .eco * { color: #f0f; -webkit-text-fill-color: #f0f; caret-color: #000; border-color: #000 }
  body { font: 14px sans-serif; margin: 4px } p, div { margin: 1px } iframe { border: 1px solid #000 }
  #antes::before { content: attr(data-eco) } #mayusculas { text-transform: uppercase }
  #girado { transform: rotate(12deg); width: 180px; margin: 30px }
  ul { margin: 0 0 0 200px }
</style>
<label>Clave <input type=password id=clave class=eco></label> <button onclick=eco(clave.value)>Enviar</button>
<div id=lugar class=eco></div>
<script>
function eco(secreto) {
  const lugar = document.getElementById('lugar');
  const add = (html) => { const p = document.createElement('p'); p.innerHTML = html; lugar.append(p); return p; };
  const text = (what) => { const p = add(''); p.textContent = what; return p; };
  clave.type = 'text';
  text('Su clave es ' + secreto + ' y nada más');
  const letters = add('');
  for (const letter of secreto) { const b = document.createElement('b'); b.textContent = letter; letters.append(b); }
  text(secreto).id = 'mayusculas';
  text(secreto).id = 'girado';
  const antes = add(''); antes.id = 'antes'; antes.dataset.eco = secreto;
  text(JSON.stringify(secreto)); text(encodeURIComponent(secreto));
  text(btoa(unescape(encodeURIComponent('robot:' + secreto))));
  for (const mode of ['open', 'closed']) add('').attachShadow({ mode }).innerHTML = `<span>${secreto.replace(/&/g, '&amp;').replace(/</g, '&lt;')}</span>`;
  const fields = add('<input size=30><textarea cols=30 rows=1></textarea><input size=30 class=sombra><select><option></option></select><input type=submit><div contenteditable></div><progress></progress><img>');
  fields.querySelector('input').value = secreto;
  fields.querySelector('textarea').value = secreto;
  fields.querySelector('.sombra').placeholder = secreto;
  fields.querySelector('.sombra').style.cssText = 'color:#f0f';
  fields.querySelector('option').textContent = secreto;
  fields.querySelector('[type=submit]').value = secreto;
  fields.querySelector('[contenteditable]').textContent = secreto;
  fields.querySelector('img').alt = secreto;
  add('<svg width=260 height=20><text x=2 y=15 fill=#f0f></text></svg>').querySelector('text').textContent = secreto;
  const lienzo = document.createElement('canvas'); lienzo.width = 260; lienzo.height = 20; add('').append(lienzo);
  const pinta = lienzo.getContext('2d'); pinta.fillStyle = '#f0f'; pinta.font = '14px sans-serif'; pinta.fillText(secreto, 2, 15);
  const copia = new Image(); copia.src = lienzo.toDataURL(); add('').append(copia);
  const fondo = add(''); fondo.style.cssText = `width:260px;height:20px;background:url(${lienzo.toDataURL()})`;
  const dibujo = `<svg xmlns="http://www.w3.org/2000/svg" width="260" height="20"><text x="2" y="15" fill="#f0f">${secreto.replace(/&/g, '&amp;').replace(/</g, '&lt;')}</text></svg>`;
  const svg = new Image(); svg.src = 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(dibujo); add('').append(svg);
  const marco = document.createElement('iframe'); marco.width = 300; marco.height = 40; marco.style.transform = 'scale(.9)';
  marco.srcdoc = `<body style="color:#f0f;margin:2px">${secreto.replace(/&/g, '&amp;').replace(/</g, '&lt;')}`; add('').append(marco);
  const ajeno = document.createElement('iframe'); ajeno.width = 300; ajeno.height = 40; ajeno.style.padding = '3px';
  ajeno.src = location.origin.replace('127.0.0.1', 'localhost') + '/marco#' + encodeURIComponent(secreto); add('').append(ajeno);
  const lista = add('<ul><li><span style="color:#000;-webkit-text-fill-color:#000">x</span></li></ul>').querySelector('ul'); lista.style.listStyleType = JSON.stringify(secreto);
  document.title = secreto;
  document.body.setAttribute('data-eco', secreto);
  document.body.append(document.createComment(secreto));
  localStorage.setItem('eco', secreto);
  document.cookie = 'eco=' + encodeURIComponent(secreto);
  console.log('sabe', secreto); console.error({ secreto }); console.warn(JSON.stringify({ secreto }));
  console.info(secreto.slice(0, 7)); console.info(secreto.slice(7));
  console.log(secreto.slice(0, 5), secreto.slice(5));
  console.log(btoa(unescape(encodeURIComponent(secreto))));
  fetch('/eco?clave=' + encodeURIComponent(secreto), { headers: { 'x-eco': encodeURIComponent(secreto), authorization: 'Basic ' + btoa(unescape(encodeURIComponent('robot:' + secreto))) } });
  fetch('/eco', { method: 'POST', body: new URLSearchParams({ clave: secreto }) });
  new Image().src = 'http://nadie.invalid/' + encodeURIComponent(secreto);
  history.replaceState(null, '', '?clave=' + encodeURIComponent(secreto) + '#' + secreto);
  const listo = document.createElement('h1'); listo.style.cssText = 'position:fixed;right:10px;top:0;color:#000;-webkit-text-fill-color:#000';
  listo.textContent = 'Listo'; document.body.append(listo);
  setTimeout(() => { throw new Error('no sé qué hacer con ' + secreto) });
}
</script>"##;

const FRAME: &str = "<!doctype html><meta charset=utf-8><body style='color:#f0f;margin:2px'><script>const p = document.createElement('p'); p.textContent = decodeURIComponent(location.hash.slice(1)); document.body.append(p)</script>";

fn echoing_site() -> String {
    serve(|path| match path.split(['?', '#']).next() {
        Some("/") => Reply::page(ECHO),
        Some("/marco") => Reply::page(FRAME),
        _ => Reply::raw(
            "404 Not Found\nContent-Length: 0\nSet-Cookie: sesion=abc",
            "",
        ),
    })
}

const ACTIONS: &str = "{ goto = '${portal}/' }, { fill = { field = 'label=Clave', with = '${secret:ECO_CLAVE}' } }, { click = 'text=Enviar' },
  { expect = { visible = 'text=Listo' } }, { screenshot = 'medio' }, { expect = { text = 'Su clave es otra' } }";

/// All forms in which the test looks for it, none of which comes from the program.
fn forms() -> Vec<String> {
    let mut forms: Vec<String> = [
        SECRET,
        "Cl4ve&lt;&amp;\"ñ'&gt;/+1 fin",
        "Cl4ve<&amp;&quot;ñ'>/+1 fin",
        "Cl4ve&lt;&amp;&quot;ñ'&gt;/+1 fin",
        r#"Cl4ve<&\"ñ'>/+1 fin"#,
        "Cl4ve%3C%26%22%C3%B1'%3E%2F%2B1%20fin",
        "Cl4ve%3C%26%22%C3%B1%27%3E%2F%2B1+fin",
        "Cl4ve%3C&%22%C3%B1'%3E/+1%20fin",
        // Pieces that were said one by one.
        "Cl4ve<&",
        "\"ñ'>/+1",
    ]
    .map(str::to_owned)
    .to_vec();
    forms.push(STANDARD.encode(SECRET));
    // Without the letters that also hold bits of what stands beside it.
    let basic = STANDARD.encode(format!("robot:{SECRET}"));
    forms.push(basic[8..basic.len() - 4].to_owned());
    forms
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    files
}

fn names_a_picture(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|kind| kind == "jpg")
}

fn must_not_hold(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for form in forms() {
        if let Some(at) = text.find(&form) {
            let around: String = text[..at].chars().rev().take(200).collect();
            let around: String = around.chars().rev().collect();
            panic!("{what} holds `{form}` behind: {around}");
        }
    }
}

/// How many pixels have the colour of the secret, or nearly.
fn echoed_pixels(picture: &[u8]) -> usize {
    let picture = image::load_from_memory(picture).unwrap().into_rgb8();
    let near = |pixel: &&image::Rgb<u8>| {
        let far = pixel.0.iter().zip(ECHO_COLOR);
        far.map(|(one, other)| u32::from(one.abs_diff(other)))
            .sum::<u32>()
            < 120
    };
    picture.pixels().filter(near).count()
}

fn inline_picture(point: &Point) -> Vec<u8> {
    let (_, data) = point.text("image").unwrap().split_once("base64,").unwrap();
    STANDARD.decode(data).unwrap()
}

#[test]
fn a_secret_that_a_page_echoes_in_every_way_is_nowhere() {
    let actions = journey(ACTIONS);
    let setting =
        Setting::new(&actions, &echoing_site(), browser_table()).with_secret("ECO_CLAVE", SECRET);
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let run = probe.run_that_started();
    let shot = probe.next("journey_screenshot");
    let (_, rest, stderr) = probe.stop();

    assert_eq!(
        run.journey.text("result"),
        Some("failed"),
        "{}",
        run.journey.0
    );
    assert_eq!(
        run.journey.text("error_class"),
        Some("assertion"),
        "{}",
        run.journey.0
    );
    for point in [&run.journey, &shot]
        .into_iter()
        .chain(&run.steps)
        .chain(&rest)
    {
        must_not_hold("a point", point.0.as_bytes());
    }
    must_not_hold("the log", stderr.as_bytes());
    let files = files(&setting.artifacts());
    let names: Vec<&str> = files
        .iter()
        .map(|(path, _)| path.rsplit('/').next().unwrap())
        .collect();
    for expected in [
        "01-usar-medio.jpg",
        "screenshot.jpg",
        "page.html",
        "frame-01.html",
        "frame-02.html",
        "console.txt",
        "failed-requests.txt",
        "network.har",
        "steps.json",
    ] {
        assert!(names.contains(&expected), "{names:?}");
    }
    for (path, bytes) in &files {
        must_not_hold(path, bytes);
        if names_a_picture(path) {
            keep_for_a_look(path, bytes);
            assert_eq!(echoed_pixels(bytes), 0, "{path}");
        }
    }
    assert_eq!(echoed_pixels(&inline_picture(&shot)), 0);
    // What stands around the secret is there.
    let text = |name: &str| {
        let (_, bytes) = files.iter().find(|(path, _)| path.ends_with(name)).unwrap();
        String::from_utf8(bytes.clone()).unwrap()
    };
    assert!(
        text("console.txt").contains("sabe ***"),
        "{}",
        text("console.txt")
    );
    assert!(
        text("page.html").contains("Su clave es *** y nada más"),
        "{}",
        text("page.html")
    );
    assert!(
        text("failed-requests.txt").contains("/eco?clave=***: HTTP 404 Not Found"),
        "{}",
        text("failed-requests.txt")
    );
}

#[test]
fn what_is_no_secret_is_seen_in_the_picture_in_all_those_ways() {
    let actions = ACTIONS.replace("${secret:ECO_CLAVE}", "Visible y no secreta");
    let setting = Setting::new(&journey(&actions), &echoing_site(), browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let run = probe.run_that_started();
    probe.stop();

    let folder = setting
        .artifacts()
        .join(run.journey.text("artifact").unwrap());
    let picture = fs::read(folder.join("screenshot.jpg")).unwrap();
    keep_for_a_look("visible.jpg", &picture);
    let seen = echoed_pixels(&picture);
    assert!(seen > 2000, "{seen}");
    let console = fs::read_to_string(folder.join("console.txt")).unwrap();
    assert!(console.contains("sabe Visible y no secreta"), "{console}");
}

/// Where somebody wants to look at the pictures of this test.
fn keep_for_a_look(path: &str, bytes: &[u8]) {
    if let Some(folder) = std::env::var_os("VIGIA_KEEP_PICTURES") {
        let name = path.rsplit('/').next().unwrap();
        fs::write(Path::new(&folder).join(name), bytes).unwrap();
    }
}

#[test]
fn a_secret_comes_from_a_program_or_from_systemd() {
    let site = echoing_site();
    let typed = journey(
        "{ goto = '${portal}/' }, { fill = { field = 'label=Clave', with = '${secret:ECO_CLAVE}' } }, { expect = { value = { of = 'label=Clave', is = 'de-la-boveda' } } }",
    );
    let command = format!(
        "secret_command = ['sh', '-c', 'echo de-la-boveda', '{{name}}']\n{}",
        browser_table()
    );
    let setting = Setting::new(&typed, &site, &command);
    let output = setting
        .command("try")
        .arg(setting.path().join("journeys/journey.toml"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    // A field for passwords is not read aloud: what it holds is judged, and not told.
    assert_eq!(output.status.code(), Some(0), "{told}");

    let credentials = setting.path().join("credentials");
    fs::create_dir(&credentials).unwrap();
    let file = credentials.join("ECO_CLAVE");
    fs::write(&file, "de-la-boveda\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
    let setting = Setting::new(&typed, &site, browser_table());
    let output = setting
        .command("try")
        .arg(setting.path().join("journeys/journey.toml"))
        .env("CREDENTIALS_DIRECTORY", &credentials)
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn a_program_that_tells_no_secret_is_told_and_what_it_printed_is_not() {
    let typed = journey(
        "{ goto = '${portal}/' }, { fill = { field = 'label=Clave', with = '${secret:ECO_CLAVE}' } }",
    );
    let command = format!(
        "secret_command = ['sh', '-c', 'echo casi-la-clave; exit 3', '{{name}}']\n{}",
        browser_table()
    );
    let setting = Setting::new(&typed, &echoing_site(), &command);
    let output = setting.command("check").output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains(
            "the `secret_command`, asked for the secret `ECO_CLAVE`, failed: exit status: 3"
        ),
        "{told}"
    );
    assert!(!told.contains("casi-la-clave"), "{told}");
    // The probe starts, and says so of each run.
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let run = probe.run_that_started();
    let (_, _, stderr) = probe.stop();
    assert_eq!(
        run.journey.text("result"),
        Some("unmeasured"),
        "{}",
        run.journey.0
    );
    assert_eq!(run.journey.text("error_class"), Some("config"));
    assert!(
        !format!("{stderr}{}", run.journey.0).contains("casi-la-clave"),
        "{stderr}"
    );
}
