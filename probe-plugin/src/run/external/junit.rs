//! Reads a `JUnit` XML report, as pytest, Playwright, Mocha, Robot Framework and many others write it.
//!
//! There is no standard, so only what all of them mean by the same words is read: `testcase` with its name, class and time,
//! and in it `failure`, `error` (which mean the same: runners disagree on
//! which is which) and `skipped`. Whatever else there is stands in nobody's way. No entity is expanded but the
//! five of XML and characters by their number.

use std::time::Duration;

use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};

/// So much of what a failure says is read: what matters stands at its beginning.
const TEXT_MAX_BYTES: usize = 64 * 1024;

/// One test.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// What it is a part of: a class, a file.
    pub class: String,
    /// How long it took.
    pub took: Option<Duration>,
    /// It was not run.
    pub skipped: bool,
    /// What went wrong first.
    pub trouble: Option<Trouble>,
}

/// What went wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// The kind of exception, where that is told.
    pub kind: String,
    /// What the reporter thinks worth telling.
    pub message: String,
    /// The whole.
    pub text: String,
}

/// Reads the tests in their order, or says why this is no report.
pub fn parse(text: &str) -> Result<Vec<Case>, String> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().allow_dangling_amp = true;
    let mut reading = Reading::default();
    loop {
        let event = reader
            .read_event()
            .map_err(|error| format!("{error} at byte {}", reader.error_position()))?;
        match event {
            Event::Start(start) => {
                reading.begin(&start)?;
                reading.depth += 1;
            }
            Event::Empty(start) => {
                reading.begin(&start)?;
                reading.end(start.local_name().into_inner());
            }
            Event::End(end) => {
                reading.depth = reading.depth.saturating_sub(1);
                reading.end(end.local_name().into_inner());
            }
            Event::Text(text) => reading.add(&text.xml10_content()),
            Event::CData(text) => reading.add(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let name = reference.xml10_content();
                match reference.resolve_char_ref() {
                    Ok(Some(character)) => reading.add(character.encode_utf8(&mut [0; 4])),
                    _ => reading.add(resolve_predefined_entity(&name).unwrap_or_default()),
                }
            }
            Event::Eof if !reading.has_root => return Err("it is empty".into()),
            Event::Eof if reading.depth > 0 => return Err("it ends in the middle".into()),
            Event::Eof => return Ok(reading.cases),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_) => {}
        }
    }
}

#[derive(Default)]
struct Reading {
    has_root: bool,
    depth: usize,
    cases: Vec<Case>,
    case: Option<Case>,
    /// What is being read of the case.
    trouble: Option<Trouble>,
}

impl Reading {
    fn begin(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        let local_name = start.local_name();
        let name = local_name.into_inner();
        if !self.has_root {
            if !matches!(name, "testsuites" | "testsuite") {
                return Err(format!("it begins with <{name}> instead of <testsuites>"));
            }
            self.has_root = true;
        }
        match name {
            "testcase" => {
                self.case = Some(Case {
                    name: attribute(start, "name"),
                    class: attribute(start, "classname"),
                    took: seconds(&attribute(start, "time")),
                    ..Case::default()
                });
            }
            "failure" | "error" if self.case.is_some() => {
                self.trouble = Some(Trouble {
                    kind: attribute(start, "type"),
                    message: attribute(start, "message"),
                    text: String::new(),
                });
            }
            "skipped" => {
                if let Some(case) = &mut self.case {
                    case.skipped = true;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str) {
        match name {
            "testcase" => self.cases.extend(self.case.take()),
            "failure" | "error" => {
                if let (Some(case), Some(trouble)) = (&mut self.case, self.trouble.take()) {
                    case.trouble.get_or_insert(trouble);
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, text: &str) {
        if let Some(trouble) = &mut self.trouble
            && trouble.text.len() < TEXT_MAX_BYTES
        {
            trouble.text.push_str(text);
        }
    }
}

/// Nothing where it is not there.
fn attribute(start: &BytesStart<'_>, name: &str) -> String {
    let found = start
        .attributes()
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.local_name().into_inner() == name);
    found.map_or_else(String::new, |attribute| {
        match attribute.normalized_value(XmlVersion::Implicit1_0) {
            Ok(value) => value.into_owned(),
            // With an ampersand that nobody escaped.
            Err(_) => attribute.value.into_owned(),
        }
    })
}

/// `1.5`, and `1,234.5` of those who write thousands apart.
fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().replace(',', "").parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str) -> Vec<Case> {
        let path = format!("{}/tests/probe/reports/{name}", env!("CARGO_MANIFEST_DIR"));
        parse(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// Name, seconds, and what went wrong, cut short.
    fn told(cases: &[Case]) -> String {
        let line = |case: &Case| {
            let took = case.took.map_or("-".into(), |took| format!("{took:?}"));
            let trouble = case.trouble.as_ref().map_or_else(
                || if case.skipped { "skipped" } else { "ok" }.into(),
                |trouble| {
                    let mut lines = trouble.message.lines().chain(trouble.text.lines());
                    let first = lines.next().unwrap_or_default();
                    format!("{}: {first:.70}", trouble.kind)
                },
            );
            let line = format!("{} [{}] {took} {trouble}", case.name, case.class);
            format!("{}\n", line.trim_end())
        };
        cases.iter().map(line).collect()
    }

    #[test]
    fn reports_of_pytest_playwright_mocha_and_robot_framework_are_read() {
        insta::assert_snapshot!(told(&read("pytest.xml")), @r#"
        test_ingresar [test_x] 2.79s ok
        test_buscar [test_x] 40ms : selenium.common.exceptions.NoSuchElementException: Message: no such el
        test_assert [test_x] 147ms : AssertionError: no dice Chau
        test_conn [test_x] 318ms ok
        test_setup [test_x] 1ms : failed on setup with "RuntimeError: no arranca"
        test_falta [test_x] 0ns : failed on setup with "file /robots/test_x.py, line 21
        test_name [test_x] 0ns : NameError: name 'foo' is not defined
        test_skip [test_x] 0ns skipped
        test_xfail [test_x] 652ms skipped
        "#);
        insta::assert_snapshot!(told(&read("playwright.xml")), @"
        Consultar › Ingresar [a.spec.js] 382ms ok
        Consultar › Buscar [a.spec.js] 955ms expect.toBeVisible: expect(locator).toBeVisible() failed
        Consultar › Ver detalle [a.spec.js] - skipped
        clic [b.spec.js] 3.69s TimeoutError: locator.click: Timeout 500ms exceeded.
        conexion [b.spec.js] 11.686s Error: page.goto: net::ERR_UNSAFE_PORT at http://127.0.0.1:9/
        lento [b.spec.js] 10.565s Error: Test timeout of 1000ms exceeded.
        error js [b.spec.js] 3.758s ReferenceError: foo is not defined
        ok [b.spec.js] 2.571s ok
        saltado [b.spec.js] - skipped
        ");
        insta::assert_snapshot!(told(&read("mocha-junit.xml")), @r#"
        Portal Ingresar [Ingresar] 0ns ok
        Portal Buscar expediente [Buscar expediente] 2ms AssertionError: no dice Hola  'Chau' !== 'Hola'
        Portal lento [lento] 52ms Error: Timeout of 50ms exceeded. For async tests and hooks, ensure "done()" i
        Portal sin arranque "before all" hook for "nunca" ["before all" hook for "nunca"] 0ns Error: no arranca
        "#);
        insta::assert_snapshot!(told(&read("mocha-xunit.xml")), @r#"
        Ingresar [Portal] 0ns ok
        Buscar expediente [Portal] 2ms : no dice Hola
        Ver detalle [Portal] 0ns skipped
        lento [Portal] 52ms : Timeout of 50ms exceeded. For async tests and hooks, ensure "done()" i
        "before all" hook for "nunca" [Portal sin arranque] 0ns : no arranca
        "#);
        insta::assert_snapshot!(told(&read("robot-framework.xml")), @"
        Ingresar [Portal] 2ms ok
        Buscar expediente [Portal] 2ms AssertionError: no dice Chau: 'Hola' does not contain 'Chau'
        Ver detalle [Portal] 1ms skipped
        ");
    }

    #[test]
    fn what_is_no_report_is_told_why() {
        let mut told = String::new();
        for text in [
            "",
            "Traceback (most recent call last):",
            "<html><body>x</body></html>",
            "<testsuites><testsuite><testcase name='a'/>",
            "<testsuites><testsuite></testsuites>",
            "<testsuites><testcase name='a",
        ] {
            told += &parse(text).unwrap_err();
            told.push('\n');
        }
        insta::assert_snapshot!(told, @"
        it is empty
        it is empty
        it begins with <html> instead of <testsuites>
        it ends in the middle
        ill-formed document: expected `</testsuite>`, but `</testsuites>` was found at byte 23
        syntax error: attribute value not closed: `'` not found before end of input at byte 12
        ");
    }

    #[test]
    fn entities_that_grow_without_end_stay_small() {
        let bomb = r#"<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;">]>
            <testsuite><testcase name="x"><failure message="&c; a&b">&c;&lt;&#241;&c;</failure></testcase></testsuite>"#;
        let trouble = parse(bomb).unwrap().remove(0).trouble.unwrap();
        assert_eq!(trouble.text, "<ñ");
        assert_eq!(trouble.message, "&c; a&b");
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_robot_writes_is_read_or_refused(text in "(<testsuite>)?([a<>&;'\"=! -]|testcase|failure|<!\\[CDATA\\[){0,60}") {
            parse(&text).ok();
        }
    }
}
