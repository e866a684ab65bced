//! Whoever logs in gives the password that stands in its setting, whatever its characters.

use ecommerce_postgres::migration::{self, Error};
use ecommerce_postgres::{Pool, Settings, reach};
use ecommerce_testing::{ANY_PASSWORD, Database};
use secrecy::ExposeSecret as _;

const MIGRATOR: fn() -> sqlx::migrate::Migrator = || sqlx::migrate!("../../migrations/order");
/// `invalid_password`
const REFUSED: &str = "28P01";

#[tokio::test]
async fn a_password_that_is_nearly_right_opens_nothing() {
    let database = Database::with_password(MIGRATOR(), ANY_PASSWORD).await;
    for wrong in [ANY_PASSWORD.trim(), &ANY_PASSWORD.replace("%41", "A"), &ANY_PASSWORD.replace("$$", "$")] {
        let settings = Settings { database_password: Some(wrong.into()), ..database.settings.clone() };
        let error = reach(Pool::new(&settings, "test").unwrap()).await.unwrap_err();
        assert_eq!(error.into_database_error().unwrap().code().unwrap(), REFUSED);
        let owner = migration::Settings { database_password: Some(wrong.into()), ..database.owner.clone() };
        assert!(matches!(migration::run(&owner, MIGRATOR()).await, Err(Error::Connect(_))));
    }
}

#[tokio::test]
async fn a_password_of_any_characters_opens_the_database_to_the_service_and_to_its_migration() {
    let database = Database::with_password(MIGRATOR(), ANY_PASSWORD).await;
    let pool = Pool::new(&database.settings, "test").unwrap();
    let orders: i64 = sqlx::query_scalar("select count(*) from orders").fetch_one(&pool).await.unwrap();
    assert_eq!(orders, 0);
    migration::run(&database.owner, MIGRATOR()).await.unwrap();
}

#[tokio::test]
async fn without_a_setting_of_its_own_the_password_is_the_addresss() {
    let database = Database::with_password(MIGRATOR(), "in the address").await;
    let mut url = url::Url::parse(database.settings.database_url.expose_secret()).unwrap();
    url.set_password(Some("in the address")).unwrap();
    let settings = Settings { database_url: url.to_string().into(), database_password: None, ..database.settings };
    reach(Pool::new(&settings, "test").unwrap()).await.unwrap();
}
