//! The process of gateway.

use std::process::ExitCode;

use ecommerce_process::Program;

fn main() -> ExitCode {
    ecommerce_process::main(Program {
        name: "gateway",
        about: "The shop's one door",
        build: gateway::build,
        migrations: None,
        openapi: gateway::openapi,
        metrics: gateway::METRICS.to_vec(),
        tools: Vec::new(),
    })
}
