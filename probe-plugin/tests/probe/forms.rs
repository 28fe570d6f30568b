//! Forms as people build them, each with a trap: what a user can put in is put in, and what the page does not keep is told.

use crate::pages::{expect_failed, expect_ok, walk, walk_site};

/// The journey, not the system, has to be repaired.
fn expect_config(page: &'static str, actions: &str, error: &str) {
    let run = walk(page, actions);
    let about = &run.journey.0;
    assert_eq!(run.journey.text("result"), Some("unmeasured"), "{about}");
    assert_eq!(run.journey.text("error_class"), Some("config"), "{about}");
    let told = run.journey.text("error").unwrap();
    assert!(told.starts_with(error), "told: {told}");
}

const LISTS: &str = "<label>Trámite <select id=s name=t><option value=''>Elija<option value=q>Queja
    <optgroup label=Licencias><option value=lc>Licencia de  conducir<option value=lo disabled>Licencia de obra</optgroup>
    <optgroup label=Cerradas disabled><option value=x>Cerrada</optgroup></select></label>
  <label>Avisos <select id=m multiple><option>Correo<option selected>Carta<option>SMS</select></label>
  <p id=o></p><script>for (const k of ['input', 'change']) for (const f of [s, m]) f.addEventListener(k, () =>
    o.textContent += `${k}:${[...f.selectedOptions].map((x) => x.text).join('+')};`)</script>";

#[test]
fn options_are_chosen_by_what_users_read_by_value_and_by_place() {
    expect_ok(
        LISTS,
        r#"{ select = { field = "label=Trámite", option = "Licencia de conducir" } },
           { expect = { text = "input:Licencia de conducir;change:Licencia de conducir;" } },
           { select = { field = "label=Trámite", option = "Licencia de conducir" } },
           { select = { field = "label=Trámite", value = "q" } },
           { select = { field = "label=Trámite", index = 0 } },
           { select = { field = "label=Avisos", option = ["Correo", "SMS"] } },
           { expect = { text = "change:Licencia de conducir;input:Queja;change:Queja;input:Elija;change:Elija;input:Correo+SMS;change:Correo+SMS;" } }"#,
    );
}

#[test]
fn an_option_that_is_not_there_is_told_with_those_that_are() {
    expect_failed(
        LISTS,
        r#"{ select = { field = "label=Trámite", option = "Reclamo" } }"#,
        "element_missing",
        "`label=Trámite` does not have the option `Reclamo`; it has `Elija`, `Queja`, `Licencia de conducir`, `Licencia de obra`, `Cerrada`",
    );
}

#[test]
fn a_disabled_option_and_one_of_a_disabled_group_are_not_chosen() {
    expect_failed(
        LISTS,
        r#"{ select = { field = "label=Trámite", option = "Licencia de obra" } }"#,
        "not_actionable",
        "the option `Licencia de obra` of `label=Trámite` is disabled",
    );
    expect_failed(
        LISTS,
        r#"{ select = { field = "label=Trámite", value = "x" } }"#,
        "not_actionable",
        "the option `x` of `label=Trámite` is disabled",
    );
}

#[test]
fn more_options_than_a_list_takes_are_the_configurations_fault() {
    expect_config(
        LISTS,
        r#"{ select = { field = "label=Trámite", option = ["Queja", "Elija"] } }"#,
        "`label=Trámite` takes one option, not 2",
    );
}

#[test]
fn an_option_that_comes_late_or_on_the_focus_is_waited_for() {
    expect_ok(
        "<label>Distrito <select id=s><option>Cargando</select></label><label>Calle <select id=c></select></label><p id=o></p><script>
         s.onchange = () => o.textContent = s.value;
         setTimeout(() => s.innerHTML = '<option>Lima<option>Cusco', 500);
         c.onfocus = () => { if (!c.options.length) c.innerHTML = '<option>-<option>Sol' };
         c.onchange = () => o.textContent += ' ' + c.value</script>",
        r#"{ select = { field = "label=Distrito", option = "Cusco" } }, { press = { key = "Shift", on = "label=Calle" } }, { select = { field = "label=Calle", option = "Sol" } }, { expect = { text = "Cusco Sol" } }"#,
    );
}

#[test]
fn a_list_that_takes_its_choice_back_is_told() {
    expect_failed(
        "<label>Distrito <select onchange='this.selectedIndex = 0'><option>Lima<option>Cusco</select></label>",
        r#"{ select = { field = "label=Distrito", option = "Cusco" } }"#,
        "not_actionable",
        "`label=Distrito` did not keep what was chosen",
    );
}

#[test]
fn a_choice_that_leads_to_another_page_is_followed() {
    let run = walk_site(
        &[
            (
                "/",
                "<label>Ir a <select onchange='location = this.value'><option value='/'>Inicio<option value='/pagos'>Pagos</select></label>",
            ),
            ("/pagos", "<h1>Pagos en línea</h1>"),
        ],
        r#"{ select = { field = "label=Ir a", option = "Pagos" } }, { expect = { text = "Pagos en línea" } }"#,
    );
    assert_eq!(run.journey.integer("ok"), Some(1), "{}", run.journey.0);
}

#[test]
fn a_list_that_the_page_builds_itself_is_told_and_used_by_clicks() {
    const PAGE: &str = "<div id=c role=combobox tabindex=0 aria-label=Distrito onclick='l.hidden = !l.hidden'>Elija</div>
      <div id=l role=listbox hidden><div role=option>Lima</div><div role=option>Cusco</div></div><script>
      for (const option of l.children) option.onclick = () => { c.textContent = 'Elegido: ' + option.textContent; l.hidden = true }</script>";
    expect_failed(
        PAGE,
        r#"{ select = { field = "label=Distrito", option = "Cusco" } }"#,
        "not_actionable",
        "`label=Distrito` is no list of the browser's own: it is `div#c` “Elija”; a list that the page builds itself is used by clicks",
    );
    expect_ok(
        PAGE,
        r#"{ click = "role=combobox[name='Distrito']" }, { click = "role=option[name='Cusco']" }, { expect = { text = "Elegido: Cusco" } }"#,
    );
}

#[test]
fn boxes_radio_buttons_and_switches_are_ticked_once_and_unticked() {
    expect_ok(
        "<label><input type=checkbox onchange=\"log('a' + this.checked)\"> Acepto</label>
         <label><input type=radio name=r onchange=\"log('r1')\"> Natural</label><label><input type=radio name=r checked> Jurídica</label>
         <div role=switch tabindex=0 aria-label=Avisos aria-checked=false onclick=\"const on = this.ariaChecked === 'true'; setTimeout(() => { this.ariaChecked = !on; log('s' + !on) }, 200)\">x</div>
         <p id=o></p><script>const log = (what) => o.textContent += what + ';'</script>",
        r#"{ uncheck = "label=Acepto" }, { check = "label=Acepto" }, { check = "label=Acepto" }, { check = "label=Natural" }, { check = "role=switch[name='Avisos']" },
           { expect = { text = "atrue;r1;strue;" } }, { uncheck = "label=Acepto" }, { uncheck = "role=switch" }, { expect = { text = "atrue;r1;strue;afalse;sfalse;" } }"#,
    );
}

#[test]
fn a_box_that_hides_behind_its_styled_label_is_ticked_by_it_and_not_by_the_link_in_it() {
    expect_ok(
        "<style>.h { position: absolute; width: 0; height: 0; display: none }</style>
         <input class=h type=checkbox id=b onchange='o.textContent += this.checked'>
         <label for=b style='display:inline-block'>Leí <a href='#terminos'>los términos y condiciones del servicio</a> ok</label>
         <label style='position:relative'><input type=checkbox style='opacity:0;position:absolute' onchange=\"o.textContent += ' dos'\"><span style='position:absolute;inset:0;background:#ccc'></span> Firma</label>
         <p id=o></p>",
        r#"{ check = "css=#b" }, { check = "label=Firma" }, { expect = { text = "true dos" } }"#,
    );
}

#[test]
fn a_box_that_refuses_to_change_is_told() {
    expect_failed(
        "<label><input type=checkbox onclick='return false'> Acepto</label>",
        r#"{ check = "label=Acepto" }"#,
        "not_actionable",
        "`label=Acepto` did not become ticked",
    );
    expect_failed(
        "<fieldset disabled><label><input type=checkbox> Acepto</label></fieldset>",
        r#"{ check = "label=Acepto" }"#,
        "not_actionable",
        "`label=Acepto` is disabled",
    );
}

#[test]
fn what_cannot_be_unticked_and_what_is_no_box_are_told() {
    expect_config(
        "<label><input type=radio checked> Natural</label>",
        r#"{ uncheck = "label=Natural" }"#,
        "`label=Natural` is a radio button, which is unticked by ticking another one",
    );
    expect_failed(
        "<button>Acepto</button>",
        r#"{ check = "text=Acepto" }"#,
        "not_actionable",
        "`text=Acepto` is no box that is ticked: it is `button` “Acepto”",
    );
}

#[test]
fn fields_whose_values_are_picked_are_filled_and_the_page_is_told() {
    expect_ok(
        "<label>Fecha <input type=date></label><label>Hora <input type=time></label><label>Cita <input type=datetime-local></label>
         <label>Mes <input type=month></label><label>Semana <input type=week></label><label>Color <input type=color></label>
         <label>Nivel <input type=range min=0 max=10 step=0.5></label><label>Monto <input type=number></label><p id=o></p><script>
         for (const kind of ['input', 'change']) document.addEventListener(kind, (event) => o.textContent += `${kind[0]}=${event.target.value} `)</script>",
        r##"{ fill = { field = "label=Fecha", with = "2026-05-31" } }, { fill = { field = "label=Hora", with = "14:30" } },
           { fill = { field = "label=Cita", with = "2026-05-31T14:30" } }, { fill = { field = "label=Mes", with = "2026-05" } },
           { fill = { field = "label=Semana", with = "2026-W22" } }, { fill = { field = "label=Color", with = "#1A73E8" } },
           { fill = { field = "label=Nivel", with = "7.5" } }, { fill = { field = "label=Monto", with = "-12.5" } }, { fill = { field = "label=Fecha", with = "" } },
           { expect = { text = "i=2026-05-31 c=2026-05-31 i=14:30 c=14:30 i=2026-05-31T14:30 c=2026-05-31T14:30 i=2026-05 c=2026-05 i=2026-W22 c=2026-W22 i=#1a73e8 c=#1a73e8 i=7.5 c=7.5 i=-12.5 c=-12.5 i= c=" } }"##,
    );
}

#[test]
fn a_value_that_is_none_of_its_type_is_the_configurations_fault() {
    const PAGE: &str = "<label>Fecha <input type=date></label><label>Monto <input type=number></label><label>Nivel <input type=range max=10></label>";
    for (field, with, error) in [
        (
            "Fecha",
            "31/05/2026",
            "`label=Fecha` takes a date such as `2026-05-31`, and `31/05/2026` is none",
        ),
        (
            "Fecha",
            "2026-02-31",
            "`label=Fecha` takes a date such as `2026-05-31`, and `2026-02-31` is none",
        ),
        (
            "Monto",
            "12,5",
            "`label=Monto` takes a number such as `12.5`, and `12,5` is none",
        ),
    ] {
        let action = format!(r#"{{ fill = {{ field = "label={field}", with = "{with}" }} }}"#);
        expect_config(PAGE, &action, error);
    }
    expect_failed(
        PAGE,
        r#"{ fill = { field = "label=Nivel", with = "11" } }"#,
        "not_actionable",
        "`label=Nivel` goes from 0 to 10 in steps of 1, and `11` is not among them",
    );
}

#[test]
fn a_secret_of_the_wrong_type_is_not_told() {
    let run = walk(
        "<label>Fecha <input type=date></label>",
        r#"{ fill = { field = "label=Fecha", with = "${secret:TRAMITES_CLAVE}" } }"#,
    );
    let told = run.journey.text("error").unwrap();
    assert!(
        told.contains("`${secret:TRAMITES_CLAVE}` is none"),
        "{told}"
    );
    assert!(!run.journey.0.contains(crate::running::SECRET), "{told}");
}

/// What a page sees of a text that is put in: only `beforeinput` is not the browser's own.
#[test]
fn a_filled_field_fires_the_events_of_an_input_method() {
    expect_ok(
        "<label>Nombre <input id=f value=viejo></label><p id=o></p><script>for (const kind of ['beforeinput', 'textInput', 'input', 'change'])
         f.addEventListener(kind, (event) => o.textContent += `${kind}:${event.inputType}:${event.data}:${event.isTrusted}:${f.value}; `)</script>",
        r#"{ fill = { field = "label=Nombre", with = "Ana Ñ" } }, { press = "Tab" },
           { expect = { text = "beforeinput:insertText:Ana Ñ:false:viejo; textInput:undefined:Ana Ñ:false:viejo; input:insertText:Ana Ñ:true:Ana Ñ; change:undefined:undefined:true:Ana Ñ;" } }"#,
    );
}

#[test]
fn a_controlled_field_learns_of_its_new_text() {
    // As React does it: the page's own view of `value` is asked whether anything has changed.
    expect_ok(
        "<label>Nombre <input id=f></label><p id=o></p><script>
         const own = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
         let tracked = '';
         Object.defineProperty(f, 'value', { configurable: true, get() { return own.get.call(this) }, set(text) { tracked = text; own.set.call(this, text) } });
         f.oninput = () => { const text = own.get.call(f); if (text !== tracked) { tracked = text; o.textContent = 'estado=' + text } f.value = tracked }</script>",
        r#"{ fill = { field = "label=Nombre", with = "Ana" } }, { expect = { text = "estado=Ana" } }"#,
    );
}

#[test]
fn a_masked_field_writes_what_is_filled_its_own_way() {
    expect_ok(
        "<label>DNI <input id=d></label><label>Fecha <input id=m></label><p id=o></p><script>
         d.oninput = () => { d.value = d.value.replace(/\\D/g, '').replace(/(\\d{2})(?=\\d)/g, '$1-'); o.textContent = d.value };
         m.addEventListener('beforeinput', (event) => { event.preventDefault(); m.value = '[' + event.data + ']'; o.textContent = m.value })</script>",
        r#"{ fill = { field = "label=DNI", with = "123456" } }, { expect = { text = "12-34-56" } }, { fill = { field = "label=Fecha", with = "31" } }, { expect = { text = "[31]" } }"#,
    );
}

#[test]
fn a_field_that_only_listens_to_keys_is_typed_into() {
    expect_ok(
        "<label>Cuenta <input id=f></label><p id=o></p><script>f.addEventListener('keydown', (event) => {
           if (event.key.length > 1) return; event.preventDefault();
           if (/\\d/.test(event.key) && !event.shiftKey && event.keyCode === event.key.charCodeAt(0) && event.code === 'Digit' + event.key) f.value += event.key;
           o.textContent = 'lleva ' + f.value })</script>",
        r#"{ type = { field = "label=Cuenta", with = "1a2!3" } }, { expect = { text = "lleva 123" } }, { press = "4" }, { expect = { text = "lleva 1234" } }"#,
    );
}

#[test]
fn typed_text_comes_key_by_key_behind_what_the_field_holds() {
    expect_ok(
        "<label>Nombre <input id=f value='Sra. '></label><p id=o></p><script>
         for (const kind of ['keydown', 'keypress', 'input', 'keyup']) f.addEventListener(kind, (event) => o.textContent += `${kind}:${event.key ?? event.data}:${event.code}:${event.isTrusted} `);
         let at = []; f.addEventListener('keydown', (event) => { at.push(event.timeStamp); document.title = at.at(-1) - at.at(-2) >= 40 ? 'con pausa' : 'de corrido' })</script>
         <p id=v></p><script>f.addEventListener('keyup', () => v.textContent = `vale ${f.value} ${document.title}`)</script>",
        r#"{ type = { field = "label=Nombre", with = "Ñ" } }, { expect = { text = "keydown:Ñ::true keypress:Ñ::true input:Ñ:undefined:true keyup:Ñ::true" } },
           { type = "a" }, { expect = { text = "keydown:a:KeyA:true keypress:a:KeyA:true input:a:undefined:true keyup:a:KeyA:true" } },
           { type = { with = "bc", delay = "50ms" } }, { expect = { text = "vale Sra. Ñabc con pausa" } }"#,
    );
}

#[test]
fn a_code_that_hops_from_box_to_box_is_typed_and_sends_itself_off() {
    expect_ok(
        "<div id=c></div><p id=o></p><script>c.innerHTML = '<input maxlength=1 size=1>'.repeat(4); const boxes = [...c.children];
         boxes.forEach((box, index) => { box.ariaLabel = 'Dígito ' + index; box.oninput = () => { if (boxes[index + 1]) boxes[index + 1].focus(); else { o.textContent = 'Código ' + boxes.map((box) => box.value).join(''); c.remove() } } })</script>",
        r#"{ type = { field = "label=Dígito 0", with = "4715" } }, { expect = { text = "Código 4715" } }"#,
    );
}

#[test]
fn keys_are_pressed_with_others_held_down_and_on_the_element_that_is_named() {
    expect_ok(
        "<label>Nombre <input id=f value=viejo></label><label>Otro <input id=g></label><button id=b>Ir</button><p id=o></p><script>
         document.addEventListener('keydown', (event) => { if (event.key === 'F2') { o.textContent += 'ayuda '; }
           if (event.key === 'K' && event.ctrlKey && event.shiftKey) o.textContent += 'buscar '; if (event.key === 'Control') o.textContent += event.location + event.code + ' ' });
         g.onfocus = () => o.textContent += 'otro '; f.onfocus = () => o.textContent += 'nombre '; b.onclick = () => o.textContent += 'ido '</script>",
        r#"{ press = { key = "Control+A", on = "label=Nombre" } }, { type = "nuevo" }, { press = "Tab" }, { press = "Shift+Tab" }, { press = "F2" }, { press = "Control+Shift+K" },
           { press = { key = "Enter", on = "role=button[name='Ir']" } }, { expect = { text = "nombre 1ControlLeft otro nombre ayuda 1ControlLeft buscar ido" } },
           { fill = { field = "label=Otro", with = "x" } }, { press = { key = "Control+A", on = "label=Nombre" } }, { press = "Control+C" }, { press = "End" } "#,
    );
}

/// Editors work by `beforeinput`, and stop the browser from writing itself.
const EDITOR: &str = "<div id=e contenteditable role=textbox aria-label=Mensaje><p>viejo</p></div><p id=o></p><script>
  e.addEventListener('beforeinput', (event) => { event.preventDefault(); if (!event.isTrusted || !event.getTargetRanges().length) return;
    const range = event.getTargetRanges()[0], selection = getSelection();
    const live = document.createRange(); live.setStart(range.startContainer, range.startOffset); live.setEnd(range.endContainer, range.endOffset); live.deleteContents();
    if (event.data) { e.innerHTML = '<p></p>'; e.firstChild.textContent = event.data; selection.selectAllChildren(e); selection.collapseToEnd(); }
    (window.parent.document.getElementById('o') || o).textContent = `${event.inputType}: <${e.textContent}>` })</script>";

#[test]
fn an_editor_of_rich_text_is_filled_by_the_events_that_it_works_by() {
    expect_ok(
        EDITOR,
        r#"{ fill = { field = "label=Mensaje", with = "Buenos días" } }, { expect = { text = "insertText: <Buenos días>" } },
           { fill = { field = "label=Mensaje", with = "" } }, { expect = { text = "deleteContentForward: <>" } }"#,
    );
}

#[test]
fn an_editor_inside_a_frame_and_a_document_that_is_one_are_filled() {
    let run = walk_site(
        &[
            (
                "/",
                "<p id=o></p><iframe src='/editor'></iframe><iframe src='/documento'></iframe><p id=d></p>",
            ),
            ("/editor", EDITOR),
            (
                "/documento",
                "<body id=cuerpo><p>viejo</p><script>document.designMode = 'on'; document.oninput = () => parent.document.getElementById('d').textContent = 'documento: ' + document.body.textContent.trim()</script></body>",
            ),
        ],
        r#"{ fill = { field = "label=Mensaje", with = "Buenos días" } }, { expect = { text = "insertText: <Buenos días>" } },
           { fill = { field = "css=#cuerpo", with = "Carta" } }, { expect = { text = "documento: Carta" } }"#,
    );
    assert_eq!(run.journey.integer("ok"), Some(1), "{}", run.journey.0);
}

#[test]
fn a_field_that_offers_completions_is_filled_and_one_of_them_clicked() {
    expect_ok(
        "<label>Calle <input id=f></label><ul id=l></ul><p id=o></p><script>
         f.oninput = () => setTimeout(() => { l.innerHTML = '<li role=option>' + f.value + ' del Sol</li>';
           l.firstChild.onmousedown = (event) => event.preventDefault(); l.firstChild.onclick = () => { f.value = 'x'; o.textContent = 'Calle elegida'; } }, 200);
         f.onblur = () => l.innerHTML = ''</script>",
        r#"{ fill = { field = "label=Calle", with = "Avenida" } }, { click = "role=option[name='Avenida del Sol']" }, { expect = { text = "Calle elegida" } }"#,
    );
}

#[test]
fn a_text_is_not_lost_in_a_field_that_is_made_anew() {
    // On the focus, on the first input, and when the page's script has come so far.
    expect_ok(
        "<div id=a></div><div id=b></div><div id=c></div><p id=o></p><script>
         const field = (place, name, value = '') => { place.innerHTML = `<label>${name} <input></label>`; place.querySelector('input').value = value; return place.querySelector('input') };
         const said = () => o.textContent = [...document.querySelectorAll('input')].map((input) => input.value).join('|');
         const one = field(a, 'Uno'); one.onfocus = () => queueMicrotask(() => field(a, 'Uno').oninput = said);
         field(b, 'Dos').oninput = () => setTimeout(() => { field(b, 'Dos').oninput = said });
         const three = field(c, 'Tres'); let first = true; three.oninput = () => { if (first) three.value = ''; first = false; said() }</script>",
        r#"{ fill = { field = "label=Uno", with = "1" } }, { fill = { field = "label=Dos", with = "2" } }, { fill = { field = "label=Tres", with = "3" } }, { expect = { text = "1|2|3" } }"#,
    );
}

#[test]
fn a_field_that_can_be_written_to_only_while_it_has_the_focus_is_filled() {
    expect_ok(
        "<label>Usuario <input readonly onfocus='this.readOnly = false' oninput='o.textContent = this.value'></label><p id=o></p>",
        r#"{ fill = { field = "label=Usuario", with = "robot" } }, { expect = { text = "robot" } }"#,
    );
}

#[test]
fn a_field_of_a_disabled_group_is_waited_for_and_told() {
    const PAGE: &str = "<fieldset id=g disabled><label>Usuario <input oninput='o.textContent = this.value'></label></fieldset><p id=o></p>";
    expect_failed(
        PAGE,
        r#"{ fill = { field = "label=Usuario", with = "robot" } }"#,
        "not_actionable",
        "`label=Usuario` is disabled",
    );
    expect_ok(
        "<fieldset id=g disabled><label>Usuario <input oninput='o.textContent = this.value'></label></fieldset><p id=o></p><script>setTimeout(() => g.disabled = false, 400)</script>",
        r#"{ fill = { field = "label=Usuario", with = "robot" } }, { expect = { text = "robot" } }"#,
    );
}

#[test]
fn fields_inside_nested_open_shadow_roots_are_filled() {
    expect_ok(
        "<my-outer></my-outer><p id=o></p><script>
         customElements.define('my-inner', class extends HTMLElement { connectedCallback() {
           this.attachShadow({ mode: 'open' }).innerHTML = '<label>Usuario <input></label><div contenteditable role=textbox aria-label=Nota></div>';
           this.shadowRoot.addEventListener('input', (event) => o.textContent += (event.target.value ?? event.target.textContent) + ';') } });
         customElements.define('my-outer', class extends HTMLElement { connectedCallback() { this.attachShadow({ mode: 'open' }).innerHTML = '<my-inner></my-inner>' } })</script>",
        r#"{ fill = { field = "label=Usuario", with = "robot" } }, { fill = { field = "label=Nota", with = "nota" } }, { expect = { text = "robot;nota;" } }"#,
    );
}

#[test]
fn a_text_that_sends_the_form_off_is_followed() {
    let run = walk_site(
        &[
            (
                "/",
                "<label>Código <input oninput=\"if (this.value.length === 4) location = '/dentro'\"></label>",
            ),
            ("/dentro", "<h1>Bienvenido</h1>"),
        ],
        r#"{ fill = { field = "label=Código", with = "4715" } }, { expect = { text = "Bienvenido" } }"#,
    );
    assert_eq!(run.journey.integer("ok"), Some(1), "{}", run.journey.0);
}

#[test]
fn a_secret_is_typed_into_no_frame_where_it_could_be_meant_for_two() {
    let run = walk_site(
        &[
            (
                "/",
                "<label>Clave <input oninput='document.title = 1'></label><iframe src='/otro'></iframe>",
            ),
            (
                "/otro",
                "<label>Clave <input oninput=\"location = '/robado?' + this.value\"></label>",
            ),
        ],
        r#"{ fill = { field = "label=Clave", with = "${secret:TRAMITES_CLAVE}" } }"#,
    );
    let about = &run.journey.0;
    assert_eq!(
        run.journey.text("error_class"),
        Some("not_actionable"),
        "{about}"
    );
    assert!(about.contains("matched elements of two frames"), "{about}");
}
