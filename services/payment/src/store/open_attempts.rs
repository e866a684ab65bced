//! The table `open_attempts`: which attempts are open, and who is at each.

use ecommerce_idempotency::StoredAnswer;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::attempts::{Found, Row, find_answer, read};
use crate::domain::AttemptId;

/// Nobody is at an attempt with this holder.
const NOBODY: Uuid = Uuid::nil();

/// The oldest open attempt from this one on; those before it are known to have ended.
pub(crate) async fn find_oldest(connection: &mut PgConnection, from: Uuid) -> Result<Option<Uuid>, sqlx::Error> {
    let oldest = sqlx::query_scalar!(
        "select attempt_id from open_attempts where attempt_id >= $1 order by attempt_id limit 1",
        from
    );
    oldest.fetch_optional(connection).await
}

/// Takes over open attempts from this one on that nobody living is at and whose time has come, the oldest first; without those that another process
/// is taking over at this moment, and without those that did not read before.
pub(crate) async fn take_over(
    connection: &mut PgConnection,
    holder: Uuid,
    from: Uuid,
    unreadable: &[Uuid],
    now: OffsetDateTime,
    limit: i64,
) -> Result<Found, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"with orphans as materialized (
             select attempt_id from open_attempts
             where attempt_id >= $5 and due_at <= $2 and attempt_id <> all($4)
               and holder <> all(array(select holder from holders where alive_until > $2))
             order by attempt_id limit $3
             for update skip locked),
           taken as (
             update open_attempts set holder = $1 from orphans where open_attempts.attempt_id = orphans.attempt_id
             returning open_attempts.attempt_id)
           select id, kind, payment_id, customer_id, amount, currency, method, charge_id, requested_by is not null as "by_customer!",
             request_id
           from taken join attempts on id = attempt_id
           order by id"#,
        holder,
        now,
        limit,
        unreadable,
        from
    )
    .fetch_all(&mut *connection)
    .await?;
    leave_unreadable(connection, holder, read(rows)).await
}

/// Open attempts from this one on that this process has held since before that time.
pub(crate) async fn find_own(
    connection: &mut PgConnection,
    holder: Uuid,
    from: Uuid,
    before: OffsetDateTime,
) -> Result<Vec<AttemptId>, sqlx::Error> {
    // A range with both ends is taken for a small one: the index finds it, also by a plan that knows neither.
    let own = sqlx::query_scalar!(
        "select attempt_id from open_attempts
         where attempt_id >= $3 and attempt_id <= $4 and holder = $1 and due_at < $2",
        holder,
        before,
        from,
        Uuid::max()
    );
    Ok(own.fetch_all(connection).await?.into_iter().map(AttemptId).collect())
}

/// Those of these attempts that are open; this process holds them.
pub(crate) async fn find_open(
    connection: &mut PgConnection,
    holder: Uuid,
    keys: &[AttemptId],
) -> Result<Found, sqlx::Error> {
    let keys: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"select id, kind, payment_id, customer_id, amount, currency, method, charge_id, requested_by is not null as "by_customer!",
             request_id
           from attempts where id = any($1) and status = 'open'"#,
        &keys
    )
    .fetch_all(&mut *connection)
    .await?;
    leave_unreadable(connection, holder, read(rows)).await
}

/// Holds none that did not read: the version that wrote them takes them over.
async fn leave_unreadable(connection: &mut PgConnection, holder: Uuid, found: Found) -> Result<Found, sqlx::Error> {
    if !found.unreadable.is_empty() {
        let unreadable: Vec<Uuid> = found.unreadable.iter().map(|key| key.0).collect();
        let leave = sqlx::query!(
            "update open_attempts set holder = $1 where attempt_id = any($2) and holder = $3",
            NOBODY,
            &unreadable,
            holder
        );
        leave.execute(connection).await?;
    }
    Ok(found)
}

/// Lets anybody look an open attempt up whose outcome is not known, the later the longer it has been open, and keeps the answer that
/// says so. When another has taken it over from `holder` meanwhile, that one's stays. Answers what the customer is told now, which
/// is another's answer when another was quicker.
pub(crate) async fn let_go(
    connection: &mut PgConnection,
    key: AttemptId,
    holder: Uuid,
    answer: Option<&StoredAnswer>,
    now: OffsetDateTime,
) -> Result<Option<StoredAnswer>, sqlx::Error> {
    sqlx::query!(
        "with told as (
           update attempts set updated_at = $2, answer_status = coalesce(answer_status, $4), answer_body = coalesce(answer_body, $5)
           where id = $1 and status = 'open'
           returning id, created_at)
         update open_attempts
         set holder = $6, due_at = $2::timestamptz + least(($2::timestamptz - told.created_at) / 4, interval '1 minute')
         from told where attempt_id = told.id and holder = $3",
        key.0,
        now,
        holder,
        answer.map(StoredAnswer::status_code),
        answer.map(|answer| &*answer.body),
        NOBODY
    )
    .execute(&mut *connection)
    .await?;
    find_answer(connection, key).await
}
