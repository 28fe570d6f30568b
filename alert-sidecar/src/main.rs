//! The binary `vigia-alert`: everything is in the library, so that tests reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    vigia_alert::commands::main().into()
}
