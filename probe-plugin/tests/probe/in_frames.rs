//! Frames: of the same origin, of another site in a process of its own, inside each other, moving, hidden, hung. What stands
//! in them is used as anything else on the page.

use std::fs;

use crate::{
    running::{Running, Setting, browser_table, members},
    scenes::{expect_site_failed, expect_site_ok, serve, walk_site},
};

/// A form whose answer shows what was done in it.
const FORM: &str = "<!doctype html><body style='margin:0'><label>Nombre <input id=n></label> <button onclick=\"o.textContent='Enviado ' + n.value\">Enviar</button>
  <p id=o></p><script>n.onkeydown = (e) => { if (e.key === 'Enter') o.textContent = 'Tecla ' + n.value }</script>";

const USE: &str = "{ fill = { field = 'label=Nombre', with = 'Ana' } }, { press = 'Enter' }, { expect = { text = 'Tecla Ana' } },
  { fill = { field = 'label=Nombre', with = 'Luz' } }, { click = 'text=Enviar' }, { expect = { text = 'Enviado Luz' } }, { expect = { visible = 'text=Enviado' } }";

#[test]
fn a_form_in_a_frame_of_the_same_origin_is_used() {
    expect_site_ok(
        &[
            ("/", "<p>Fuera</p><iframe src=/form></iframe>"),
            ("/form", FORM),
        ],
        USE,
    );
}

#[test]
fn a_form_in_a_frame_of_another_site_is_used() {
    expect_site_ok(
        &[
            (
                "/",
                "<p>Fuera</p><iframe src='http://localhost:PORT/form'></iframe>",
            ),
            ("/form", FORM),
        ],
        USE,
    );
}

#[test]
fn a_frame_of_another_site_has_a_process_of_its_own() {
    let pages = &[
        ("/", "<iframe src='http://localhost:PORT/form'></iframe>"),
        ("/form", "<p>Listo</p>"),
    ];
    let journey = "system = \"paginas\"\nname = \"marcos\"\nimpact = \"low\"\nevery = \"24h\"\ntimeout = \"50s\"\n[variables]\nportal = \"https://t.example\"\n[[step]]\nname = \"Usar\"\nactions = [{ goto = \"${portal}/\" }, { expect = { text = \"Listo\" } }, { wait = \"40s\" }]\n";
    let setting = Setting::new(journey, &serve(pages), browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    crate::running::until("two renderers of pages", || {
        let group = setting.browser_group();
        group.is_some_and(|group| {
            let renderers = members(group).into_iter().filter(|id| {
                let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
                String::from_utf8_lossy(&line).contains("--type=renderer")
            });
            renderers.count() >= 2
        })
    });
    probe.stop();
}

#[test]
fn a_form_two_frames_deep_is_used() {
    expect_site_ok(
        &[
            (
                "/",
                "<p>Fuera</p><iframe width=700 height=400 style='margin:30px;border:7px solid;padding:9px' src='http://localhost:PORT/middle'></iframe>",
            ),
            (
                "/middle",
                "<p>Medio</p><iframe width=500 height=200 style='transform:scale(.8)' src='http://127.0.0.1:PORT/form'></iframe>",
            ),
            ("/form", FORM),
        ],
        USE,
    );
}

#[test]
fn a_form_in_frames_without_an_address_of_their_own_is_used() {
    expect_site_ok(
        &[(
            "/",
            "<p>Fuera</p><iframe srcdoc=\"<button onclick='o.textContent=1'>Uno</button><p>[<span id=o></span>]</p>\"></iframe>
             <iframe sandbox='allow-scripts' src=/in></iframe><iframe id=blank></iframe><script>
             blank.contentDocument.body.innerHTML = '<button>Tres</button>'; blank.contentDocument.querySelector('button').onclick = (e) => e.target.textContent = 'Hecho 3'</script>",
        ), ("/in", "<button onclick=\"this.textContent='Hecho 2'\">Dos</button>")],
        "{ click = 'text=Uno' }, { expect = { text = '[1]' } }, { click = 'text=Dos' }, { expect = { text = 'Hecho 2' } }, { click = 'text=Tres' }, { expect = { text = 'Hecho 3' } }",
    );
}

#[test]
fn a_frame_far_down_that_comes_late_is_brought_into_the_window() {
    expect_site_ok(
        &[
            ("/", "<div style='height:3000px'></div><div id=box></div><div style='height:3000px'></div><script>
              setTimeout(() => { box.innerHTML = '<iframe height=2000 src=http://localhost:PORT/form></iframe>' }, 300)</script>"),
            ("/form", "<div style='height:1800px'></div><button onclick=\"this.textContent='Hecho'\">Enviar</button>"),
        ],
        "{ click = 'text=Enviar' }, { expect = { text = 'Hecho' } }",
    );
}

#[test]
fn a_frame_that_jumps_about_receives_no_wrong_click() {
    let clicks = "{ click = 'text=Sumar' }, ".repeat(25);
    let counter = "<body style='margin:0'><button style='width:200px;height:60px' onclick='o.textContent=+o.textContent+1'>Sumar</button> Bien <span id=o>0</span>.";
    let wrong = "<body style='margin:0'><button style='width:200px;height:60px'>Borrar</button> Mal <span id=o>0</span>.<script>
       for (const kind of ['pointerdown', 'mousedown', 'mouseup', 'click']) addEventListener(kind, () => { o.textContent = +o.textContent + 1 }, true)</script>";
    let page = "<style>iframe { position: absolute; width: 300px; height: 90px; border: 0 }</style>
       <iframe id=a src='http://localhost:PORT/right'></iframe><iframe id=w src='/wrong'></iframe><p>Fuera <span id=o>0</span>.</p><script>
       for (const kind of ['pointerdown', 'mousedown', 'mouseup', 'click']) addEventListener(kind, () => { o.textContent = +o.textContent + 1 }, true);
       const places = [[10, 100], [350, 100], [10, 250], [350, 250]]; let turn = 0;
       const put = (it, [x, y]) => { it.style.left = x + 'px'; it.style.top = y + 'px' };
       const jump = () => { turn += 1; put(a, places[turn % 4]); put(w, places[(turn + 3) % 4]) }; jump();
       setInterval(jump, 35)</script>";
    let pages: Vec<(&str, &str)> = vec![("/", page), ("/right", counter), ("/wrong", wrong)];
    expect_site_ok(
        Vec::leak(pages),
        &format!(
            "{clicks}{{ expect = {{ text = 'Bien 25.' }} }}, {{ expect = {{ text = 'Mal 0.' }} }}, {{ expect = {{ text = 'Fuera 0.' }} }}"
        ),
    );
}

#[test]
fn a_frame_under_a_curtain_of_the_page_is_told_with_the_curtain() {
    expect_site_failed(
        &[
            (
                "/",
                "<iframe src='http://localhost:PORT/form'></iframe><div class=velo style='position:fixed;inset:0'></div>",
            ),
            ("/form", FORM),
        ],
        "{ click = 'text=Enviar' }",
        "not_actionable",
        "`text=Enviar` did not receive the click: its frame is covered by `div.velo`",
    );
}

#[test]
fn an_element_that_two_frames_have_is_told_with_the_frames() {
    let run = walk_site(
        &[
            (
                "/",
                "<button>Enviar</button><iframe src='/form?a=1'></iframe>",
            ),
            ("/form", FORM),
        ],
        "{ expect = { visible = 'label=Nombre' } }, { click = 'text=Enviar' }",
    );
    let told = run.journey.text("error").unwrap();
    assert!(
        told.contains("matched elements of two frames: ")
            && told.contains("the page itself")
            && told.contains("/form`"),
        "{told}"
    );
}

#[test]
fn a_frame_that_loads_again_while_it_is_used_is_used_in_the_end() {
    expect_site_ok(
        &[
            ("/", "<iframe id=f src='http://localhost:PORT/form'></iframe><p>[<span id=o></span>]</p><script>
              let left = 4; const again = setInterval(() => { f.src = 'http://localhost:PORT/' + (left ? 'empty?' : 'form?') + left; if (!left) clearInterval(again); left -= 1 }, 60);
              addEventListener('message', () => { o.textContent += 'Dado' })</script>"),
            ("/empty", "<p>Cargando</p>"),
            ("/form", "<button onclick=\"parent.postMessage(1, '*')\">Confirmar</button><script>setTimeout(() => document.querySelector('button').textContent = 'Aceptar', 300)</script>"),
        ],
        "{ click = 'text=Aceptar' }, { expect = { text = '[Dado]' } }",
    );
}

#[test]
fn a_frame_that_hangs_holds_up_nothing_else() {
    let run = walk_site(
        &[
            (
                "/",
                "<button onclick=\"o.textContent='Hecho'\">Enviar</button> <input placeholder=Buscar oninput='o.textContent=this.value'><p id=o></p><iframe src='http://localhost:PORT/loop'></iframe>",
            ),
            (
                "/loop",
                "<p>Anuncio</p><script>addEventListener('load', () => setTimeout(() => { for (;;); }, 50))</script>",
            ),
        ],
        "{ wait = '300ms' }, { click = 'text=Enviar' }, { expect = { text = 'Hecho' } }, { fill = { field = 'placeholder=Buscar', with = 'x1' } }, { expect = { text = 'x1' } }, { click = 'text=Nada' }",
    );
    assert_eq!(
        run.journey.text("error_class"),
        Some("element_missing"),
        "{}",
        run.journey.0
    );
    let told = run.journey.text("error").unwrap();
    assert!(told.starts_with("`text=Nada` matched nothing"), "{told}");
}

#[test]
fn things_are_hovered_dragged_and_scrolled_in_a_frame_of_another_site() {
    expect_site_ok(
        &[
            ("/", "<p>Fuera</p><iframe width=500 height=400 src='http://localhost:PORT/in'></iframe>"),
            ("/in", "<style>#from, #to { width: 120px; height: 50px; margin: 20px; background: #ccc }</style>
              <b onmouseenter=\"o.textContent='visto '\">Menú</b><div id=from draggable=true>Ficha</div><div id=to>Cesta</div><p>[<span id=o></span>]</p>
              <div id=list style='height:80px;overflow:auto'><div style='height:600px'></div>Fin<div style='height:100px'></div></div><script>
              from.ondragstart = (e) => { e.dataTransfer.setData('text/plain', 'ficha-7') };
              to.ondragover = (e) => e.preventDefault();
              to.ondrop = (e) => { e.preventDefault(); o.textContent += e.dataTransfer.getData('text/plain') };
              list.onscroll = () => { if (list.scrollTop === 60) o.textContent += ' rueda' }</script>"),
        ],
        "{ hover = 'text=Menú' }, { drag = { from = 'text=Ficha', to = 'text=Cesta' } }, { scroll = { in = '#list', by = { y = 60 } } }, { expect = { text = '[visto ficha-7 rueda]' } }",
    );
}
