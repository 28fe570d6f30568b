//! `vigia-probe import`: projects of Selenium IDE become journeys that `check` takes and that are walked.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;
use vigia_testbed::{
    portal::{Fault, Portal, Switch},
    repository,
};

use crate::{
    running::{JOURNEY, SECRET, Setting, browser_table},
    ways,
};

fn project(name: &str) -> PathBuf {
    let projects = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/probe/projects");
    projects.join(name)
}

fn import(project: &Path, into: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vigia-probe"))
        .arg("import")
        .arg(project)
        .arg("--into")
        .arg(into)
        .args(more)
        .output()
        .unwrap()
}

/// With the folder's name instead of where it is.
fn text(bytes: &[u8], folder: &Path) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.replace(&folder.display().to_string(), "FOLDER")
}

/// The imported journeys and nothing else, against this site.
fn installed(project_name: &str, site: &str) -> Setting {
    let setting = Setting::new(JOURNEY, site, browser_table());
    let journeys = setting.path().join("journeys");
    fs::remove_file(journeys.join("journey.toml")).unwrap();
    let output = import(&project(project_name), &journeys, &[]);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    setting
}

fn attempt(setting: &Setting, journey: &str) -> (Option<i32>, String) {
    let output = setting
        .command("try")
        .arg(setting.path().join("journeys").join(journey))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.code(), told.into_owned())
}

/// Every file is as the one of its name among the projects.
fn is_as_expected(folder: &Path, expected: &str) {
    let expected = project(expected);
    let mut folders = vec![PathBuf::new()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(expected.join(&inner)).unwrap() {
            let name = inner.join(entry.unwrap().file_name());
            if expected.join(&name).is_dir() {
                folders.push(name);
                continue;
            }
            let wanted = fs::read_to_string(expected.join(&name)).unwrap();
            let imported = fs::read_to_string(folder.join(&name)).unwrap();
            assert!(imported == wanted, "{}:\n{imported}", name.display());
        }
    }
}

/// What is to fail is not waited for long.
fn make_impatient(setting: &Setting, journey: &str, of: &str) {
    let path = setting.path().join("journeys").join(journey);
    let text = fs::read_to_string(&path).unwrap();
    let lines = text.lines().map(|line| match line.strip_suffix(" },") {
        Some(action) if line.contains(of) => format!("{action}, timeout = \"2s\" }},\n"),
        _ => format!("{line}\n"),
    });
    fs::write(&path, lines.collect::<String>()).unwrap();
}

#[test]
fn a_project_becomes_the_journeys_that_a_person_would_have_written() {
    let folder = TempDir::new().unwrap();

    let output = import(&project("tramites.side"), folder.path(), &[]);

    assert_eq!(output.status.code(), Some(1), "{output:?}");
    insta::assert_snapshot!(text(&output.stdout, folder.path()), @r#"
    wrote FOLDER/consultar-expediente.toml
    wrote FOLDER/presentar-solicitud.toml
    wrote FOLDER/fragments/ingresar-al-portal.toml
    provide these secrets before the first run:
      TRAMITES_CLAVE
    "#);
    insta::assert_snapshot!(text(&output.stderr, folder.path()), @r#"
    not needed: test "Consultar expediente", command 16, close: the window is closed at the end of every run
    left out: test "Presentar solicitud", command 13, if | ${correo_alternativo} != '': a journey has no branches: it takes the same way every time, and this depends on the page
    left out: test "Presentar solicitud", command 14, type | id=correo | ${correo_alternativo}: it stands in the `if` of command 13
    left out: test "Presentar solicitud", command 24, runScript | console.log(`solicitud ${1 + 1}`): `${1 + 1}` cannot stand in the JavaScript of a journey; join the texts by +
    3 left out; each is a comment where it would stand
    "#);
    is_as_expected(folder.path(), "tramites");
    let page = fs::read_to_string(repository::path("docs/import.md")).unwrap();
    let told = text(&output.stdout, folder.path()) + &text(&output.stderr, folder.path());
    let told = told.replace("FOLDER", "journeys");
    assert!(page.contains(&told), "the page does not show\n{told}");
}

#[test]
fn a_typed_password_stands_in_nothing_that_is_written_or_told() {
    let folder = TempDir::new().unwrap();
    let output = import(&project("tramites.side"), folder.path(), &[]);
    let mut told = text(&output.stdout, folder.path()) + &text(&output.stderr, folder.path());
    for name in [
        "consultar-expediente",
        "presentar-solicitud",
        "fragments/ingresar-al-portal",
    ] {
        told += &fs::read_to_string(folder.path().join(name).with_extension("toml")).unwrap();
    }
    let source = fs::read_to_string(project("tramites.side")).unwrap();
    assert!(source.contains(SECRET), "the project types the password");
    assert!(!told.contains(SECRET), "{told}");
}

#[test]
fn no_file_is_overwritten_unless_it_is_said_and_twice_gives_the_same() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("presentar-solicitud.toml");
    fs::write(&file, "mine").unwrap();

    let output = import(&project("tramites.side"), folder.path(), &[]);

    assert_eq!(output.status.code(), Some(3), "{output:?}");
    insta::assert_snapshot!(text(&output.stderr, folder.path()), @r#"
    FOLDER/presentar-solicitud.toml: is there already
      hint: name another folder with --into, or overwrite it with --force
    1 mistake
    "#);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    let twice = [(); 2].map(|()| {
        let output = import(&project("tramites.side"), folder.path(), &["--force"]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        fs::read_to_string(&file).unwrap()
    });
    assert!(twice[0] != "mine" && twice[0] == twice[1]);
}

#[test]
fn what_is_no_project_is_told_with_its_line_and_what_to_do() {
    let folder = TempDir::new().unwrap();
    let mut told = String::new();
    for (text, more) in [
        ("{\n  \"name\": \"x\",\n  \"tests\": 5\n}\n", &[][..]),
        ("{ \"title\": \"x\", \"steps\": [] }", &[]),
        (
            "{ \"name\": \"...\", \"tests\": [{ \"commands\": [] }] }",
            &[],
        ),
        (
            "{ \"name\": \"x\", \"tests\": [{ \"commands\": [] }] }",
            &["--system", "Trámites"],
        ),
    ] {
        let file = folder.path().join("p.side");
        fs::write(&file, text).unwrap();
        let output = import(&file, &folder.path().join("journeys"), more);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        told += &String::from_utf8_lossy(&output.stderr);
    }
    insta::assert_snapshot!(told.replace(&folder.path().display().to_string(), "FOLDER"), @r#"
    FOLDER/p.side: is no project of Selenium IDE: invalid type: integer `5`, expected a sequence at line 3 column 12
      hint: save the project in Selenium IDE again; a file with the ending .side is JSON with a list `tests`
    1 mistake
    FOLDER/p.side: has no test
      hint: name a project of Selenium IDE (.side) that has a list `tests`
    1 mistake
    FOLDER/p.side: `` cannot be the name of a system
      hint: say what users call it, in lower-case letters, digits and hyphens: --system tramites
    1 mistake
    FOLDER/p.side: `Trámites` cannot be the name of a system
      hint: say what users call it, in lower-case letters, digits and hyphens: --system tramites
    1 mistake
    "#);
    assert!(!folder.path().join("journeys").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn imported_journeys_pass_check_and_are_walked_while_the_system_is_well_and_fail_when_it_is_not()
 {
    let portal = Portal::start().await.unwrap();
    let setting = installed("tramites.side", portal.url());

    let output = setting.command("check").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    for journey in ["consultar-expediente.toml", "presentar-solicitud.toml"] {
        let (code, told) = attempt(&setting, journey);
        assert_eq!(code, Some(0), "{told}");
    }

    portal.set_fault(Fault::ElementMissing, Switch::On);
    make_impatient(&setting, "consultar-expediente.toml", "Buscar expediente");
    let (code, told) = attempt(&setting, "consultar-expediente.toml");
    assert_eq!(code, Some(1), "{told}");
    let missing = "element_missing: `role=button[name*='Buscar expediente']` matched nothing";
    assert!(told.contains(missing), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_becomes_a_journey_that_can_be_written_on() {
    let portal = Portal::start().await.unwrap();
    let setting = Setting::new(JOURNEY, portal.url(), browser_table());
    let journeys = setting.path().join("journeys");
    fs::remove_file(journeys.join("journey.toml")).unwrap();
    let recording = project("consultar.json");

    let without_system = import(&recording, &journeys, &[]);
    assert_eq!(without_system.status.code(), Some(3), "{without_system:?}");
    let output = import(&recording, &journeys, &["--system", "tramites"]);

    assert_eq!(output.status.code(), Some(0), "{output:?}");
    insta::assert_snapshot!(text(&output.stdout, &journeys), @r#"
    wrote FOLDER/consultar-un-expediente.toml
    provide these secrets before the first run:
      TRAMITES_CLAVE
    "#);
    is_as_expected(&journeys, "consultar");
    let output = setting.command("check").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let (code, told) = attempt(&setting, "consultar-un-expediente.toml");
    assert_eq!(code, Some(0), "{told}");
    portal.set_fault(Fault::ServerError, Switch::On);
    let (code, told) = attempt(&setting, "consultar-un-expediente.toml");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("http_status"), "{told}");
}

const OFFICE: &str = r#"<!doctype html><title>Oficina</title><h1>Oficina</h1><a href=/segunda target=_blank>Abrir ventana</a>
<iframe src=/marco width=400 height=120></iframe><p id=dicho></p><script>const diga = (que) => { dicho.textContent = que }</script>
<button id=borrar onclick="diga(confirm('¿Borrar todo?') ? 'Borrado' : 'Queda')">Borrar</button>
<button id=llamar onclick="diga('Hola ' + prompt('¿Nombre?'))">Llamar</button>
<input id=buscar onkeydown="if (event.key === 'Enter') diga('Tecla ' + this.value)">
<button id=doble ondblclick="diga('Doble')">Doble</button>
<div id=menu style="width:200px;height:40px;background:#ccc" onmouseenter="diga('Dentro')">Menú</div>
<div id=ficha style="width:40px;height:40px;background:#acc;user-select:none" onmousedown="window.llevo = true">F</div>
<div id=caja style="width:90px;height:60px;background:#cca" onmouseup="if (window.llevo) diga('Llevada')">Caja</div>
<select id=avisos multiple><option value=c>Correo</option><option value=s>SMS</option><option value=f>Fax</option></select>
<input id=acepto type=checkbox><input id=cerrado disabled value=x><span id=ayuda title=Ayuda>?</span>
<button id=sumar onclick="suma.textContent = +suma.textContent + 1">Sumar</button><output id=suma></output><p id=oculto hidden>x</p>"#;

const SECOND: &str = "<title>Segunda</title><button onmouseleave=\"v.textContent='Fuera'\" onclick=\"v.textContent=`veces ${window.n=(window.n||0)+1}`\">contar</button><p id=veces></p><script>const v=veces</script>";

const FRAME: &str = "<input id=nombre><button onclick=\"enviado.textContent='Enviado '+nombre.value\">Enviar</button><p id=enviado></p>";

#[test]
fn windows_frames_dialogs_keys_and_the_mouse_of_a_project_do_what_they_did_in_selenium() {
    let pages = |office: &str| {
        let pages = [("/", office), ("/segunda", SECOND), ("/marco", FRAME)];
        pages
            .map(|(path, page)| (path.to_owned(), page.to_owned()))
            .to_vec()
    };
    let setting = installed("oficina.side", &ways::serve(pages(OFFICE)));
    let (code, told) = attempt(&setting, "usar-la-oficina.toml");
    assert_eq!(code, Some(0), "{told}");

    let broken = OFFICE.replace("diga('Llevada')", "diga('Perdida')");
    let setting = installed("oficina.side", &ways::serve(pages(&broken)));
    make_impatient(&setting, "usar-la-oficina.toml", "Llevada");
    let (code, told) = attempt(&setting, "usar-la-oficina.toml");
    assert_eq!(code, Some(1), "{told}");
    assert!(
        told.contains("`#dicho` shows `Perdida`, not `Llevada`"),
        "{told}"
    );
}
