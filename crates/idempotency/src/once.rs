//! One transaction around a key, its effect and its answer.

use sqlx::{PgConnection, PgPool};

use crate::{Error, Scope, StoredAnswer, begin, store};

/// Has `effect` once for a key, or answers what was answered before. A refusal of the effect gives the key free, and is
/// rolled back before it is answered: whoever mends the request may use the key again at once.
pub async fn once<E: From<Error>>(
    pool: &PgPool,
    scope: &Scope,
    effect: impl AsyncFnOnce(&mut PgConnection) -> Result<StoredAnswer, E>,
) -> Result<Turn, E> {
    let mut transaction = pool.begin().await.map_err(Error::from)?;
    let turn = match begin(&mut transaction, scope).await {
        Ok(None) => effect(&mut transaction).await.map(Turn::First),
        Ok(Some(answer)) => Ok(Turn::Repeated(answer)),
        Err(error) => Err(error.into()),
    };
    if let Ok(Turn::First(answer)) = &turn {
        store(&mut transaction, scope, answer).await?;
        transaction.commit().await.map_err(Error::from)?;
    } else {
        transaction.rollback().await.map_err(Error::from)?;
    }
    turn
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
