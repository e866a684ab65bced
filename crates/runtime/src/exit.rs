//! How a process ends.

use std::error::Error;
use std::process::ExitCode;

use crate::{ErrorChain, telemetry};

/// The end of `main`: a failure goes to the log or, when it came before there was one, to standard error. What waits to be
/// written to the log is.
#[must_use]
pub fn code(outcome: Result<(), Box<dyn Error>>) -> ExitCode {
    let code = match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if tracing::dispatcher::has_been_set() => {
            tracing::error!(error = %ErrorChain(error.as_ref()), "the process failed");
            ExitCode::FAILURE
        }
        #[expect(clippy::print_stderr, reason = "there is no log yet")]
        Err(error) => {
            eprintln!("{}", ErrorChain(error.as_ref()));
            ExitCode::FAILURE
        }
    };
    telemetry::close();
    code
}
