//! One database: who may connect, what the service may do in it, and the id that tells it from another of its name.

use sqlx::{Executor as _, PgConnection};
use uuid::Uuid;

use super::mark::Mark;
use super::statement::{quote, run};
use crate::provision::plan::Database;

pub(super) async fn make(
    server: &mut PgConnection,
    database: &Database,
    mark: Option<&Mark>,
) -> Result<(), sqlx::Error> {
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(&database.name)
        .fetch_one(&mut *server)
        .await?;
    let (name, owner) = (quote(&database.name), quote(&database.owner_role));
    // To give something to a role one has to be able to become it, which who has made it is by itself as a superuser alone.
    if mark.is_some() {
        run(server, format!("GRANT {owner} TO CURRENT_USER")).await?;
    }
    if !exists {
        run(server, format!("CREATE DATABASE {name} OWNER {owner}")).await?;
    }
    if let Some(mark) = mark {
        mark.at_database(server, &database.name).await?;
    }
    run(server, format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC")).await?;
    // NOINHERIT: the migrating login has no right to connect through its group.
    for role in [&database.service_role, &database.migrate.role] {
        run(server, format!("GRANT CONNECT ON DATABASE {name} TO {}", quote(role))).await?;
    }
    Ok(())
}

/// Inside the database: `public` is the owner's, and what the owner makes the service reads and writes.
pub(super) async fn grant(inside: &mut PgConnection, database: &Database) -> Result<(), sqlx::Error> {
    let (owner, service) = (quote(&database.owner_role), quote(&database.service_role));
    let own = format!("ALTER DEFAULT PRIVILEGES FOR ROLE {owner}");
    for statement in [
        format!("ALTER SCHEMA public OWNER TO {owner}"),
        "REVOKE ALL ON SCHEMA public FROM PUBLIC".to_owned(),
        format!("GRANT USAGE ON SCHEMA public TO {service}"),
        format!("{own} GRANT USAGE ON SCHEMAS TO {service}"),
        format!("{own} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {service}"),
        format!("{own} GRANT USAGE, SELECT ON SEQUENCES TO {service}"),
    ] {
        run(inside, statement).await?;
    }
    Ok(())
}

/// The id that tells this database from another of the same name; made once, seen by the administrator alone.
pub(super) async fn identify(inside: &mut PgConnection, fresh: Uuid) -> Result<Uuid, sqlx::Error> {
    for statement in [
        "CREATE SCHEMA IF NOT EXISTS ecommerce_provisioning",
        "CREATE TABLE IF NOT EXISTS ecommerce_provisioning.provisioning (
            only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
            id uuid NOT NULL
        )",
    ] {
        inside.execute(statement).await?;
    }
    sqlx::query("INSERT INTO ecommerce_provisioning.provisioning (id) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind(fresh)
        .execute(&mut *inside)
        .await?;
    sqlx::query_scalar("SELECT id FROM ecommerce_provisioning.provisioning").fetch_one(inside).await
}
