//! How a process says that it failed.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// The end of `main`: a failure goes to the log or, when it came before there was one, to standard error.
#[must_use]
pub fn code(result: Result<(), Box<dyn Error>>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    if tracing::dispatcher::has_been_set() {
        tracing::error!(error = %Chain(error.as_ref()), "the process failed");
    } else {
        #[expect(clippy::print_stderr, reason = "there is no log yet")]
        {
            eprintln!("{}", Chain(error.as_ref()));
        }
    }
    ExitCode::FAILURE
}

/// An error with all its causes on one line.
#[derive(Debug)]
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(formatter, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
