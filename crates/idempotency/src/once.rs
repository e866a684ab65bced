//! One transaction around a key, its effect and its answer.

use ecommerce_postgres::Pool;
use sqlx::PgConnection;

use crate::{Error, Scope, StoredAnswer, begin, store};

/// Has `effect` once for a key, or answers what was answered before. A refusal of the effect gives the key free, and is
/// rolled back before it is answered: whoever mends the request may use the key again at once.
pub async fn once<E: From<Error> + From<sqlx::Error>>(
    pool: &Pool,
    scope: &Scope,
    effect: impl AsyncFnOnce(&mut PgConnection) -> Result<StoredAnswer, E>,
) -> Result<Turn, E> {
    let turn = async |transaction: &mut PgConnection| {
        if let Some(answer) = begin(transaction, scope).await? {
            return Ok(Turn::Repeated(answer));
        }
        let answer = effect(transaction).await?;
        store(transaction, scope, &answer).await?;
        Ok(Turn::First(answer))
    };
    pool.transaction(turn).await
}

/// Whether a key came for the first time.
#[derive(Debug)]
#[must_use]
pub enum Turn {
    /// It did, and the effect is committed.
    First(StoredAnswer),
    /// Its effect had been committed before.
    Repeated(StoredAnswer),
}

impl Turn {
    /// What is answered, either way.
    #[must_use]
    pub fn answer(self) -> StoredAnswer {
        match self {
            Self::First(answer) | Self::Repeated(answer) => answer,
        }
    }
}
