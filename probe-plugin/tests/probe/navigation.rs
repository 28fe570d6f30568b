//! Every way from page to page, and every way that leads to none: the step ends where a user's does.

use crate::ways::{Case, check};

const CASES: &[Case] = &[
    Case {
        name: "back-and-forward",
        page: "<h1>Uno</h1><a href=/second>ir</a>",
        actions: r#"{ click = "text=ir" }, "back", { expect = { text = "Uno" } }, "forward", { expect = { text = "Dos" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "back-in-one-document",
        page: "<a href='#x'>ir</a><p id=v></p><script>onhashchange=()=>v.textContent=location.hash||'arriba'</script>",
        actions: r##"{ click = "text=ir" }, { expect = { text = "#x" } }, "back", { expect = { text = "arriba" } }, "forward", { expect = { text = "#x" } }, { goto = "${portal}/back-in-one-document#y" }, { expect = { text = "#y" } }"##,
        becomes: Ok(()),
    },
    Case {
        name: "a-route-without-a-load",
        page: "<a href=/detail onclick=\"event.preventDefault();history.pushState({},'','/detail');fetch('/second').then(()=>v.textContent='Detalle')\">ir</a><p id=v>Lista</p><script>onpopstate=()=>setTimeout(()=>v.textContent='Lista',200)</script>",
        actions: r#"{ click = "text=ir" }, { expect = { text = "Detalle" } }, "back", { expect = { text = "Lista" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "a-reload",
        page: "<p id=v></p><script>sessionStorage.n=+(sessionStorage.n||0)+1;v.textContent=`vez ${sessionStorage.n}`</script>",
        actions: r#"{ expect = { text = "vez 1" } }, "reload", { expect = { text = "vez 2" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "back-after-a-form-was-sent",
        page: "<h1>Uno</h1><form method=post action=/receive><button>enviar</button></form>",
        actions: r#"{ click = "text=enviar" }, { expect = { text = "Dos" } }, "back", { expect = { text = "Uno" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "a-page-that-sends-on",
        page: "<meta http-equiv=refresh content='1;url=/second'>",
        actions: r#"{ expect = { text = "Dos" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "a-way-that-another-takes-over",
        page: "<button onclick=\"location='/never';setTimeout(()=>location='/second',100)\">ir</button>",
        actions: r#"{ click = "text=ir" }, { expect = { text = "Dos" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "a-way-that-is-given-up",
        page: "<button onclick=\"location='/never';setTimeout(()=>{window.stop();document.body.append('Parado')},100)\">ir</button>",
        actions: r#"{ click = "text=ir" }, { expect = { text = "Parado" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "an-answer-without-content",
        page: "<a href=/nothing>ir</a>",
        actions: r#"{ click = "text=ir" }, { expect = { text = "ir" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "a-download",
        page: "<a href=/file>uno</a> <a href=/second download>dos</a>",
        actions: r#"{ click = "text=uno" }, { click = "text=dos" }, { expect = { text = "uno" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "another-program",
        page: "<a href=mailto:a@b.example>ir</a>",
        actions: r#"{ click = "text=ir" }, { expect = { text = "ir" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "a-script-as-an-address",
        page: "<a href=\"javascript:void(document.body.append('Hecho'))\">ir</a>",
        actions: r#"{ click = "text=ir" }, { expect = { text = "Hecho" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "a-page-that-is-slow-to-leave",
        page: "<a href=/second>ir</a><script>onpagehide=()=>{const end=performance.now()+800;while(performance.now()<end);}</script>",
        actions: r#"{ click = "text=ir" }, { expect = { text = "Dos" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "frames-that-never-rest",
        page: "<button onclick=\"v.textContent='Vale'\">ir</button><p id=v></p><script>onload=()=>{document.body.insertAdjacentHTML('beforeend','<iframe id=a></iframe><iframe id=b></iframe>');let n=0;setInterval(()=>{a.src='/second?'+n++},120);setInterval(()=>{b.src='/never?'+n++},90)}</script>",
        actions: r#"{ click = "text=ir" }, { expect = { text = "Vale" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "no-page-to-go-back-to",
        page: "<h1>Uno</h1>",
        actions: r#""back""#,
        becomes: Err(("assertion", "there is no page to go back to")),
    },
    Case {
        name: "a-page-that-leaves-for-one-that-does-not-answer",
        page: "<title>Uno</title><script>setTimeout(()=>location='/never',300)</script>",
        actions: r#"{ expect = { text = "Dos" } }"#,
        becomes: Err((
            "timeout",
            "the page `Uno` does not show `Dos`: the page is on its way to `http://127.0.0.1:PORT/never`, which does not answer",
        )),
    },
    Case {
        name: "a-wait-while-a-page-leaves",
        page: "<title>Uno</title><script>setTimeout(()=>location='/never',300)</script>",
        actions: r#"{ wait = "1s" }, { click = "text=Uno" }"#,
        becomes: Err((
            "timeout",
            "the page does not respond in time: the page is on its way to `http://127.0.0.1:PORT/never`, which does not answer",
        )),
    },
    Case {
        name: "a-page-that-leads-to-an-error-by-itself",
        page: "<script>setTimeout(()=>location='/broken',300)</script>",
        actions: r#"{ expect = { text = "Dos" } }"#,
        becomes: Err((
            "http_status",
            "`http://127.0.0.1:PORT/broken` answered with HTTP status 500: the page does not show `Dos`",
        )),
    },
    Case {
        name: "a-picture-that-never-comes",
        page: "<h1>Uno</h1><img src=/never>",
        actions: r#"{ expect = { text = "Uno" } }"#,
        becomes: Err((
            "timeout",
            "`http://127.0.0.1:PORT/a-picture-that-never-comes` did not finish loading in time",
        )),
    },
];

#[test]
fn a_step_ends_where_the_way_does() {
    check(CASES, &[("/second", "<h1>Dos</h1>")]);
}
