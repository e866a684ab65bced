//! The roles of one database: an owner that only migrations act as, a group for the service, and a login for each.

use postgres_protocol::password::scram_sha_256;
use sqlx::{Connection as _, PgConnection};

use super::mark::Mark;
use super::statement::{quote, run};
use crate::provision::plan::Database;

/// Nothing here says `NOSUPERUSER`: it is so of every role that is made, and only a superuser may say it again.
pub(super) async fn make(
    server: &mut PgConnection,
    database: &Database,
    migrate: &str,
    serve: &str,
    mark: Option<&Mark>,
) -> Result<(), sqlx::Error> {
    for role in [&database.owner_role, &database.service_role] {
        make_role(server, role, mark).await?;
        run(server, format!("ALTER ROLE {} NOLOGIN NOCREATEDB NOCREATEROLE", quote(role))).await?;
    }
    let members = [
        // The migrating login has to say SET ROLE, so that nothing it makes is its own.
        (&database.migrate, migrate, &database.owner_role, "NOINHERIT"),
        (&database.serve, serve, &database.service_role, "INHERIT"),
    ];
    for (login, password, group, inheritance) in members {
        make_role(server, &login.role, mark).await?;
        let role = quote(&login.role);
        // So that the password itself neither travels nor can land in the server's log.
        let verifier = scram_sha_256(password.as_bytes());
        run(server, format!("ALTER ROLE {role} LOGIN NOCREATEDB NOCREATEROLE {inheritance} PASSWORD '{verifier}'"))
            .await?;
        run(server, format!("GRANT {} TO {role}", quote(group))).await?;
    }
    Ok(())
}

async fn make_role(server: &mut PgConnection, role: &str, mark: Option<&Mark>) -> Result<(), sqlx::Error> {
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(role)
        .fetch_one(&mut *server)
        .await?;
    if exists {
        return Ok(());
    }
    // Together: one that had no mark yet would be somebody else's at the next look.
    let mut together = server.begin().await?;
    run(&mut together, format!("CREATE ROLE {}", quote(role))).await?;
    if let Some(mark) = mark {
        mark.at_role(&mut together, role).await?;
    }
    together.commit().await
}
