//! Dialogs: answered as the journey says, and told when they are not what it says.

use crate::ways::{Case, check};

const ASK: &str = "<button onclick=\"v.textContent=confirm('¿Borrar?')?'Borrado':'Dejado'\">ir</button><p id=v></p>";

const PROMPT: &str =
    "<button onclick=\"v.textContent='Hola '+prompt('Nombre','nadie')\">ir</button><p id=v></p>";

const ASKS_TO_LEAVE: &str = "<h1>Uno</h1><a href=/second>ir</a><button>tocar</button><script>onbeforeunload=event=>{event.preventDefault();return 'x'}</script>";

const CASES: &[Case] = &[
    Case {
        name: "an-alert",
        page: "<button onclick=\"alert('Guardado');v.textContent='Hecho'\">ir</button><p id=v></p>",
        actions: r#"{ click = "text=ir" }, { dialog = "accept" }, { expect = { text = "Hecho" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "yes-and-no",
        page: ASK,
        actions: r#"
                { click = "text=ir" }, { dialog = { answer = "dismiss", text = "¿Borrar?" } }, { expect = { text = "Dejado" } },
                { click = "text=ir" }, { dialog = "accept" }, { expect = { text = "Borrado" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "what-is-typed",
        page: PROMPT,
        actions: r#"
                { click = "text=ir" }, { dialog = { answer = "accept", type = "Ana" } }, { expect = { text = "Hola Ana" } },
                { click = "text=ir" }, { dialog = "accept" }, { expect = { text = "Hola nadie" } },
                { click = "text=ir" }, { dialog = "dismiss" }, { expect = { text = "Hola null" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "one-after-the-other",
        page: "<button onclick=\"if(confirm('Uno')&&!confirm('Dos'))v.textContent='Bien'\">ir</button><p id=v></p>",
        actions: r#"{ click = "text=ir" }, { dialog = { answer = "accept", text = "Uno" } }, { dialog = { answer = "dismiss", text = "Dos" } }, { expect = { text = "Bien" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "one-that-comes-late-and-leads-on",
        page: "<button onclick=\"setTimeout(()=>{if(confirm('Tarde'))location='/second'},500)\">ir</button>",
        actions: r#"{ click = "text=ir" }, { dialog = "accept" }, { expect = { text = "Dos" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "one-in-a-frame-of-another-site",
        page: "<iframe id=f></iframe><script>f.src=`http://localhost:${location.port}/ask`</script>",
        actions: r#"{ click = "text=ir" }, { dialog = "accept" }, { expect = { text = "Borrado" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "one-in-a-window",
        page: "<button onclick=\"window.open('/ask')\">abrir</button>",
        actions: r#"{ click = "text=abrir" }, { click = "text=ir" }, { dialog = "accept" }, { expect = { text = "Borrado" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "a-page-that-asks-is-left",
        page: ASKS_TO_LEAVE,
        actions: r#"{ click = "text=tocar" }, { click = "text=ir" }, { expect = { text = "Dos" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "a-page-that-asks-is-not-left",
        page: ASKS_TO_LEAVE,
        actions: r#"
                { click = "text=tocar" }, { click = "text=ir" }, { dialog = "dismiss" }, { expect = { text = "Uno" } },
                "reload", { dialog = "dismiss" }, { expect = { text = "Uno" } },
                { goto = "${portal}/second" }, { dialog = "dismiss" }, { expect = { text = "Uno" } },
                { goto = "${portal}/second" }, { dialog = "accept" }, { expect = { text = "Dos" } }"#,
        becomes: Ok(()),
    },
    Case {
        name: "one-that-does-not-come",
        page: "<button>ir</button>",
        actions: r#"{ click = "text=ir" }, { dialog = "accept" }"#,
        becomes: Err(("dialog", "the page opened no dialog in time")),
    },
    Case {
        name: "one-that-says-otherwise",
        page: "<button onclick=\"alert('Error interno')\">ir</button>",
        actions: r#"{ click = "text=ir" }, { dialog = { answer = "accept", text = "Guardado" } }"#,
        becomes: Err((
            "assertion",
            "the dialog says `Error interno`, not `Guardado`",
        )),
    },
    Case {
        name: "one-without-a-field",
        page: "<button onclick=\"confirm('¿Seguro?')\">ir</button>",
        actions: r#"{ click = "text=ir" }, { dialog = { answer = "accept", type = "x" } }"#,
        becomes: Err(("dialog", "the dialog `¿Seguro?` has no field to type into")),
    },
    Case {
        name: "one-that-comes-while-something-is-waited-for",
        page: "<script>setTimeout(()=>alert('Sesión vencida'),300)</script>",
        actions: r#"{ expect = { text = "Nunca" } }"#,
        becomes: Err((
            "dialog",
            "the page opened a dialog that nobody expected: `Sesión vencida`",
        )),
    },
];

#[test]
fn dialogs_are_answered_as_the_journey_says() {
    check(CASES, &[("/second", "<h1>Dos</h1>"), ("/ask", ASK)]);
}

#[test]
fn a_page_that_opens_dialogs_without_end_is_told_at_once_and_with_its_picture() {
    let journey = r#"
system = "paginas"
name = "avisos"
impact = "low"
every = "24h"
timeout = "10m"
action_timeout = "9m"
[variables]
portal = "https://t.example"
[[step]]
name = "Abrir"
actions = [{ goto = "${portal}/" }, { click = "text=ir" }]
"#;
    let portal = crate::ways::serve(vec![(
        "/".into(),
        "<button onclick=\"for(;;)alert('Otra vez')\">ir</button>".into(),
    )]);
    let setting = crate::running::Setting::new(journey, &portal, crate::running::browser_table());
    let mut probe = crate::running::Running::start(&setting);
    probe.ask_for_points();

    // Inside the tests' patience, long before the action's time is over.
    let run = probe.run();

    assert_eq!(
        run.journey.text("error"),
        Some("the page opened a dialog that nobody expected: `Otra vez`")
    );
    let picture = probe.next("journey_screenshot");
    assert_eq!(picture.text("run_id"), run.journey.text("run_id"));
    probe.stop();
}
