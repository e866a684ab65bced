//! The process of order.

use std::process::ExitCode;

use ecommerce_process::{Migrations, Program};
use ecommerce_rabbit::metrics as rabbit;

fn main() -> ExitCode {
    ecommerce_process::main(Program {
        name: "order",
        about: "Orders: placed once, then paid or given back",
        build: order::build,
        migrations: Some(Migrations { schema: order::migrations, seed: None }),
        openapi: order::openapi,
        metrics: [order::METRICS, rabbit::METRICS].concat(),
    })
}
