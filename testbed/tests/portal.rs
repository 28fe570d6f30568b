//! The portal is what the journeys, the demo and the tests of both programs take it for.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the message, in its helpers too"
)]

use std::time::Duration;

use reqwest::{Client, StatusCode};
use vigia_testbed::portal::{Fault, PASSWORD, Portal, Switch, USER, Work};

const RESULTS: &str = "/expedientes/resultados?numero=2026-004512";

/// Somebody with a browser that keeps the cookie it is given.
struct Visitor {
    client: Client,
    url: String,
    cookie: String,
}

impl Visitor {
    async fn signed_in(portal: &Portal) -> Self {
        let client = client();
        let answer = client
            .post(format!("{}/ingreso", portal.url()))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(format!("usuario={USER}&clave={PASSWORD}"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self {
            client,
            url: portal.url().to_owned(),
            cookie,
        }
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        let url = format!("{}{path}", self.url);
        let answer = self
            .client
            .get(url)
            .header("Cookie", &self.cookie)
            .send()
            .await
            .unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    async fn post(&self, path: &str, form: &'static str) -> (StatusCode, String) {
        let answer = self
            .client
            .post(format!("{}{path}", self.url))
            .header("Cookie", &self.cookie)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await
            .unwrap();
        let location = answer
            .headers()
            .get("location")
            .map(|to| to.to_str().unwrap().to_owned());
        let status = answer.status();
        let text = answer.text().await.unwrap();
        (status, location.unwrap_or(text))
    }
}

fn client() -> Client {
    // Fails where another test of this process was first, which is as good.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_user_signs_in_searches_a_file_and_reads_its_detail() {
    let portal = Portal::start().await.unwrap();
    let visitor = Visitor::signed_in(&portal).await;

    for (path, expected) in [
        ("/inicio", "Bienvenido, robot"),
        ("/expedientes", "Buscar expediente</button>"),
        (RESULTS, "Ver detalle"),
        ("/expedientes/2026-004512", "Estado del trámite"),
    ] {
        let (status, text) = visitor.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(text.contains(expected), "{path}: {text}");
    }
    let (_, text) = visitor.get("/expedientes/resultados?numero=9").await;
    assert!(
        text.contains("No hay expedientes con el número 9"),
        "{text}"
    );
    assert_eq!(visitor.get("/expedientes/9").await.0, StatusCode::NOT_FOUND);
    assert_eq!(visitor.get("/nada").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_stranger_is_sent_to_the_door_and_a_wrong_password_opens_nothing() {
    let portal = Portal::start().await.unwrap();
    let stranger = Visitor {
        client: client(),
        url: portal.url().into(),
        cookie: "sesion=guess".into(),
    };

    for path in ["/inicio", "/expedientes", RESULTS, "/solicitudes/nueva"] {
        assert_eq!(stranger.get(path).await.0, StatusCode::SEE_OTHER, "{path}");
    }
    let (status, text) = stranger.post("/ingreso", "usuario=robot&clave=no").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(text.contains("Usuario o clave incorrectos."), "{text}");
}

#[tokio::test]
async fn a_request_is_taken_in_with_a_number_or_refused_with_a_reason() {
    let portal = Portal::start().await.unwrap();
    let visitor = Visitor::signed_in(&portal).await;
    let whole = "nombre=Ana&documento=41234567&correo=ana%40example.org&tipo=licencia&respuesta=sede&detalle=Hola&acepto=si";

    let (status, location) = visitor.post("/solicitudes", whole).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, receipt) = visitor.get(&location).await;
    assert!(
        receipt.contains("Solicitud recibida") && receipt.contains("S-2026-"),
        "{receipt}"
    );

    let (status, text) = visitor
        .post(
            "/solicitudes",
            "nombre=%3Cb%3EAna&documento=41234567&correo=a%40b&tipo=licencia&detalle=Hola",
        )
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("Debe aceptar los términos"), "{text}");
    assert!(
        text.contains("&lt;b&gt;Ana"),
        "what a user typed is shown as text: {text}"
    );
}

#[tokio::test]
async fn every_fault_breaks_the_search_and_leaves_no_trace_when_it_is_turned_off() {
    let portal = Portal::start().await.unwrap();
    let visitor = Visitor::signed_in(&portal).await;
    let healthy = (
        visitor.get("/expedientes").await,
        visitor.get(RESULTS).await,
    );
    for fault in Fault::ALL {
        portal.set_fault(fault, Switch::On);
        let results = tokio::time::timeout(Duration::from_secs(1), visitor.get(RESULTS))
            .await
            .ok();
        let form = visitor.get("/expedientes").await;
        match fault {
            Fault::Slow | Fault::NeverEnds => assert!(results.is_none(), "{fault:?}"),
            Fault::ServerError => {
                let (status, text) = results.unwrap();
                assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
                assert!(text.contains("No pudimos completar su consulta"), "{text}");
            }
            Fault::BlankPage => assert_eq!(
                results.unwrap(),
                (StatusCode::OK, "<!doctype html><title></title>".into())
            ),
            Fault::ElementMissing => assert!(!form.1.contains("<button"), "{}", form.1),
            Fault::ScriptError => {
                assert!(form.1.contains("catalogoDeOficinas.filter"), "{}", form.1);
            }
            Fault::BadCertificate => {
                assert_eq!(form.0, StatusCode::TEMPORARY_REDIRECT);
                assert_eq!(results.unwrap().0, StatusCode::TEMPORARY_REDIRECT);
            }
        }
        portal.set_fault(fault, Switch::Off);
        assert_eq!(
            (
                visitor.get("/expedientes").await,
                visitor.get(RESULTS).await
            ),
            healthy,
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn the_bad_certificate_is_refused_by_a_client_that_looks() {
    let portal = Portal::start().await.unwrap();
    portal.set_fault(Fault::BadCertificate, Switch::On);
    let answer = client()
        .get(format!("{}/ingreso", portal.url()))
        .send()
        .await
        .unwrap();
    let target = answer.headers()["location"].to_str().unwrap();
    assert!(
        target.starts_with("https://127.0.0.1:") && target.ends_with("/ingreso"),
        "{target}"
    );

    let refused = client().get(target).send().await.unwrap_err();

    assert!(
        format!("{refused:?}").contains("InvalidCertificate(Expired"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_request_that_never_ends_is_answered_once_the_fault_is_gone() {
    let portal = Portal::start().await.unwrap();
    let visitor = Visitor::signed_in(&portal).await;
    portal.set_fault(Fault::NeverEnds, Switch::On);
    let held = visitor.get(RESULTS);
    tokio::pin!(held);
    assert!(
        tokio::time::timeout(Duration::from_secs(1), &mut held)
            .await
            .is_err()
    );

    portal.set_fault(Fault::NeverEnds, Switch::Off);

    assert_eq!(held.await.0, StatusCode::OK);
}

#[tokio::test]
async fn the_portal_takes_as_long_as_its_table_says() {
    let portal = Portal::start().await.unwrap();
    let visitor = Visitor::signed_in(&portal).await;
    let began = std::time::Instant::now();
    visitor.get(RESULTS).await;
    assert!(began.elapsed() >= Work::Search.delay());
}

#[tokio::test]
async fn the_desk_turns_a_fault_on_and_off_without_javascript() {
    let portal = Portal::start().await.unwrap();
    let visitor = Visitor::signed_in(&portal).await;
    let desk = Visitor {
        client: client(),
        url: portal.control_url().into(),
        cookie: String::new(),
    };
    assert!(!desk.get("/").await.1.contains("Encendida"));

    desk.post("/", "falla=server-error&estado=on").await;
    assert!(desk.get("/").await.1.contains("Encendida"));
    assert_eq!(
        visitor.get(RESULTS).await.0,
        StatusCode::INTERNAL_SERVER_ERROR
    );

    desk.post("/", "falla=server-error&estado=off").await;
    assert_eq!(visitor.get(RESULTS).await.0, StatusCode::OK);
    assert_eq!(
        desk.post("/", "falla=fire&estado=on").await.0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_dropped_portal_listens_no_more() {
    let portal = Portal::start().await.unwrap();
    let urls = [portal.url().to_owned(), portal.control_url().to_owned()];
    drop(portal);
    for url in urls {
        vigia_testbed::until::until(
            "the door to be closed",
            Duration::from_secs(5),
            async || client().get(&url).send().await.is_err().then_some(()),
        )
        .await
        .unwrap();
    }
}
