//! The skeleton that all services stand on: a command line, two ports, background tasks, one end.
//!
//! A service is a [`Program`]: what it is called, how it is built on a [`Host`], its schema and its document. Its `main` is
//! that and nothing else. To add a service: a `main` of fifteen lines, a `Config`, a `build` that gives an [`App`] and names
//! each of its stores ([`App::ready_once_reached`]).

mod app;
mod host;
mod machine;
mod program;
mod readiness;
mod settings;

pub use app::App;
pub use host::{Host, Listeners};
pub use program::{Failure, MigrationSettings, Migrations, Program, Seed, Sowing, Tool, Use, main};
pub use settings::Settings;
