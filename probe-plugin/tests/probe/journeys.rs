//! A healthy system: the steps, their times, their points.

use vigia_testbed::portal::{Portal, Work};

use crate::running::{JOURNEY, Running, SECRET, Setting, browser_table};

#[tokio::test(flavor = "multi_thread")]
async fn a_journey_is_walked_and_every_step_is_timed() {
    let portal = Portal::start().await.unwrap();
    let setting = Setting::new(JOURNEY, portal.url(), browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();

    let run = probe.run();

    assert_eq!(run.journey.text("result"), Some("ok"), "{}", run.journey.0);
    assert_eq!(run.journey.tag("system").as_deref(), Some("tramites"));
    assert_eq!(
        run.journey.tag("journey").as_deref(),
        Some("consultar-tramite")
    );
    assert_eq!(run.journey.tag("probe").as_deref(), Some("prueba"));
    assert_eq!(run.journey.tag("impact").as_deref(), Some("critical"));
    assert_eq!(run.journey.integer("ok"), Some(1));
    assert_eq!(run.journey.integer("valid"), Some(1));
    assert_eq!(run.journey.integer("result_code"), Some(0));
    assert_eq!(run.journey.integer("steps_ok"), Some(3));
    assert_eq!(run.journey.integer("http_status"), Some(200));
    assert_eq!(
        run.journey.text("url"),
        Some(format!("{}/expedientes/2026-004512", portal.url()).as_str())
    );
    // What the portal itself takes is in the time of the step that a user waits for it in.
    let takes_at_least = [
        ("ingresar", vec![Work::Page, Work::SignIn, Work::Page]),
        ("buscar-expediente", vec![Work::Page, Work::Search]),
        ("ver-detalle", vec![Work::Detail]),
    ];
    let mut whole_ms = 0.0;
    for (step, (slug, work)) in run.steps.iter().zip(takes_at_least) {
        assert_eq!(step.tag("step").as_deref(), Some(slug));
        let took_ms = step.float("duration_ms").unwrap();
        let least_ms = work
            .iter()
            .map(|work| work.delay().as_secs_f64() * 1000.0)
            .sum::<f64>();
        assert!(
            took_ms >= least_ms,
            "{slug} took {took_ms} ms, the portal alone {least_ms} ms"
        );
        whole_ms += took_ms;
    }
    assert!((run.journey.float("duration_ms").unwrap() - whole_ms).abs() < 0.001);

    // Sign-in form, home, search form, results, detail: each document by the browser's own account.
    let pages: Vec<_> = (0..5).map(|_| probe.next("journey_page")).collect();
    let steps: Vec<_> = pages.iter().map(|page| page.tag("step").unwrap()).collect();
    assert_eq!(
        steps,
        [
            "ingresar",
            "ingresar",
            "buscar-expediente",
            "buscar-expediente",
            "ver-detalle"
        ]
    );
    for page in &pages {
        assert_eq!(page.integer("http_status"), Some(200), "{}", page.0);
        assert!(page.integer("requests").unwrap() >= 1, "{}", page.0);
        assert!(
            page.integer("transferred_bytes").unwrap() > 500,
            "{}",
            page.0
        );
        assert_eq!(page.integer("console_errors"), Some(0), "{}", page.0);
        let (ttfb_ms, load_ms) = (
            page.float("ttfb_ms").unwrap(),
            page.float("load_ms").unwrap(),
        );
        assert!(ttfb_ms <= load_ms, "{}", page.0);
    }
    // A robot may leave a document before the browser has told when it was painted.
    assert!(pages.iter().any(|page| page.float("fcp_ms").is_some()));
    let search_ms = Work::Search.delay().as_secs_f64() * 1000.0;
    assert!(
        pages[3].float("ttfb_ms").unwrap() >= search_ms,
        "{}",
        pages[3].0
    );

    // The picture of the first good run is the one that a later failure is held against.
    let picture = probe.next("journey_screenshot");
    assert!(
        picture
            .text("image")
            .unwrap()
            .starts_with("data:image/jpeg;base64,")
    );
    assert!(picture.integer("width").unwrap() >= 640);
    let (status, rest, stderr) = probe.stop();
    assert!(status.success(), "{stderr}");
    for told in rest
        .iter()
        .map(|point| &point.0)
        .chain([&run.journey.0, &stderr])
    {
        assert!(!told.contains(SECRET), "the secret is in: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_over_its_budget_is_slow_and_not_failed() {
    let portal = Portal::start().await.unwrap();
    let journey = JOURNEY.replace("budget = \"3s\"", "budget = \"10ms\"");
    let setting = Setting::new(&journey, portal.url(), browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();

    let run = probe.run();

    assert_eq!(run.journey.text("result"), Some("slow"));
    assert_eq!(run.journey.integer("ok"), Some(1));
    assert_eq!(run.steps[0].integer("result_code"), Some(1));
    assert_eq!(run.steps[0].float("budget_ms"), Some(10.0));
    assert_eq!(run.steps[1].integer("result_code"), Some(0));
    probe.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_run_is_a_new_user_who_has_never_been_there() {
    let portal = Portal::start().await.unwrap();
    // Whoever is signed in already is not asked for a name again: the second run would find no field.
    let journey = JOURNEY
        .replace("every = \"24h\"", "every = \"2s\"")
        .replace("${portal}/ingreso", "${portal}/inicio");
    let setting = Setting::new(&journey, portal.url(), browser_table());
    let probe = Running::start(&setting);

    let ids: Vec<String> = (0..3)
        .map(|_| {
            let run = probe.run_that_started();
            assert_eq!(run.journey.integer("ok"), Some(1), "{}", run.journey.0);
            run.journey.text("run_id").unwrap().to_owned()
        })
        .collect();

    assert!(ids[0] != ids[1] && ids[1] != ids[2], "{ids:?}");
    probe.stop();
}
