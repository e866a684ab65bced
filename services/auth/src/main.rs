//! The process of auth.

use std::process::ExitCode;

use ecommerce_process::{Migrations, Program};

fn main() -> ExitCode {
    ecommerce_process::main(Program {
        name: "auth",
        about: "Users, their logins and their sessions",
        build: auth::build,
        migrations: Some(Migrations { schema: auth::migrations, seed: Some(auth::FIRST_ADMIN) }),
        openapi: auth::openapi,
        metrics: auth::METRICS.to_vec(),
        tools: Vec::new(),
    })
}
