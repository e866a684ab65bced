//! Every setting of every process.

use clap::{Arg, Args, Command};

use crate::table::{code, table};

const HEAD: &str = "# Configuration

Made by `make generate` from the code. Each process reads its environment; every variable is an argument as well
(`DATABASE_URL` is `--database-url`). In a cluster the operator sets what is required. What is missing or cannot be read ends
the process at its start, with a sentence that names it.
";

pub(crate) fn page() -> String {
    let sections = [
        section::<ecommerce_process::Settings>("Every service", "`<service> serve`, beside what follows for each."),
        section::<auth::Config>("auth", "`auth serve`."),
        section::<gateway::Config>("gateway", "`gateway serve`."),
        section::<product::Config>("product", "`product serve`."),
        section::<order::Config>("order", "`order serve`."),
        section::<payment::Config>("payment", "`payment serve`."),
        section::<ecommerce_process::MigrationSettings>("Migrations", "`<service> migrate`."),
        section::<auth::first_admin::Settings>("Migration of auth", "`auth migrate`, beside those of each migration."),
        section::<operator::settings::Settings>("operator", "`operator run`; the chart sets them."),
        section::<operator::provision::Settings>(
            "Provisioning",
            "`operator provision`, which the operator runs as a Job.",
        ),
    ];
    HEAD.to_owned() + &sections.concat()
}

fn section<Settings: Args>(title: &str, sentence: &str) -> String {
    let command = Settings::augment_args(Command::new("settings"));
    let rows = command.get_arguments().filter_map(|argument| {
        let variable = argument.get_env()?.to_string_lossy();
        Some([code(&variable), meaning(argument), absent(argument)])
    });
    format!("\n## {title}\n\n{sentence}\n\n{}", table(["Variable", "Meaning", "Absent"], rows))
}

fn meaning(argument: &Arg) -> String {
    let meaning = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<_> = argument.get_possible_values().iter().map(|value| code(value.get_name())).collect();
    // Where the sentence has them already, it says more of them.
    if values.iter().all(|value| meaning.contains(value)) {
        return meaning;
    }
    format!("{meaning}: {}", values.join(", "))
}

/// What holds when nobody sets it.
fn absent(argument: &Arg) -> String {
    let defaults: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    match (defaults.is_empty(), argument.is_required_set()) {
        (false, _) if defaults.iter().all(|default| default.is_empty()) => "empty".to_owned(),
        (false, _) => code(&defaults.join(" ")),
        (true, true) => "required".to_owned(),
        (true, false) => "–".to_owned(),
    }
}
