//! The process of product.

use std::process::ExitCode;

use ecommerce_process::Program;
use ecommerce_rabbit::metrics as rabbit;
use ecommerce_redis::metrics as redis;

fn main() -> ExitCode {
    ecommerce_process::main(Program {
        name: "product",
        about: "What the shop sells, what it costs, and how many there are",
        build: product::build,
        migrations: Some(product::migrations),
        openapi: product::openapi,
        metrics: [rabbit::METRICS, redis::METRICS].concat(),
    })
}
