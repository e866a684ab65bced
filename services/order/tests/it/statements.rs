//! The SQL that was checked as this service was compiled.

use std::path::Path;

use ecommerce_testing::checked_sql;

#[tokio::test]
async fn every_statement_means_to_the_migrated_database_what_it_meant_when_it_was_checked() {
    let of_order = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = of_order.join("../../crates");
    // The tables that services have in common stand in this one's database, too.
    for folder in [of_order, &crates.join("postgres"), &crates.join("idempotency")] {
        checked_sql::is_fresh(folder, order::migrations()).await;
    }
}
