//! The benchmark, as `make benchmark` starts it, without the peers: they are not installed for the tests.

use std::process::Command;

#[test]
fn vigia_walks_the_benchmarks_journey_in_full() {
    let output = Command::new(env!("CARGO_BIN_EXE_vigia-benchmark"))
        .args(["--only", "vigia", "--runs", "1", "--repeats", "1"])
        .args(["--concurrency", "2"])
        .output()
        .unwrap();

    let told = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}{errors}");
    // Beside whom it is measured is not there; its own figures are.
    assert!(
        told.contains("| journeys a minute, of the floor's | - |\n"),
        "{told}"
    );
    let row = told
        .lines()
        .find(|line| line.starts_with("| Vigía, 2 at a time |"));
    assert!(row.is_some_and(|row| row.ends_with("| 0 |")), "{told}");
}
