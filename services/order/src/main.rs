//! The process of order.

use std::process::ExitCode;

use ecommerce_courier::metrics as courier;
use ecommerce_process::{Migrations, Program};

fn main() -> ExitCode {
    ecommerce_process::main(Program {
        name: "order",
        about: "Orders: placed once, then paid or given back",
        build: order::build,
        migrations: Some(Migrations { schema: order::migrations, seed: None }),
        openapi: order::openapi,
        metrics: [order::METRICS, courier::METRICS].concat(),
        tools: vec![order::DEAD_LETTERS, order::REPEAT],
    })
}
