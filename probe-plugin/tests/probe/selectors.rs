//! Selectors: what each kind finds and what it passes over, what is told where it finds nothing or too much, and drift.

use std::fs;

use crate::{
    pages::serve,
    running::{Run, Running, Setting, browser_table},
};

/// A run for each of these actions, on this page, in one probe: its outcome and error, without the time waited.
fn told(page: &'static str, actions: &[&str], action_timeout: &str) -> String {
    let pages = Box::leak(Box::new([("/", page)]));
    let journey = |index: usize, action: &str| {
        format!(
            r#"
system = "paginas"
name = "j{index:02}"
impact = "low"
every = "24h"
timeout = "60s"
action_timeout = "{action_timeout}"
[variables]
portal = "https://t.example"
[[step]]
name = "Abrir"
actions = [{{ goto = "${{portal}}/" }}]
[[step]]
name = "Usar"
actions = [{action}]
"#
        )
    };
    // They only wait.
    let more = format!("max_concurrent = 8\n{}", browser_table());
    let setting = Setting::new(&journey(0, actions[0]), &serve(pages), &more);
    for (index, action) in actions.iter().enumerate().skip(1) {
        let file = setting.path().join(format!("journeys/j{index}.toml"));
        fs::write(file, journey(index, action)).unwrap();
    }
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let mut runs: Vec<Run> = actions.iter().map(|_| probe.run()).collect();
    probe.stop();
    runs.sort_by_key(|run| run.journey.tag("journey"));
    let line = |(run, action): (&Run, &&str)| {
        let result = run.journey.text("error_class").unwrap_or("ok");
        let error = run.journey.text("error").unwrap_or_default();
        let error = error.split(" (waited").next().unwrap_or_default();
        format!("{action}\n  {result}: {error}")
    };
    runs.iter()
        .zip(actions)
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Every selector finds an element that a user can see, and it is the one with this id.
fn finds(page: &'static str, found: &[(&str, &str)]) {
    let actions: Vec<String> = found
        .iter()
        .map(|(selector, id)| {
            format!(r#"{{ expect = {{ visible = "{selector} >> xpath=self::*[@id='{id}']" }} }}"#)
        })
        .collect();
    let told = told(page, &[&actions.join(", ")], "20s");
    assert!(told.ends_with("\n  ok: "), "{told}");
}

/// No selector finds anything that a user can see.
fn finds_nothing(page: &'static str, selectors: &[&str]) {
    let actions: Vec<String> = selectors
        .iter()
        .map(|selector| format!(r#"{{ expect = {{ hidden = "{selector}" }} }}"#))
        .collect();
    let told = told(page, &[&actions.join(", ")], "20s");
    assert!(told.ends_with("\n  ok: "), "{told}");
}

const OFFICE: &str = "<title>Mesa</title>
<form id=login><label>Usuario <input></label><label>Contraseña * <input type=password value=Secreto1></label>
<input placeholder=Trámite data-testid=busca><button class=b>Entrar</button></form>
<label><input type=checkbox> Acepto</label><label><input type=checkbox> Recibir avisos</label>
<table><tr><td>2026-1</td><td><a href=#>Ver</a></td></tr><tr><td>2026-2</td><td><a href=#>Ver</a></td></tr></table>
<p>Bienvenida, Ana</p><p hidden>Cerrado</p><div aria-hidden=true><button>Mudo</button></div>";

#[test]
fn an_error_says_what_was_found_instead() {
    insta::assert_snapshot!(told(
        OFFICE,
        &[
            "{ click = \"label=Clave\" }",
            "{ click = \"placeholder=Expediente\" }",
            "{ click = \"testid=buscar\" }",
            "{ click = \"role=button[name='Salir']\" }",
            "{ click = \"role=tab\" }",
            "{ click = \"role=checkbox[name='Acepto'][checked]\" }",
            "{ click = \"role=button[name='Mudo']\" }",
            "{ click = \"text=Bienvenido, Ana\" }",
            "{ click = \"text=Cerrado\" }",
            "{ click = \"form#login button.primary\" }",
            "{ click = \"form#login > p\" }",
            "{ click = \"button.primary\" }",
            "{ click = \"#nada\" }",
            "{ click = \"#logon\" }",
            "{ click = \"xpath=//form[@id='login']//select\" }",
            "{ click = \"xpath=//a/@href\" }",
            "{ click = \"xpath=count(//a)\" }",
            "{ click = \"role=row[name*='2026-3'] >> role=link\" }",
            "{ click = \"role=row[name*='2026-2'] >> role=button\" }",
            "{ click = \"role=link >> nth=5\" }",
            "{ click = \"role=link[name='Ver']\" }",
            "{ click = [\"label=Clave\", \"#nada\"] }",
            "{ click = \"p:(\" }",
        ],
        "2s"
    ), @r##"
    { click = "label=Clave" }
      element_missing: `label=Clave` matched nothing; there are fields labelled `Usuario`, `Contraseña`, `Acepto`, `Recibir avisos`
    { click = "placeholder=Expediente" }
      element_missing: `placeholder=Expediente` matched nothing; there are fields with placeholder `Trámite`
    { click = "testid=buscar" }
      element_missing: `testid=buscar` matched nothing; there are elements with test id `busca`
    { click = "role=button[name='Salir']" }
      element_missing: `role=button[name='Salir']` matched nothing; there are elements of role `button` named `Entrar`
    { click = "role=tab" }
      element_missing: `role=tab` matched nothing; there are no elements of role `tab`
    { click = "role=checkbox[name='Acepto'][checked]" }
      element_missing: `role=checkbox[name='Acepto'][checked]` matched nothing; one named `Acepto` is there, and not `[checked=true]`
    { click = "role=button[name='Mudo']" }
      element_missing: `role=button[name='Mudo']` matched nothing; one named `Mudo` is there, and hidden from assistive technology
    { click = "text=Bienvenido, Ana" }
      element_missing: `text=Bienvenido, Ana` matched nothing; the nearest texts are `Bienvenida, Ana`
    { click = "text=Cerrado" }
      element_missing: `text=Cerrado` matched nothing; `Cerrado` is on the page and not visible
    { click = "form#login button.primary" }
      element_missing: `form#login button.primary` matched nothing; `form#login` is there, `button.primary` inside it is not
    { click = "form#login > p" }
      element_missing: `form#login > p` matched nothing; `form#login` is there, `p` inside it is not
    { click = "button.primary" }
      element_missing: `button.primary` matched nothing; `button` is there, without `.primary`
    { click = "#nada" }
      element_missing: `#nada` matched nothing
    { click = "#logon" }
      element_missing: `#logon` matched nothing; there are `#login`
    { click = "xpath=//form[@id='login']//select" }
      element_missing: `xpath=//form[@id='login']//select` matched nothing; `//form[@id='login']` is there, `//select` in it is not
    { click = "xpath=//a/@href" }
      config: `xpath=//a/@href` is no selector: it names an attribute, and no element
    { click = "xpath=count(//a)" }
      config: `xpath=count(//a)` is no selector: it names no elements, it computes a value
    { click = "role=row[name*='2026-3'] >> role=link" }
      element_missing: `role=row[name*='2026-3'] >> role=link` matched nothing; `role=row[name*='2026-3']` is not there; there are elements of role `row` named `2026-1 Ver`, `2026-2 Ver`
    { click = "role=row[name*='2026-2'] >> role=button" }
      element_missing: `role=row[name*='2026-2'] >> role=button` matched nothing; `role=row[name*='2026-2']` is there, `role=button` within it is not; there are no elements of role `button`
    { click = "role=link >> nth=5" }
      element_missing: `role=link >> nth=5` matched nothing; there are 2 of `role=link`
    { click = "role=link[name='Ver']" }
      not_actionable: `role=link[name='Ver']` matched 2 elements: `a` “Ver” in `tr` “2026-1 Ver”, `a` “Ver” in `tr` “2026-2 Ver”; say which, ` >> nth=0` is the first
    { click = ["label=Clave", "#nada"] }
      element_missing: `label=Clave` matched nothing; there are fields labelled `Usuario`, `Contraseña`, `Acepto`, `Recibir avisos`
    { click = "p:(" }
      config: `p:(` is no selector: 'p:(' is not a valid selector.
    "##);
}

#[test]
fn a_text_is_found_in_the_innermost_element_that_shows_it() {
    finds(
        "<p id=a>Hola <b id=b>mundo</b> cruel</p><button id=c>Guardar <i>ya</i></button>
         <h2 id=d style='text-transform:uppercase'>Estado civil</h2>
         <select id=e><option>Lima</option><option selected>Quito</option></select>
         <input type=submit id=f value='Pagar ahora'><input type=submit hidden value='Pagar luego'>
         <p id=i>Total</p><p>Total: 5</p><p id=j>1 >> 2</p>
         <my-x id=g>Ranura</my-x><script>customElements.define('my-x', class extends HTMLElement { connectedCallback() {
           this.attachShadow({mode: 'open'}).innerHTML = '<em id=h>Sombra</em><slot></slot>' } })</script>",
        &[
            ("text=mundo", "b"),
            ("text=Hola mundo", "a"),
            ("text='Hola  mundo cruel'", "a"),
            ("text='Guardar ya'", "c"),
            ("text=ESTADO CIVIL", "d"),
            ("text=Estado", "d"),
            ("text=Quito", "e"),
            ("text=Pagar", "f"),
            ("text='Total'", "i"),
            ("text='1 >> 2'", "j"),
            ("text=Ranura", "g"),
            ("text=Sombra", "h"),
            ("#g >> text=Sombra", "h"),
        ],
    );
}

#[test]
fn a_text_that_nobody_sees_is_not_found() {
    finds_nothing(
        "<p>Total: 5</p><p hidden>Oculto</p><p style='visibility:hidden'>Borrado</p><textarea>Nota</textarea>
         <select><option>Lima</option><option selected>Quito</option></select><input type=submit hidden value=Anular>
         <details><summary>Más</summary><p>Plegado</p></details><template><p>Molde</p></template>",
        &[
            "text='Total'",
            "text=Oculto",
            "text=Borrado",
            "text=Nota",
            "text=Lima",
            "text=Anular",
            "text=Plegado",
            "text=Molde",
        ],
    );
}

#[test]
fn a_chain_looks_within_what_the_part_before_found() {
    finds(
        "<table><tr><td>2026-1</td><td><a href=# id=a>Ver</a></td></tr><tr><td>2026-2</td><td><a href=# id=b>Ver</a> <a href=# id=c>Ver todo</a></td></tr></table>
         <a href=# hidden>Ver</a><my-x><a href=# id=d>Dentro</a></my-x><a href=#>Fuera</a>
         <script>customElements.define('my-x', class extends HTMLElement { connectedCallback() {
           this.attachShadow({mode: 'open'}).innerHTML = '<section id=e><slot></slot><div><my-y></my-y></div></section>' } });
           customElements.define('my-y', class extends HTMLElement { connectedCallback() {
           this.attachShadow({mode: 'open'}).innerHTML = '<button id=f>Hondo</button>' } })</script>",
        &[
            ("role=row[name*='2026-2'] >> role=link[name='Ver']", "b"),
            ("role=row[name*='2026-2'] >> role=link[name='VER' i]", "b"),
            ("role=row >> nth=1 >> a >> last", "c"),
            ("role=link[name='Ver'] >> last", "b"),
            ("a >> nth=3", "d"),
            ("role=link[name='Ver'] >> nth=0", "a"),
            ("role=link[name*='Ver'] >> first", "a"),
            ("role=link[name*='Ver'] >> nth=-2", "b"),
            ("table >> xpath=//tr[2]//a[1]", "b"),
            ("#e >> role=link", "d"),
            ("#e >> text=Dentro", "d"),
            ("my-x >> role=button[name='Hondo']", "f"),
        ],
    );
}

#[test]
fn a_field_is_found_by_whatever_labels_it() {
    finds(
        "<label for=a>Nombre</label><input id=a><label>Apellido <select id=b><option>x</select></label>
         <textarea id=c aria-label=Nota></textarea><span id=t1>Calle</span> <span id=t2>y número</span><input id=d aria-labelledby='t1 t2'>
         <label for=e>Clave <b>*</b></label><input id=e type=password><label for=f>* Correo (*)</label><input id=f>
         <label for=g>Tarjeta</label><label for=g>16 cifras</label><input id=g><label style='display:none' for=h>Escondida</label><input id=h>
         <label><input type=checkbox id=i> Acepto las <a href=#>condiciones</a></label><div id=j role=textbox contenteditable aria-label=Rico>x</div>
         <label>Cada <input id=k value=3> meses</label><button aria-label=Nota>n</button><input placeholder=Nombre>
         <my-x></my-x><script>customElements.define('my-x', class extends HTMLElement { connectedCallback() {
           this.attachShadow({mode: 'open'}).innerHTML = '<label for=l>Sombra:</label><input id=l>' } })</script>",
        &[
            ("label=Nombre", "a"),
            ("label=Nombre:", "a"),
            ("label='Apellido'", "b"),
            ("label=Nota", "c"),
            ("label=Calle y número", "d"),
            ("label=Clave", "e"),
            ("label=Correo", "f"),
            ("label=Tarjeta", "g"),
            ("label=16 cifras", "g"),
            ("label=Tarjeta 16 cifras", "g"),
            ("label=Escondida", "h"),
            ("label=Acepto las condiciones", "i"),
            ("label=Rico", "j"),
            ("label=Cada meses", "k"),
            ("label=Sombra", "l"),
        ],
    );
}

#[test]
fn a_role_is_found_by_its_name_and_by_how_it_stands() {
    finds(
        "<h1>Uno</h1><h2 id=a>Dos</h2><input type=checkbox aria-label=C><input type=checkbox checked id=b aria-label=C>
         <button aria-pressed=true id=c>N</button><button>N</button><button aria-expanded=false id=d>M</button><button disabled id=e>D</button>
         <div role=tab aria-selected=true id=f>T</div><div role=tab>T</div><details id=x open><summary id=g>Más</summary>y</details>
         <button id=h aria-label='Cerrar [x]'>x</button><button id=i>L&#39;art</button><div role='foo button' id=j>B</div>
         <div aria-hidden=true><button>B</button></div><button inert>B</button><img role=none alt=B>",
        &[
            ("role=heading[level=2]", "a"),
            ("role=checkbox[name='C'][checked]", "b"),
            ("role=button[name='N'][pressed]", "c"),
            ("role=button[expanded=false]", "d"),
            ("role=button[disabled]", "e"),
            ("role=tab[selected=true]", "f"),
            ("role=button[expanded]", "g"),
            ("role=button[name='Cerrar [x]']", "h"),
            ("role=button[name='L\\\\'art']", "i"),
            ("role=button[name='B']", "j"),
        ],
    );
}

/// What is looked for by the first selector is there under the second only.
const DRIFTED: &str = r##"
system = "paginas"
name = "deriva"
impact = "low"
every = "1s"
timeout = "15s"
[variables]
portal = "https://t.example"
[[step]]
name = "Ingresar"
actions = [
  { goto = "${portal}/" },
  { fill = { field = ["label=Usuario", "#user"], with = "robot" } },
  { click = ["role=button[name='Entrar']", "#go"] },
]
"##;

const DRIFT_PAGE: &[(&str, &str)] = &[(
    "/",
    "<label>Cuenta <input id=user></label><button id=go>Entrar</button>",
)];

const DRIFT: &str = "Ingresar: `#user` instead of `label=Usuario`";

#[test]
fn a_selector_that_stands_in_is_told_with_every_run_and_logged_once() {
    let setting = Setting::new(DRIFTED, &serve(DRIFT_PAGE), browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    for _ in 0..3 {
        let run = probe.run_that_started();
        assert_eq!(run.journey.integer("ok"), Some(1), "{}", run.journey.0);
        assert_eq!(run.journey.text("drift"), Some(DRIFT), "{}", run.journey.0);
    }
    let (_, _, stderr) = probe.stop();
    let warnings: Vec<&str> = stderr
        .lines()
        .filter(|line| line.starts_with("W! "))
        .collect();
    let warning =
        format!("W! drift, the page is no longer what its journey says: paginas/deriva: {DRIFT}");
    assert_eq!(warnings, [warning.as_str()]);
}

#[test]
fn a_selector_that_stands_in_is_told_by_try() {
    let setting = Setting::new(DRIFTED, &serve(DRIFT_PAGE), browser_table());
    let output = setting
        .command("try")
        .arg(setting.path().join("journeys/journey.toml"))
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        told.contains("\nok in ") && told.contains(&format!(" ms\n  drift: {DRIFT}\n  at http://")),
        "{told}"
    );
}

#[test]
fn the_selector_that_is_meant_wins_where_both_are_there() {
    const PAGE: &[(&str, &str)] = &[(
        "/",
        "<label>Usuario <input></label><input id=user><button id=go>Entrar</button>",
    )];
    let setting = Setting::new(DRIFTED, &serve(PAGE), browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let run = probe.run_that_started();
    assert_eq!(run.journey.integer("ok"), Some(1), "{}", run.journey.0);
    assert_eq!(run.journey.text("drift"), None, "{}", run.journey.0);
    probe.stop();
}
