//! The binary `vigia-dashboards`: everything is in the library, so that tests reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    vigia_testbed::dashboards::main()
}
