//! The process of product.

use std::process::ExitCode;

use ecommerce_courier::metrics as courier;
use ecommerce_process::{Migrations, Program};
use ecommerce_redis::metrics as redis;

fn main() -> ExitCode {
    ecommerce_process::main(Program {
        name: "product",
        about: "What the shop sells, what it costs, and how many there are",
        build: product::build,
        migrations: Some(Migrations { schema: product::migrations, seed: None }),
        openapi: product::openapi,
        metrics: [product::METRICS, courier::METRICS, redis::METRICS].concat(),
        tools: vec![product::DEAD_LETTERS],
    })
}
