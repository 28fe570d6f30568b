//! Pages that move, cover and replace what is about to be clicked: the right thing receives the click, or nothing does.
//!
//! Each page counts what reaches anything else, from the pressing to the click, and the journey ends on that count.

use crate::scenes::{expect_failed, expect_ok, walk};

/// So many clicks in one journey.
const ROUNDS: usize = 60;

fn rounds(action: &str, times: usize) -> String {
    format!("{action}, ").repeat(times)
}

/// `wrong` is counted on the whole page in every phase; `right` are the clicks of `#b`.
const COUNT: &str = "<p>Bien <span id=right>0</span>, mal <span id=wrong>0</span>.</p><script>
  for (const kind of ['pointerdown', 'mousedown', 'pointerup', 'mouseup', 'click']) addEventListener(kind, (event) => {
    const good = event.composedPath().some((node) => node.id === 'b');
    if (!good) wrong.textContent = +wrong.textContent + 1;
    else if (kind === 'click') right.textContent = +right.textContent + 1;
  }, true);</script>";

fn page(scene: &str) -> &'static str {
    Box::leak(format!("<!doctype html><body style='margin:0'>{COUNT}{scene}").into_boxed_str())
}

/// The button is clicked as often as it was told and nothing else was ever touched.
fn only_the_right_one(scene: &str, times: usize) {
    let actions = rounds("{ click = '#b' }", times);
    let told = format!("{actions}{{ expect = {{ text = 'Bien {times}, mal 0.' }} }}");
    expect_ok(page(scene), &told);
}

const SWAPPING: &str = "<style>button { position: absolute; width: 120px; height: 40px } </style>
  <button id=b>Guardar</button><button id=w>Borrar</button><script>
  const places = [[100, 100], [300, 100], [100, 300], [300, 300]];
  let turn = 0;
  const put = (it, [x, y]) => { it.style.left = x + 'px'; it.style.top = y + 'px' };
  const jump = () => { turn += 1; put(b, places[turn % 4]); put(w, places[(turn + 3) % 4]) };";

#[test]
fn a_button_that_jumps_and_leaves_a_wrong_one_in_its_place_is_the_only_one_clicked() {
    let scene = format!("{SWAPPING} jump(); setInterval(jump, 30)</script>");
    only_the_right_one(&scene, ROUNDS);
}

#[test]
fn a_wrong_button_that_takes_the_place_when_the_mouse_comes_is_not_clicked() {
    let scene = format!(
        "{SWAPPING} jump(); let moves = 0; addEventListener('mousemove', () => {{ moves += 1; if (moves % 3) jump() }})</script>"
    );
    only_the_right_one(&scene, 20);
}

const RUNNING: &str = "<style>button { position: absolute; width: 30px; height: 30px; top: 100px }</style>
  <button id=b>A</button><button class=w>B</button><button class=w>C</button><script>
  const all = [...document.querySelectorAll('button')];
  const step = (time) => { if (rests(time)) return requestAnimationFrame(step);
    all.forEach((it, at) => { it.style.left = 50 + (at * 32 + time * 3.1) % 96 + 'px' }); requestAnimationFrame(step) };
  requestAnimationFrame(step);";

#[test]
fn a_button_that_a_script_moves_by_fits_and_starts_is_the_only_one_clicked() {
    let scene = format!("{RUNNING} function rests(time) {{ return time % 700 > 300 }}</script>");
    only_the_right_one(&scene, 15);
}

#[test]
fn a_button_that_css_moves_or_that_a_growing_neighbour_pushes_is_the_only_one_clicked() {
    only_the_right_one(
        "<style>
         @keyframes slide { to { transform: translateX(400px) } }
         #b.go { animation: slide .3s linear infinite alternate } #b { transition: margin-top .3s }
         button { display: block; width: 60px; height: 30px }</style>
         <grow-er></grow-er><button>Antes</button><button id=b>Guardar</button><button>Después</button><script>
         customElements.define('grow-er', class extends HTMLElement { connectedCallback() {
           this.attachShadow({mode: 'open'}).innerHTML = '<div style=height:10px></div>';
           this.shadowRoot.firstChild.animate([{height: '10px'}, {height: '300px'}], {duration: 700, iterations: 3, direction: 'alternate', fill: 'forwards'});
         }});
         let clicks = 0;
         b.onclick = () => { clicks += 1; b.className = clicks < 3 ? 'go' : ''; b.style.marginTop = clicks % 2 * 200 + 'px';
           if (b.className) setTimeout(() => { b.className = '' }, 500) }</script>",
        8,
    );
}

#[test]
fn a_button_that_a_late_picture_and_a_late_font_push_is_the_only_one_clicked() {
    only_the_right_one(
        "<style>@font-face { font-family: Tarde; src: url(/late.ttf) } #t { font: 20px Tarde, monospace; width: 400px }
         button { display: block; width: 200px; height: 30px; margin: 0 }</style>
         <p id=t>palabras que llenan el renglon</p><img id=i src=/late.svg style='display:block'>
         <button>Antes</button><button id=b>Guardar</button><button>Despues</button><button>Mas</button><script>
         let turn = 0;
         b.onclick = () => { turn += 1; i.src = '/late.svg?' + turn; if (turn % 2) i.removeAttribute('src'); else t.append(' y sigue') }
         </script>",
        6,
    );
}

#[test]
fn a_button_that_scrolls_smoothly_under_a_bar_is_the_only_one_clicked() {
    only_the_right_one(
        "<style>html { scroll-behavior: smooth }</style>
         <div style='position:sticky;top:0;height:200px;background:#eee;z-index:2'>Barra <button>Borrar</button></div>
         <div style='height:2500px'><button>Borrar</button></div><button id=b>Guardar</button><button>Borrar</button><div style='height:2500px'></div>
         <script>b.onclick = () => scrollTo(0, Math.random() * 4000)</script>",
        8,
    );
}

#[test]
fn a_row_that_is_used_for_another_thing_before_the_press_is_not_clicked() {
    // The element stays where it is and comes to mean something else, as rows do in lists that use them again.
    let run = walk(
        page(
            "<div id=list><button>Ana</button> <button>Luz</button></div><p>Pulsados: <span id=o></span></p><script>
            const [first, second] = list.children;
            let moves = 0;
            addEventListener('mousemove', () => { moves += 1; if (moves === 1) { first.textContent = 'Luz'; second.textContent = 'Ana' } });
            list.onclick = (event) => { o.textContent += event.target.textContent }</script>",
        ),
        "{ click = \"role=button[name='Ana']\" }, { expect = { text = 'Pulsados: Ana' } }",
    );
    assert_eq!(run.journey.integer("ok"), Some(1), "{}", run.journey.0);
}

#[test]
fn a_button_that_is_replaced_when_the_mouse_comes_is_clicked_once() {
    only_the_right_one(
        "<div id=box></div><script>const make = () => { box.innerHTML = '<button id=b>Guardar</button>'; box.firstChild.onmouseenter = (event) => { if (!box.dataset.done) { box.dataset.done = 1; make() } } }; make()</script>",
        2,
    );
}

#[test]
fn a_curtain_that_falls_when_the_mouse_comes_keeps_the_whole_press_back() {
    expect_failed(
        page(
            "<button id=b onmouseenter=\"c.style.display='block'\">Guardar</button><div id=c class=modal style='display:none;position:fixed;inset:0'></div>",
        ),
        "{ click = '#b' }",
        "not_actionable",
        "`#b` is covered by `div#c.modal`",
    );
    only_the_right_one(
        "<button id=b onmouseenter=\"if (!this.title) { this.title = 'x'; c.style.display='block'; setTimeout(() => c.style.display='none', 300) }\">Guardar</button><div id=c style='display:none;position:fixed;inset:0'></div>",
        1,
    );
}

#[test]
fn a_press_that_is_kept_back_moves_no_focus() {
    expect_ok(
        page(
            "<input id=f autofocus><div id=box style='position:relative'><button id=b>Guardar</button></div><p>Foco: <span id=o>quedó</span></p><script>
            f.focus(); f.onblur = () => { if (!document.querySelector('#done')) o.textContent = 'se fue' };
            let first = true;
            b.onmouseenter = () => { if (!first) return; first = false;
              const over = document.createElement('input'); over.style = 'position:absolute;inset:0;z-index:3'; box.append(over);
              setTimeout(() => { over.remove(); document.body.append(Object.assign(document.createElement('i'), {id: 'done'})) }, 300) }</script>",
        ),
        "{ click = '#b' }, { expect = { text = 'Foco: quedó' } }, { expect = { text = 'Bien 1, mal 0.' } }",
    );
}

#[test]
fn a_button_that_slips_away_while_it_is_pressed_is_pressed_again() {
    // The field that loses the focus complains, and pushes the button down before it is let go. The five that are no event of
    // the button are those of the click on the field.
    expect_ok(
        page(
            "<input id=f><div id=e></div><button id=b style='display:block'>Guardar</button><script>
            f.onblur = () => { e.style.height = '120px' }</script>",
        ),
        "{ click = '#f' }, { click = '#b' }, { expect = { text = 'Bien 1, mal 5.' } }",
    );
}

#[test]
fn a_button_that_answers_the_pressing_and_moves_away_is_pressed_once() {
    expect_ok(
        "<div id=e></div><button id=b style='display:block'>Más</button><p>[<span id=o></span>]</p><script>
        b.onmousedown = () => { o.textContent += 1; e.style.height = e.offsetHeight + 120 + 'px' }</script>",
        "{ click = '#b' }, { click = '#b' }, { expect = { text = '[11]' } }",
    );
}

#[test]
fn a_page_that_rewrites_its_document_is_clicked_once() {
    expect_ok(
        page(
            "<script>addEventListener('load', () => { document.open(); document.write('<button onclick=\"o.textContent+=1\">Guardar</button><p>Veces: <span id=o></span>.</p>'); document.close() })</script>",
        ),
        "{ click = 'text=Guardar' }, { expect = { text = 'Veces: 1.' } }",
    );
}

#[test]
fn a_button_that_goes_away_or_is_disabled_when_pressed_is_pressed_once() {
    expect_ok(
        "<button onpointerdown='o.textContent+=1;this.remove()'>Uno</button><button onmousedown='o.textContent+=2;this.disabled=true'>Dos</button><p>[<span id=o></span>]</p>",
        "{ click = 'text=Uno' }, { click = 'text=Dos' }, { expect = { text = '[12]' } }",
    );
}

#[test]
fn a_key_that_presses_a_button_is_not_kept_back() {
    expect_ok(
        "<form onsubmit=\"event.preventDefault(); o.textContent='Enviado'\"><label>Nombre <input></label><button>Enviar</button></form><p id=o></p><label><input type=checkbox onchange=\"o.textContent+=' marcado'\">Acepto</label>",
        "{ fill = { field = 'label=Nombre', with = 'x' } }, { press = 'Enter' }, { expect = { text = 'Enviado' } }, { click = 'text=Acepto' }, { expect = { text = 'Enviado marcado' } }",
    );
}
