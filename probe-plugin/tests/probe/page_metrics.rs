//! What `journey_page` tells of each document and each route, held against pages whose figures are known.

use crate::{
    running::Point,
    site::{Reply, serve, walk},
};

/// Opens this page, does the actions, and gives the points; the run must be good.
fn pages_of(html: &'static str, actions: &str) -> Vec<Point> {
    pages_on(&serve(move |_| Reply::page(html)), actions)
}

fn pages_on(site: &str, actions: &str) -> Vec<Point> {
    let actions = format!("{{ goto = \"${{portal}}/\" }}, {actions}");
    let (run, pages) = walk(site, &actions);
    assert_eq!(run.journey.text("result"), Some("ok"), "{}", run.journey.0);
    pages
}

#[test]
fn a_block_that_pushes_the_page_down_is_its_layout_shift() {
    let pages = pages_of(
        "<!doctype html><body style='margin:0'><div id=a></div><div style='height:400px;background:#ccd'>Trámites</div>
         <script>setTimeout(() => { a.style.height = '200px'; a.textContent = 'Aviso' }, 400)</script>",
        r#"{ expect = { text = "Aviso" } }, { wait = "300ms" }"#,
    );
    // It covers 600 of the 800 lines of the window before and after, and moves by 200 of its 1280 columns.
    let expected = (600.0 / 800.0) * (200.0 / 1280.0);
    let cls = pages[0].float("cls").unwrap();
    assert!((cls - expected).abs() < 0.01, "{cls} is not {expected}");
}

#[test]
fn a_page_that_stands_still_has_no_layout_shift() {
    let pages = pages_of("<p>Quieto</p>", r#"{ wait = "200ms" }"#);
    assert!(pages[0].float("cls").unwrap().abs() < 0.001);
}

#[test]
fn a_large_text_that_comes_late_is_the_largest_paint_and_not_the_first() {
    let pages = pages_of(
        "<p>x</p><script>setTimeout(() => document.body.insertAdjacentHTML('beforeend', `<h1 style='font-size:90px'>Trámites en línea</h1>`), 600)</script>",
        r#"{ expect = { text = "Trámites en línea" } }, { wait = "300ms" }"#,
    );
    let (fcp_ms, lcp_ms) = (
        pages[0].float("fcp_ms").unwrap(),
        pages[0].float("lcp_ms").unwrap(),
    );
    assert!((600.0..10_000.0).contains(&lcp_ms), "{lcp_ms}");
    assert!(fcp_ms < lcp_ms, "{fcp_ms} {lcp_ms}");
}

#[test]
fn a_listener_that_computes_is_the_time_from_input_to_paint() {
    let pages = pages_of(
        "<button onclick='const end = performance.now() + 250; while (performance.now() < end); o.textContent = `Hecho`'>Calcular</button><p id=o></p>",
        r#"{ click = "text=Calcular" }, { expect = { text = "Hecho" } }, { wait = "300ms" }"#,
    );
    let inp_ms = pages[0].float("inp_ms").unwrap();
    // The browser rounds it to 8 ms.
    assert!((246.0..10_000.0).contains(&inp_ms), "{inp_ms}");
}

#[test]
fn a_page_that_nobody_touched_has_no_time_from_input_to_paint() {
    let pages = pages_of("<p>x</p>", r#"{ expect = { text = "x" } }"#);
    assert_eq!(pages[0].float("inp_ms"), None);
}

#[test]
fn a_server_that_thinks_is_in_the_time_to_the_first_byte() {
    let site = serve(|_| Reply::Page(400, "<p>x</p>".into()));
    let pages = pages_on(&site, r#"{ expect = { text = "x" } }"#);
    let point = &pages[0];
    let ttfb_ms = point.float("ttfb_ms").unwrap();
    assert!((400.0..10_000.0).contains(&ttfb_ms), "{}", point.0);
    let loaded = ["dom_content_loaded_ms", "load_ms"].map(|name| point.float(name).unwrap());
    assert!(
        ttfb_ms <= loaded[0] && loaded[0] <= loaded[1],
        "{}",
        point.0
    );
    assert!(point.float("connect_ms").unwrap() < ttfb_ms, "{}", point.0);
    assert_eq!(point.float("tls_ms"), None);
}

/// Leaves for this address as soon as it was painted, so that no action of the robot ever looks at it.
fn left_when_painted(address: &str) -> String {
    format!(
        "<h1>De paso</h1><script>new PerformanceObserver(() => setTimeout(() => location.replace('{address}'))).observe({{ type: 'paint', buffered: true }})</script><img src=/nunca>"
    )
}

#[test]
fn a_page_that_is_left_at_once_tells_what_was_painted_of_it() {
    let site = serve(|path| match path {
        "/" => Reply::page(left_when_painted("/destino")),
        "/nunca" => Reply::Page(2000, String::new()),
        _ => Reply::page("<h1>Llegada</h1>"),
    });
    let pages = pages_on(&site, r#"{ expect = { text = "Llegada" } }"#);
    let urls: Vec<_> = pages.iter().map(|page| page.text("url").unwrap()).collect();
    assert_eq!(urls, [format!("{site}/"), format!("{site}/destino")]);
    assert!(pages[0].float("fcp_ms").is_some(), "{}", pages[0].0);
    assert!(pages[0].float("ttfb_ms").is_some(), "{}", pages[0].0);
}

#[test]
fn a_page_that_is_left_for_another_site_tells_what_was_painted_of_it() {
    let target = serve(|_| Reply::page("<h1>Llegada</h1>")).replace("127.0.0.1", "localhost");
    let site = serve(move |path| match path {
        "/" => Reply::page(left_when_painted(&target)),
        _ => Reply::Page(2000, String::new()),
    });
    let pages = pages_on(&site, r#"{ expect = { text = "Llegada" } }"#);
    assert_eq!(pages.len(), 2);
    assert!(pages[0].float("fcp_ms").is_some(), "{}", pages[0].0);
}

#[test]
fn going_back_and_forward_loads_documents_that_are_told() {
    let site = serve(|path| match path {
        "/" => Reply::page(
            "<h1>Primera</h1><a href=/dos>Seguir</a> <button onclick='history.forward()'>Adelante</button>",
        ),
        _ => Reply::page("<h1>Segunda</h1><button onclick='history.back()'>Atrás</button>"),
    });
    let pages = pages_on(
        &site,
        r#"{ click = "text=Seguir" }, { click = "text=Atrás" }, { expect = { text = "Primera" } }, { click = "text=Adelante" }, { expect = { text = "Segunda" } }"#,
    );
    let urls: Vec<_> = pages.iter().map(|page| page.text("url").unwrap()).collect();
    let (first, second) = (format!("{site}/"), format!("{site}/dos"));
    assert_eq!(urls, [&first, &second, &first, &second]);
    for page in &pages {
        assert!(page.float("load_ms").is_some(), "{}", page.0);
        assert_eq!(page.integer("http_status"), Some(200), "{}", page.0);
    }
}

#[test]
fn a_change_of_route_without_a_load_is_told_with_its_own_figures() {
    let pages = pages_of(
        "<h1>Inicio</h1><button id=ir>Ir</button><script>
        ir.onclick = () => setTimeout(() => {
          history.pushState({}, '', '/detalle');
          document.querySelector('h1').remove();
          document.body.insertAdjacentHTML('beforeend', `<h1 style='font-size:80px'>El detalle</h1>`);
        }, 300)</script>",
        r#"{ wait = "200ms" }, { click = "text=Ir" }, { expect = { text = "El detalle" } }, { wait = "400ms" }"#,
    );
    assert_eq!(pages.len(), 2, "{pages:?}");
    let (document, route) = (&pages[0], &pages[1]);
    assert!(document.text("url").unwrap().ends_with('/'));
    assert!(document.float("lcp_ms").is_some());
    assert!(route.text("url").unwrap().ends_with("/detalle"));
    for name in ["fcp_ms", "lcp_ms"] {
        let since_click_ms = route.float(name).unwrap();
        assert!(
            (300.0..10_000.0).contains(&since_click_ms),
            "{name}: {}",
            route.0
        );
    }
    assert_eq!(route.float("load_ms"), None);
    // Nobody can tell for which route a document asks.
    assert_eq!(route.integer("requests"), None);
}
