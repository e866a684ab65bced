//! One transaction around a key, its effect and its answer.

use sqlx::{PgConnection, PgPool};

use crate::{Answer, Error, Scope, claim, store};

/// Has `effect` once for a key, or answers what was answered before. A refusal of the effect gives the key free, and is
/// rolled back before it is answered: whoever mends the request may use the key again at once.
pub async fn once<E: From<Error>>(
    pool: &PgPool,
    scope: &Scope,
    effect: impl AsyncFnOnce(&mut PgConnection) -> Result<Answer, E>,
) -> Result<Answer, E> {
    let mut transaction = pool.begin().await.map_err(Error::from)?;
    let outcome = match claim(&mut transaction, scope).await {
        Ok(None) => effect(&mut transaction).await.map(Outcome::New),
        Ok(Some(answer)) => Ok(Outcome::Earlier(answer)),
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(Outcome::New(answer)) => {
            store(&mut transaction, scope, &answer).await?;
            transaction.commit().await.map_err(Error::from)?;
            Ok(answer)
        }
        Ok(Outcome::Earlier(answer)) => {
            transaction.rollback().await.map_err(Error::from)?;
            Ok(answer)
        }
        Err(refusal) => {
            transaction.rollback().await.map_err(Error::from)?;
            Err(refusal)
        }
    }
}

enum Outcome {
    New(Answer),
    Earlier(Answer),
}
