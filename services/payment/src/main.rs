//! The process of payment.

use std::process::ExitCode;

use ecommerce_courier::metrics as courier;
use ecommerce_process::{Migrations, Program};

fn main() -> ExitCode {
    ecommerce_process::main(Program {
        name: "payment",
        about: "Payments: charged at most once, and given back when their order ends without a sale",
        build: payment::build,
        migrations: Some(Migrations { schema: payment::migrations, seed: None }),
        openapi: payment::openapi,
        metrics: [payment::METRICS, courier::METRICS].concat(),
        tools: vec![payment::DEAD_LETTERS],
    })
}
