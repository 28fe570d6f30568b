//! The binary `vigia-demo`: everything is in the library, so that tests reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    vigia_testbed::demo::main()
}
