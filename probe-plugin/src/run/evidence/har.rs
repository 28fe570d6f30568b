//! The requests of a run as a HAR 1.2 archive (<http://www.softwareishard.com/blog/har-12-spec/>), as viewers read it.
//! Bodies, cookies and what proves who somebody is are not in it.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use url::Url;

use super::requests::{Request, Response, Shown, Timing};

/// Their values let whoever has them act as the robot.
const PRIVATE_HEADERS: [&str; 5] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "set-cookie",
    "x-csrf-token",
];

/// What stands in the place of such a value.
const NOT_KEPT: &str = "(not kept)";

/// Writes the archive. `given_up` events were not kept, because there were too many.
pub fn archive(documents: &[Shown], requests: &[Request], given_up: usize) -> Value {
    let began = |shown: &Shown| {
        let mut own = requests
            .iter()
            .filter(|request| request.loader == shown.loader);
        own.next()
    };
    let pages: Vec<Value> = documents
        .iter()
        .enumerate()
        .filter_map(|(index, shown)| {
            let first = began(shown)?;
            let since = |at: Option<f64>| at.map_or(-1.0, |at| milliseconds(at - first.began));
            Some(json!({
                "startedDateTime": date(first.wall_time),
                "id": page_id(index),
                "title": shown.url,
                "pageTimings": { "onContentLoad": since(shown.content_at), "onLoad": since(shown.loaded_at) },
            }))
        })
        .collect();
    let entries: Vec<Value> = requests
        .iter()
        .map(|request| entry(request, documents))
        .collect();
    let mut log = json!({
        "version": "1.2",
        "creator": { "name": "vigia-probe", "version": env!("CARGO_PKG_VERSION") },
        "pages": pages,
        "entries": entries,
    });
    if given_up > 0 {
        log["comment"] = format!("{given_up} later events of the browser were not kept").into();
    }
    json!({ "log": log })
}

fn page_id(index: usize) -> String {
    format!("page_{}", index + 1)
}

fn date(since_1970: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a date")]
    let since_1970_ms = (since_1970 * 1000.0) as i64;
    Timestamp::from_millisecond(since_1970_ms)
        .unwrap_or_default()
        .to_string()
}

fn milliseconds(seconds: f64) -> f64 {
    (seconds * 1_000_000.0).round() / 1000.0
}

fn entry(request: &Request, documents: &[Shown]) -> Value {
    let timings = timings(request);
    let time: f64 = ["blocked", "dns", "connect", "send", "wait", "receive"]
        .iter()
        .filter_map(|part| timings[*part].as_f64())
        .filter(|part| *part > 0.0)
        .sum();
    let mut entry = json!({
        "startedDateTime": date(request.wall_time),
        "time": (time * 1000.0).round() / 1000.0,
        "request": sent(request),
        "response": answered(request),
        "cache": {},
        "timings": timings,
        "_resourceType": request.sort.to_lowercase(),
    });
    if let Some(page) = documents
        .iter()
        .position(|shown| shown.loader == request.loader)
    {
        entry["pageref"] = page_id(page).into();
    }
    if let Some(ip) = request
        .response
        .as_ref()
        .and_then(|response| response.remote_ip_address.as_ref())
    {
        entry["serverIPAddress"] = ip.trim_matches(['[', ']']).into();
    }
    entry
}

fn sent(request: &Request) -> Value {
    let query: Vec<Value> = Url::parse(&request.url)
        .map(|url| {
            url.query_pairs()
                .map(|(name, value)| json!({ "name": name, "value": value }))
                .collect()
        })
        .unwrap_or_default();
    json!({
        "method": request.method,
        "url": request.url,
        "httpVersion": version(request.response.as_ref()),
        "cookies": [],
        "headers": headers(&request.headers),
        "queryString": query,
        "headersSize": -1,
        "bodySize": if request.has_body { -1 } else { 0 },
    })
}

fn answered(request: &Request) -> Value {
    let Some(response) = &request.response else {
        return json!({
            "status": 0,
            "statusText": "",
            "httpVersion": version(None),
            "cookies": [],
            "headers": [],
            "content": { "size": 0, "mimeType": "x-unknown" },
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
            "_error": request.error.as_deref().unwrap_or("no answer until the end of the run"),
        });
    };
    let location = response
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("location"))
        .and_then(|(_, value)| value.as_str());
    let mut answered = json!({
        "status": response.status,
        "statusText": response.status_text,
        "httpVersion": version(Some(response)),
        "cookies": [],
        "headers": headers(&response.headers),
        "content": { "size": whole(request.transferred_bytes).max(0), "mimeType": response.mime_type },
        "redirectURL": location.unwrap_or_default(),
        "headersSize": -1,
        "bodySize": whole(request.transferred_bytes),
        "_transferSize": whole(request.transferred_bytes),
    });
    if let Some(error) = &request.error {
        answered["_error"] = error.as_str().into();
    }
    answered
}

fn whole(bytes: Option<f64>) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a whole number of bytes")]
    bytes.map_or(-1, |bytes| bytes as i64)
}

fn version(response: Option<&Response>) -> String {
    match response.map(|response| response.protocol.as_str()) {
        None | Some("") => "unknown".into(),
        Some(protocol) if protocol.starts_with("http/") => protocol.to_uppercase(),
        Some(protocol) => protocol.into(),
    }
}

fn headers(headers: &Map<String, Value>) -> Vec<Value> {
    headers
        .iter()
        .map(|(name, value)| {
            let private = PRIVATE_HEADERS.contains(&name.to_lowercase().as_str());
            let value = if private {
                NOT_KEPT
            } else {
                value.as_str().unwrap_or_default()
            };
            json!({ "name": name, "value": value })
        })
        .collect()
}

/// In milliseconds; -1 where there was no such part, as the format has it.
fn timings(request: &Request) -> Value {
    let ended = request.ended.unwrap_or(request.began);
    let Some(timing) = request
        .response
        .as_ref()
        .and_then(|response| response.timing)
    else {
        return json!({
            "blocked": milliseconds((ended - request.began).max(0.0)),
            "dns": -1, "connect": -1, "ssl": -1, "send": 0, "wait": 0, "receive": 0,
        });
    };
    let Timing {
        dns_start,
        dns_end,
        connect_start,
        connect_end,
        ssl_start,
        ssl_end,
        ..
    } = timing;
    let part = |start: f64, end: f64| {
        if start < 0.0 {
            -1.0
        } else {
            round(end - start)
        }
    };
    let first = [dns_start, connect_start, timing.send_start]
        .into_iter()
        .find(|start| *start >= 0.0)
        .unwrap_or(0.0);
    let queued = ((timing.request_time - request.began) * 1000.0).max(0.0);
    let headers_at = timing.request_time + timing.receive_headers_end / 1000.0;
    json!({
        "blocked": round(queued + first),
        "dns": part(dns_start, dns_end),
        "connect": part(connect_start, connect_end),
        "ssl": part(ssl_start, ssl_end),
        "send": round((timing.send_end - timing.send_start).max(0.0)),
        "wait": round((timing.receive_headers_end - timing.send_end).max(0.0)),
        "receive": milliseconds((ended - headers_at).max(0.0)),
    })
}

fn round(milliseconds: f64) -> f64 {
    (milliseconds * 1000.0).round() / 1000.0
}
