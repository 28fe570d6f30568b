//! Every error class provoked for real, with the exact words that an operator reads.
//!
//! Others stand where their faults are: dialog, assertion, element and selector in `pages`, the browser in
//! `browser_faults`.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    running::{Running, Setting, browser_table, members, until},
    site::{Reply, journey, serve, walk},
    tls,
};

/// Opens `${portal}/` and holds what is told against what should be; `{site}` stands for its address.
fn check(site: &str, result: &str, error_class: &str, error: &str) {
    let (run, _) = walk(site, "{ goto = \"${portal}/\" }");
    let point = &run.journey;
    let told = (
        point.text("result"),
        point.text("error_class"),
        point.text("error"),
    );
    let error = error.replace("{site}", site);
    assert_eq!(
        told,
        (Some(result), Some(error_class), Some(error.as_str())),
        "{}",
        point.0
    );
    // A failure is never a fast time.
    assert_eq!(point.float("duration_ms"), None);
}

fn serve_one(reply: Reply) -> String {
    serve(move |_| reply.clone())
}

#[test]
fn a_name_without_an_address_is_dns() {
    check(
        "http://nada.invalid",
        "failed",
        "dns",
        "`{site}/` cannot be reached: ERR_NAME_NOT_RESOLVED",
    );
}

#[test]
fn a_port_that_nobody_listens_on_is_a_connection_refused() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let site = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    check(
        &site,
        "failed",
        "connect",
        "`{site}/` cannot be reached: ERR_CONNECTION_REFUSED",
    );
}

#[test]
fn a_connection_that_is_torn_down_is_a_connection_reset() {
    check(
        &serve_one(Reply::Reset),
        "failed",
        "connect",
        "`{site}/` cannot be reached: ERR_CONNECTION_RESET",
    );
}

#[test]
fn a_server_that_hangs_up_without_a_word_is_an_empty_response() {
    check(
        &serve_one(Reply::End),
        "failed",
        "connect",
        "`{site}/` cannot be reached: ERR_EMPTY_RESPONSE",
    );
}

#[test]
fn a_server_that_never_accepts_is_a_timeout() {
    // The only place in the queue is taken, and nobody ever accepts: the browser's attempt stays unanswered.
    let full = listener_with_one_place();
    let address = full.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) =
        std::net::TcpStream::connect_timeout(&address, std::time::Duration::from_millis(300))
    {
        waiting.push(stream);
    }
    check(
        &format!("http://{address}"),
        "failed",
        "timeout",
        "`{site}/` did not answer in time",
    );
}

fn listener_with_one_place() -> std::net::TcpListener {
    use rustix::net::{AddressFamily, SocketType, bind, listen, socket};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(
        &socket,
        &std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 0),
    )
    .unwrap();
    listen(&socket, 0).unwrap();
    socket.into()
}

#[test]
fn an_address_without_a_way_is_a_connection_that_failed() {
    // 2001:db8::/32 is set aside for documents: no machine has it.
    let (run, _) = walk("http://[2001:db8::1]", "{ goto = \"${portal}/\" }");
    assert_eq!(run.journey.text("result"), Some("failed"));
    // Where a router swallows it instead of refusing it, nothing answers.
    let class = run.journey.text("error_class").unwrap();
    assert!(["connect", "timeout"].contains(&class), "{}", run.journey.0);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_tls() {
    // A browser tells this before it tells anything else that is wrong with it.
    for fault in [
        tls::Fault::SelfSigned,
        tls::Fault::Expired,
        tls::Fault::OfAnotherHost,
    ] {
        check(
            &tls::serve(fault),
            "failed",
            "tls",
            "`{site}/` cannot be reached: ERR_CERT_AUTHORITY_INVALID",
        );
    }
}

#[test]
fn a_server_that_knows_no_version_of_tls_that_a_browser_speaks_is_tls() {
    // An alert, fatal, protocol_version: RFC 8446, section 6.
    let alert = Reply::Bytes(vec![0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 70]);
    check(
        &serve_one(alert).replace("http:", "https:"),
        "failed",
        "tls",
        "`{site}/` cannot be reached: ERR_SSL_VERSION_OR_CIPHER_MISMATCH",
    );
}

#[test]
fn a_server_that_speaks_no_tls_is_tls() {
    let site = serve_one(Reply::raw("400 Bad Request", "")).replace("http:", "https:");
    check(
        &site,
        "failed",
        "tls",
        "`{site}/` cannot be reached: ERR_SSL_PROTOCOL_ERROR",
    );
}

#[test]
fn a_page_that_is_not_found_is_told_with_its_status() {
    check(
        &serve_one(Reply::raw(
            "404 Not Found\nContent-Type: text/html",
            "<h1>No está</h1>",
        )),
        "failed",
        "http_status",
        "`{site}/` answered with HTTP status 404",
    );
}

#[test]
fn an_error_of_the_server_with_nothing_to_show_is_told_with_its_status() {
    check(
        &serve_one(Reply::raw("503 Service Unavailable\nContent-Length: 0", "")),
        "failed",
        "http_status",
        "`{site}/` answered with HTTP status 503",
    );
}

#[test]
fn an_answer_without_content_is_told_with_its_status() {
    check(
        &serve_one(Reply::raw("204 No Content", "")),
        "failed",
        "http_status",
        "`{site}/` answered with HTTP status 204 and no page",
    );
}

#[test]
fn redirects_without_an_end_are_told() {
    check(
        &serve_one(Reply::raw(
            "302 Found\nLocation: /otra\nContent-Length: 0",
            "",
        )),
        "failed",
        "http_status",
        "`{site}/` cannot be reached: ERR_TOO_MANY_REDIRECTS",
    );
}

#[test]
fn an_answer_that_is_no_http_is_told() {
    check(
        &serve_one(Reply::Bytes(b"\0\x01\x02 esto no es HTTP\r\n\r\n".to_vec())),
        "failed",
        "http_status",
        "`{site}/` cannot be reached: ERR_INVALID_HTTP_RESPONSE",
    );
}

#[test]
fn a_download_in_place_of_a_page_is_told() {
    check(
        &serve_one(Reply::raw(
            "200 OK\nContent-Type: application/zip\nContent-Length: 3",
            "PK.",
        )),
        "failed",
        "download",
        "`{site}/` is a download and no page",
    );
}

#[test]
fn a_redirect_to_another_program_is_told() {
    check(
        &serve_one(Reply::raw(
            "302 Found\nLocation: agencia://tramites\nContent-Length: 0",
            "",
        )),
        "failed",
        "http_status",
        "`{site}/` redirected to an address that no browser opens",
    );
}

#[test]
fn a_port_that_no_browser_opens_is_the_configurations_fault() {
    check(
        "http://127.0.0.1:25",
        "unmeasured",
        "config",
        "`{site}/` cannot be reached: ERR_UNSAFE_PORT",
    );
}

#[test]
fn a_probe_without_network_says_nothing_about_the_system() {
    let setting = Setting::new(
        &journey("{ goto = \"${portal}/\" }"),
        "http://192.0.2.1",
        "[browser]\nprogram = \"./offline-browser\"\nsandbox = false",
    );
    let program = setting.path().join("offline-browser");
    // A browser in a network of its own, with nothing in it.
    fs::write(
        &program,
        "#!/bin/sh\nfor browser in /usr/lib/chromium/chromium-headless-shell /usr/lib/chromium/chromium; do\n[ -x $browser ] && exec unshare --map-root-user --net $browser \"$@\"\ndone\n",
    )
    .unwrap();
    fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let mut probe = Running::start(&setting);
    probe.ask_for_points();

    let run = probe.run_that_started();

    let point = &run.journey;
    assert_eq!(point.text("result"), Some("unmeasured"), "{}", point.0);
    assert_eq!(point.text("error_class"), Some("connect"));
    assert_eq!(
        point.text("error"),
        Some("`http://192.0.2.1/` cannot be reached: ERR_INTERNET_DISCONNECTED")
    );
    probe.stop();
}

#[test]
fn a_page_whose_process_is_gone_is_a_crash_and_nobodys_fault() {
    let seen = Arc::new(AtomicBool::new(false));
    let shown = Arc::clone(&seen);
    let site = serve(move |path| {
        seen.fetch_or(path == "/visto", Ordering::Relaxed);
        Reply::page("<h1>Estable</h1><script>fetch('/visto')</script>")
    });
    let actions = "{ goto = \"${portal}/\" }, { expect = { text = \"Nunca\" } }";
    let setting = Setting::new(&journey(actions), &site, browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    until("the page", || shown.load(Ordering::Relaxed));

    for renderer in renderers(&setting) {
        kill_process(renderer, Signal::KILL).unwrap();
    }

    let run = probe.run_that_started();
    let point = &run.journey;
    assert_eq!(point.text("result"), Some("unmeasured"), "{}", point.0);
    assert_eq!(point.text("error_class"), Some("crash"), "{}", point.0);
    assert_eq!(
        point.text("error"),
        Some("the page's process crashed: it was ended by signal 9")
    );
    probe.stop();
}

fn renderers(setting: &Setting) -> Vec<Pid> {
    let group = setting.browser_group().map(members).unwrap_or_default();
    group
        .into_iter()
        .filter(|id| {
            let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains("--type=renderer")
        })
        .filter_map(Pid::from_raw)
        .collect()
}
