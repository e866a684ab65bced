//! Whose a database or a role is on a server that others use too: the stack's own have its mark as their comment.

use sqlx::PgConnection;

use super::statement::{literal, quote, run};
use crate::provision::error::Fault;
use crate::provision::plan::Database;

/// What stands as a comment at whatever is the stack's.
pub(super) struct Mark(pub(super) String);

/// Whose something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Nobodys,
    Ours,
    Others,
}

impl Mark {
    /// What of a database's names is there and is somebody else's.
    pub(super) async fn not_ours(
        &self,
        server: &mut PgConnection,
        wanted: &Database,
    ) -> Result<Option<Fault>, sqlx::Error> {
        let mut owner = Whose::Nobodys;
        for role in [&wanted.owner_role, &wanted.service_role, &wanted.migrate.role, &wanted.serve.role] {
            let whose = self.whose_role(server, role).await?;
            if whose == Whose::Others {
                let claim = format!("COMMENT ON ROLE {} IS {}", quote(role), literal(&self.0));
                return Ok(Some(Fault::NotOurs { what: "role", name: role.clone(), claim }));
            }
            if role == &wanted.owner_role {
                owner = whose;
            }
        }
        let of_database: Option<(Option<String>, String)> = sqlx::query_as(
            "SELECT shobj_description(oid, 'pg_database'), pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = $1",
        )
        .bind(&wanted.name)
        .fetch_optional(server)
        .await?;
        let Some((comment, owned_by)) = of_database else { return Ok(None) };
        let is_marked = comment.as_deref() == Some(&self.0);
        // A Job may end between making it and saying so; nobody but us gives it to a role of ours.
        let is_unfinished = comment.is_none() && owner == Whose::Ours && owned_by == wanted.owner_role;
        if is_marked || is_unfinished {
            return Ok(None);
        }
        let claim = format!("COMMENT ON DATABASE {} IS {}", quote(&wanted.name), literal(&self.0));
        Ok(Some(Fault::NotOurs { what: "database", name: wanted.name.clone(), claim }))
    }

    async fn whose_role(&self, server: &mut PgConnection, role: &str) -> Result<Whose, sqlx::Error> {
        let comment: Option<Option<String>> =
            sqlx::query_scalar("SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = $1")
                .bind(role)
                .fetch_optional(server)
                .await?;
        Ok(match comment {
            None => Whose::Nobodys,
            Some(Some(comment)) if comment == self.0 => Whose::Ours,
            Some(_) => Whose::Others,
        })
    }

    pub(super) async fn at_role(&self, server: &mut PgConnection, role: &str) -> Result<(), sqlx::Error> {
        run(server, format!("COMMENT ON ROLE {} IS {}", quote(role), literal(&self.0))).await
    }

    pub(super) async fn at_database(&self, server: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
        run(server, format!("COMMENT ON DATABASE {} IS {}", quote(name), literal(&self.0))).await
    }
}
