//! The command line of a service.

use std::ffi::OsString;

/// The process's arguments; a binary that is started without any serves.
#[must_use]
pub fn or_serve() -> Vec<OsString> {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.len() < 2 {
        arguments.push("serve".into());
    }
    arguments
}
