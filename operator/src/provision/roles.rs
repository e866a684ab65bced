//! The roles of one database: an owner that only migrations act as, a group for the service, and a login for each.

use postgres_protocol::password::scram_sha_256;
use sqlx::PgConnection;

use super::plan::Database;
use super::statement::{quote, run};

pub(super) async fn make(
    server: &mut PgConnection,
    database: &Database,
    migrate: &str,
    serve: &str,
) -> Result<(), sqlx::Error> {
    for role in [&database.owner_role, &database.service_role] {
        make_role(server, role).await?;
        run(server, format!("ALTER ROLE {} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE", quote(role))).await?;
    }
    let members = [
        // The migrating login has to say SET ROLE, so that nothing it makes is its own.
        (&database.migrate, migrate, &database.owner_role, "NOINHERIT"),
        (&database.serve, serve, &database.service_role, "INHERIT"),
    ];
    for (login, password, group, inheritance) in members {
        make_role(server, &login.role).await?;
        let role = quote(&login.role);
        // So that the password itself neither travels nor can land in the server's log.
        let verifier = scram_sha_256(password.as_bytes());
        run(
            server,
            format!("ALTER ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE {inheritance} PASSWORD '{verifier}'"),
        )
        .await?;
        run(server, format!("GRANT {} TO {role}", quote(group))).await?;
    }
    Ok(())
}

async fn make_role(server: &mut PgConnection, role: &str) -> Result<(), sqlx::Error> {
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(role)
        .fetch_one(&mut *server)
        .await?;
    if !exists {
        run(server, format!("CREATE ROLE {}", quote(role))).await?;
    }
    Ok(())
}
