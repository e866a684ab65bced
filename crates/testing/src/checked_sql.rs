//! The statements that were checked as they were compiled, asked of the database that their service's migrations make.

use std::fs;
use std::path::Path;

use serde_json::Value;
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _};

use crate::Database;

/// The crate in this folder has just the statements that its `.sqlx` holds, and each means to the migrated database what it meant when
/// that was made.
///
/// # Panics
/// With the statements of which that is not so, and with what makes their files anew.
pub async fn is_fresh(folder: &Path, migrator: Migrator) {
    let database = Database::create(migrator).await;
    let mut connection = database.as_owner().await;
    let source = source(&folder.join("src")).replace("\\\"", "\"");
    let mut stale = Vec::new();
    for file in entries(&folder.join(".sqlx")) {
        let text = fs::read_to_string(&file).expect("a file of the tree");
        let kept: Value = serde_json::from_str(&text).expect("a statement as sqlx keeps it");
        let query = kept["query"].as_str().expect("a statement").to_owned();
        let described = connection.describe(AssertSqlSafe(query.clone()).into_sql_str()).await;
        let means = described.map(|described| serde_json::to_value(described).expect("what sqlx keeps"));
        match means {
            Ok(means) if means == kept["describe"] && source.contains(&query) => {}
            Ok(_) if !source.contains(&query) => stale.push(format!("no longer there: {query}")),
            Ok(means) => stale.push(format!("{query}\n  was {}\n   is {means}", kept["describe"])),
            Err(error) => stale.push(format!("{query}\n  {error}")),
        }
    }
    assert!(stale.is_empty(), "local/sqlx-prepare makes these anew:\n{}", stale.join("\n"));
}

fn source(folder: &Path) -> String {
    let text = |path: &Path| {
        if path.is_dir() { source(path) } else { fs::read_to_string(path).expect("a file of the tree") }
    };
    entries(folder).iter().map(|path| text(path)).collect()
}

fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of the tree");
    entries.map(|entry| entry.expect("an entry of the tree").path()).collect()
}
