//! What is done with the mouse, each on a page that needs it and with that page's trap.

use crate::scenes::{expect_failed, expect_ok};

#[test]
fn a_double_click_fires_once_and_the_other_buttons_and_keys_are_told_to_the_page() {
    expect_ok(
        "<button id=b style='width:100px;height:50px'>Cosa</button><p>[<span id=o></span>]</p><script>
         b.ondblclick = () => o.textContent += 'doble ';
         b.onclick = (e) => { if (e.ctrlKey && e.shiftKey && !e.altKey) o.textContent += 'ctrl-mayús '; const box = b.getBoundingClientRect(); if (Math.round(e.clientX - box.left) === 7 && Math.round(e.clientY - box.top) === 11) o.textContent += 'esquina '; if (e.detail === 3) o.textContent += 'triple ' };
         b.oncontextmenu = (e) => { e.preventDefault(); o.textContent += 'menú ' };
         b.onauxclick = (e) => { if (e.button === 1) o.textContent += 'medio ' }</script>",
        "{ click = { on = 'text=Cosa', count = 2 } }, { click = { on = ['#no', 'text=Cosa'], button = 'right' } }, { click = { on = '#b', button = 'middle' } },
         { click = { on = '#b', modifiers = ['Control', 'Shift'] } }, { click = { on = '#b', offset = { x = 7, y = 11 } } },
         { expect = { text = '[doble menú medio ctrl-mayús esquina ]' } }",
    );
}

#[test]
fn a_double_click_whose_second_half_would_reach_something_else_is_told_and_not_repeated() {
    expect_failed(
        "<button id=b onclick=\"c.style.display='block'\">Cosa</button><div id=c style='display:none;position:fixed;inset:0'></div>",
        "{ click = { on = '#b', count = 2 } }",
        "not_actionable",
        "`#b` received only 1 of the double click: `div#c` was there instead",
    );
}

#[test]
fn an_offset_that_is_not_inside_the_element_is_told_with_its_size() {
    expect_failed(
        "<button id=b style='width:100px;height:50px'>Cosa</button>",
        "{ click = { on = '#b', offset = { x = 120, y = 3 } } }",
        "not_actionable",
        "the offset is not inside `#b`, which is 100 wide and 50 high",
    );
}

#[test]
fn a_menu_that_opens_under_the_mouse_stays_open_for_the_click() {
    expect_ok(
        "<style>ul { display: none } nav:hover ul { display: block }</style>
         <nav style='width:200px'>Menú<ul><li><a href='#x' onclick=\"o.textContent='Elegido'\">Elegir</a></ul></nav><p id=o></p>",
        "{ hover = 'text=Menú' }, { click = 'role=link' }, { expect = { text = 'Elegido' } }",
    );
}

#[test]
fn a_thing_that_is_replaced_whenever_the_mouse_comes_was_hovered() {
    expect_ok(
        "<div id=box></div><p id=o></p><script>const make = () => { box.innerHTML = '<b>Cosa</b>'; box.firstChild.onmouseenter = () => { o.textContent = 'Visto'; make() } }; make()</script>",
        "{ hover = 'text=Cosa' }, { expect = { text = 'Visto' } }",
    );
}

#[test]
fn a_thing_behind_a_curtain_is_not_hovered() {
    expect_failed(
        "<b>Cosa</b><div class=velo style='position:fixed;inset:0'></div>",
        "{ hover = 'text=Cosa' }",
        "not_actionable",
        "`text=Cosa` is covered by `div.velo`",
    );
}

const BASKET: &str = "<style>div { width: 120px; height: 60px; margin: 30px; background: #ccc }</style>
  <div id=from draggable=true>Ficha</div><div id=to>Cesta</div><p>[<span id=o></span>]</p><script>
  from.ondragstart = (e) => { e.dataTransfer.setData('text/plain', 'ficha-7'); o.textContent += 'toma ' };
  from.ondragend = (e) => { o.textContent += e.dataTransfer.dropEffect + ' fin ' };
  to.ondragover = (e) => e.preventDefault();
  to.ondrop = (e) => { e.preventDefault(); o.textContent += e.dataTransfer.getData('text/plain') + ' ' }</script>";

#[test]
fn a_thing_is_dragged_natively_with_its_data() {
    expect_ok(
        BASKET,
        "{ drag = { from = 'text=Ficha', to = 'text=Cesta' } }, { expect = { text = 'toma ficha-7' } }, { expect = { text = 'fin' } }",
    );
}

#[test]
fn a_place_that_does_not_take_what_is_dropped_is_told() {
    expect_failed(
        "<div id=from draggable=true style='width:100px;height:40px'>Ficha</div><div id=to style='width:100px;height:40px;margin:50px'>Pared</div>",
        "{ drag = { from = 'text=Ficha', to = 'text=Pared' } }",
        "not_actionable",
        "`text=Pared` did not take what was dropped on it",
    );
}

#[test]
fn a_list_is_sorted_and_a_slider_is_moved_by_pages_that_follow_the_mouse() {
    expect_ok(
        "<style>li { width: 200px; height: 40px; touch-action: none; user-select: none } #track { width: 300px; height: 20px; background: #ccc }</style>
         <ul><li>uno<li>dos<li>tres</ul><div id=track></div><input type=range id=r min=0 max=100 value=0 style='width:300px'><p>[<span id=o></span>][<span id=v></span>][<span id=n></span>]</p><script>
         let held = null, start = 0, far = false;
         const list = document.querySelector('ul');
         list.onpointerdown = (e) => { held = e.target; start = e.clientY; far = false; list.setPointerCapture(e.pointerId) };
         list.onpointermove = (e) => { if (!held) return; far ||= Math.abs(e.clientY - start) > 8; if (!far) return;
           const over = [...list.children].find((it) => { const box = it.getBoundingClientRect(); return e.clientY >= box.top && e.clientY < box.bottom });
           if (over && over !== held) over.compareDocumentPosition(held) & 4 ? over.before(held) : over.after(held) };
         list.onpointerup = () => { held = null; o.textContent = [...list.children].map((it) => it.textContent.trim()).join(' ') };
         let sliding = false;
         track.onmousedown = () => { sliding = true }; document.addEventListener('mouseup', () => { sliding = false });
         document.addEventListener('mousemove', (e) => { if (sliding) v.textContent = Math.round(e.clientX - track.getBoundingClientRect().left) });
         r.oninput = () => n.textContent = r.value > 45 && r.value < 55 ? 'mitad' : 'otra'</script>",
        "{ drag = { from = 'text=uno', to = 'text=tres' } }, { drag = { from = '#track', to = '#track', offset = { x = 250, y = 10 } } }, { drag = { from = '#r', to = '#r', offset = { x = 150, y = 8 } } },
         { expect = { text = '[dos tres uno][250][mitad]' } }",
    );
}

#[test]
fn a_long_press_that_lifts_the_thing_from_under_the_mouse_is_done_once() {
    expect_ok(
        "<button id=b style='position:relative'>Cosa</button><p>[<span id=o></span>]</p><script>let long = null;
         b.onpointerdown = () => { long = setTimeout(() => { b.style.top = '200px'; o.textContent += 'Menú' }, 100) }</script>",
        "{ click = { on = '#b', hold = '1s' } }, { expect = { text = '[Menú]' } }",
    );
}

#[test]
fn a_drag_to_a_place_that_is_not_there_lets_go() {
    expect_failed(
        BASKET,
        "{ drag = { from = 'text=Ficha', to = '#nadie' } }",
        "element_missing",
        "`#nadie` matched nothing",
    );
}

const ROWS: &str = "<div id=list style='height:400px;overflow:auto;width:300px'><div id=all style='position:relative'></div></div><script>
  const COUNT = 4000, HEIGHT = 25; all.style.height = COUNT * HEIGHT + 'px';
  const draw = () => { const first = Math.floor(list.scrollTop / HEIGHT); all.innerHTML = '';
    for (let row = first; row < Math.min(COUNT, first + 20); row += 1) { const it = document.createElement('button'); it.textContent = 'Fila ' + (row + 1) + '.';
      it.style = `position:absolute;top:${row * HEIGHT}px;height:${HEIGHT}px`; it.onclick = () => { document.title = it.textContent; o.textContent = 'Elegida ' + it.textContent }; all.append(it) } };
  list.onscroll = () => requestAnimationFrame(draw); draw()</script><p id=o></p>";

#[test]
fn a_row_far_down_a_virtual_list_is_scrolled_to_and_clicked() {
    expect_ok(
        ROWS,
        "{ scroll = { in = '#list', until = 'text=Fila 1500.' } }, { click = 'text=Fila 1500.' }, { expect = { text = 'Elegida Fila 1500.' } }",
    );
}

#[test]
fn a_list_that_ends_without_the_row_is_told() {
    expect_failed(
        "<div id=list style='height:200px;overflow:auto'><div style='height:700px'>Fila 1</div></div>",
        "{ scroll = { in = '#list', until = 'text=Fila 9' } }",
        "not_actionable",
        "`#list` was scrolled to its end and `text=Fila 9` did not appear",
    );
}

#[test]
fn the_page_and_a_box_are_scrolled_by_the_wheel_and_to_an_element() {
    expect_ok(
        "<div id=box style='width:200px;height:200px;overflow:auto'><div style='width:900px;height:900px'></div></div><div style='height:3000px'></div><p id=end>Fin</p>
         <p style='position:fixed;top:300px;left:400px'>[<span id=o></span>]</p><script>
         addEventListener('scroll', () => o.textContent = `${scrollY > 2000 ? 'fin' : scrollY} ${box.scrollLeft} ${box.scrollTop}`, true)</script>",
        "{ scroll = { in = '#box', by = { x = 50, y = 70 } } }, { expect = { text = '[0 50 70]' } }, { scroll = { by = { y = 100 } } }, { expect = { text = '[100 50 70]' } },
         { scroll = { to = 'text=Fin' } }, { expect = { text = '[fin 50 70]' } }",
    );
    expect_failed(
        "<p>Corta</p>",
        "{ scroll = { by = { y = 100 } } }",
        "not_actionable",
        "the page cannot be scrolled any further that way",
    );
}

#[test]
fn shapes_and_places_that_the_middle_alone_would_miss_are_clicked() {
    let page = "<style>button { width: 120px; height: 40px }</style><p>[<span id=o></span>]</p>
         <div style='position:relative'><button onclick='o.textContent+=1'>Uno</button><i style='position:absolute;left:45px;top:5px;width:30px;height:30px;background:red'></i></div>
         <button onclick='o.textContent+=2' style='transform:rotate(30deg) scale(.6);border-radius:50%;zoom:1.3'>Dos</button>
         <button onclick='o.textContent+=3'><span style='pointer-events:none'>Tres</span></button>
         <button onclick='o.textContent+=4' style='opacity:0'>Cuatro</button>
         <div style='height:100px;overflow:auto'><div style='height:900px'></div><div style='height:80px;overflow:auto'><div style='height:500px'></div><button onclick='o.textContent+=5'>Cinco</button></div></div>
         <div dir=rtl style='width:200px;overflow:auto'><div style='width:2000px;display:flex;justify-content:space-between'><b>Inicio</b><button onclick='o.textContent+=6'>Seis</button></div></div>
         <div style='content-visibility:auto;contain-intrinsic-size:auto 3000px'><div style='height:2500px'></div><button onclick='o.textContent+=7'>Siete</button></div>
         <dialog id=d><button onclick='o.textContent+=8;d.close()'>Ocho</button></dialog><button onclick='d.showModal()'>Abrir</button>
         <label>Nueve <input type=checkbox onclick='o.textContent+=9'></label>";
    expect_ok(
        page,
        "{ click = 'text=Uno' }, { click = 'text=Dos' }, { click = 'text=Tres' }, { click = 'text=Cuatro' }, { click = 'text=Cinco' }, { click = 'text=Seis' }, { click = 'text=Siete' },
         { click = 'text=Abrir' }, { click = 'text=Ocho' }, { click = 'text=Nueve' }, { expect = { text = '[123456789]' } }",
    );
}

#[test]
fn what_takes_no_click_is_told_with_the_reason() {
    for (page, told) in [
        (
            "<div inert><button>Cosa</button></div>",
            "`text=Cosa` is inert: it takes no input",
        ),
        (
            "<button style='pointer-events:none'>Cosa</button>",
            "`text=Cosa` lets the mouse pass through it (`pointer-events: none`)",
        ),
        (
            "<button>Cosa</button><dialog id=d>Aviso</dialog><script>d.showModal()</script>",
            "`text=Cosa` is covered by `dialog#d` “Aviso”",
        ),
        (
            "<button style='position:fixed;left:-500px'>Cosa</button>",
            "`text=Cosa` is outside the window and cannot be scrolled into it",
        ),
    ] {
        expect_failed(page, "{ click = 'text=Cosa' }", "not_actionable", told);
    }
    for page in [
        "<details><summary>Más</summary><button>Cosa</button></details>",
        "<div style='visibility:hidden'><button>Cosa</button></div>",
        "<button style='width:0;height:0;padding:0;border:0;overflow:hidden;font-size:0'>Cosa</button>",
    ] {
        expect_failed(
            page,
            "{ click = \"css=button\" }",
            "not_actionable",
            "`css=button` is on the page and not visible",
        );
    }
}
