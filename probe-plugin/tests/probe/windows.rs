//! Tabs and windows: followed as a user does, however they come and go.

use crate::ways::{Case, check};

const COUNTS: &str = "<button onclick=\"v.textContent=`veces ${window.n=(window.n||0)+1}`\">contar</button><p id=v></p>";

const CASES: &[Case] = &[
    Case {
        name: "a-link-to-a-new-tab",
        page: "<a href=/second target=_blank>ir</a>",
        actions: r#"{ click = "text=ir" }, { expect = { text = "Dos" } }"#,
        becomes: Ok(()),
    },
    // The opened window's first document takes over the blank one's listeners, dead.
    Case {
        name: "a-click-in-a-window-is-one-click",
        page: "<button onclick=\"window.open('/counts')\">ir</button>",
        actions: r#"{ click = "text=ir" }, { click = "text=contar" }, { click = "text=contar" }, { expect = { text = "veces 2" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "one-that-closes-itself-and-lets-its-opener-go-on",
        page: "<h1>Portal</h1><button onclick=\"window.open('/permission')\">ir</button><script>onmessage=event=>document.body.append(event.data)</script>",
        actions: r#"{ click = "text=ir" }, { expect = { text = "Permiso" } }, { expect = { text = "Entró Ana" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "one-that-opens-late",
        page: "<button onclick=\"setTimeout(()=>window.open('/second'),500)\">ir</button>",
        actions: r#"{ click = "text=ir" }, { expect = { text = "Dos" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "one-that-is-written-into",
        page: "<button onclick=\"const w=window.open();w.document.write('<h1>Comprobante</h1>');w.document.close()\">ir</button>",
        actions: r#"{ click = "text=ir" }, { expect = { text = "Comprobante" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "one-that-is-sent-elsewhere-before-it-shows-anything",
        page: "<button onclick=\"const w=window.open('/never');setTimeout(()=>w.location='/second',200)\">ir</button>",
        actions: r#"{ click = "text=ir" }, { expect = { text = "Dos" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "one-of-a-blob",
        page: "<button onclick=\"window.open(window.URL.createObjectURL(new Blob(['<h1>Informe</h1>'],{type:'text/html'})))\">ir</button>",
        actions: r#"{ click = "text=ir" }, { expect = { text = "Informe" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "one-that-opens-another",
        page: "<button onclick=\"window.open('/opens')\">ir</button>",
        actions: r#"{ click = "text=ir" }, { click = "text=seguir" }, { expect = { text = "Dos" } }, { tab = "close" }, { expect = { text = "seguir" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "one-whose-opener-goes-elsewhere",
        page: "<button onclick=\"window.open('/counts');setTimeout(()=>location='/second',100)\">ir</button>",
        actions: r#"{ click = "text=ir" }, { click = "text=contar" }, { expect = { text = "veces 1" } }, { tab = "close" }, { expect = { text = "Dos" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "one-that-a-click-closes",
        page: "<button onclick=\"window.open('/closing')\">ir</button>",
        actions: r#"{ click = "text=ir" }, { click = "text=cerrar" }, { expect = { text = "ir" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "one-that-closes-its-opener",
        page: "<button onclick=\"window.open('/closes')\">ir</button>",
        actions: r#"{ click = "text=ir" }, { expect = { text = "Solo" } }"#,
        becomes: Ok(()),
    },
    // What is no page leaves an empty window, which browsers close.
    Case {
        name: "a-download-in-a-new-tab",
        page: "<a href=/file target=_blank>ir</a>",
        actions: r#"{ click = "text=ir" }, { expect = { text = "ir" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "a-mail-in-a-new-tab",
        page: "<a href=mailto:a@b.example target=_blank>ir</a>",
        actions: r#"{ click = "text=ir" }, { expect = { text = "ir" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "nothing-in-a-new-tab",
        page: "<a href=/nothing target=_blank>ir</a>",
        actions: r#"{ click = "text=ir" }, { expect = { text = "ir" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "turning-from-tab-to-tab",
        page: "<title>Portal</title><h1>Uno</h1><a href=/second target=_blank>ir</a>",
        actions: r#"
                { click = "text=ir" }, { tab = "main" }, { expect = { text = "Uno" } }, { tab = { url = "/second" } }, { expect = { text = "Dos" } },
                { tab = { title = "Port" } }, { expect = { text = "Uno" } }, { tab = { title = "Segunda" } }, { tab = "close" }, { expect = { text = "Uno" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "a-tab-that-comes-late",
        page: "<button onclick=\"setTimeout(()=>window.open('/second'),500)\">ir</button>",
        actions: r#"{ click = "text=ir" }, { tab = { title = "Segunda" } }, { expect = { text = "Dos" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "one-that-answers-500",
        page: "<a href=/broken target=_blank>ir</a>",
        actions: r#"{ click = "text=ir" }"#,
        becomes: Err((
            "http_status",
            "`http://127.0.0.1:PORT/broken` answered with HTTP status 500",
        )),
    },
    Case {
        name: "one-that-is-never-answered",
        page: "<a href=/never target=_blank>ir</a>",
        actions: r#"{ click = "text=ir" }"#,
        becomes: Err((
            "timeout",
            "after the click on `text=ir` the next page did not arrive in time: the page is on its way to `http://127.0.0.1:PORT/never`, which does not answer",
        )),
    },
    Case {
        name: "a-tab-that-is-not-there",
        page: "<h1>Uno</h1>",
        actions: r#"{ tab = { title = "Segunda" } }"#,
        becomes: Err((
            "element_missing",
            "no window has `Segunda` in its title; there are `http://127.0.0.1:PORT/a-tab-that-is-not-there`",
        )),
    },
    Case {
        name: "the-only-tab",
        page: "<h1>Uno</h1>",
        actions: r#"{ tab = "close" }"#,
        becomes: Err((
            "assertion",
            "there is only one window: the page opened no other, or it is closed already",
        )),
    },
];

#[test]
fn windows_are_followed_as_a_user_does() {
    let points = check(
        CASES,
        &[
            ("/second", "<title>Segunda</title><h1>Dos</h1>"),
            ("/counts", COUNTS),
            (
                "/closing",
                "<button onclick='window.close()'>cerrar</button>",
            ),
            (
                "/permission",
                "<h1>Permiso</h1><script>setTimeout(()=>{opener.postMessage('Entró Ana','*');close()},1000)</script>",
            ),
            (
                "/opens",
                "<button onclick=\"window.open('/second')\">seguir</button>",
            ),
            (
                "/closes",
                "<script>setTimeout(()=>{opener.close();document.body.append('Solo')},200)</script>",
            ),
        ],
    );
    // The opener is in front again when the window has closed itself.
    let url = points[2].text("url").unwrap();
    assert!(url.ends_with("lets-its-opener-go-on"), "{url}");
}
