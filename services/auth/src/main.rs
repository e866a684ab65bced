//! The process of auth.

use std::process::ExitCode;

use ecommerce_process::Program;

fn main() -> ExitCode {
    ecommerce_process::main(Program {
        name: "auth",
        about: "Users, their logins and their sessions",
        build: auth::build,
        migrations: Some(auth::migrations),
        openapi: auth::openapi,
        metrics: auth::METRICS.to_vec(),
    })
}
