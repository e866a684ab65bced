//! The SQL that was checked as this service was compiled.

use std::path::Path;

use ecommerce_testing::checked_sql;

#[tokio::test]
async fn every_statement_means_to_the_migrated_database_what_it_meant_when_it_was_checked() {
    checked_sql::is_fresh(Path::new(env!("CARGO_MANIFEST_DIR")), auth::migrations()).await;
}
