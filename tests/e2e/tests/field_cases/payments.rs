//! Payments.

use e2e::Person;
use e2e::person::unique;

/// Bots tried stolen cards by the thousand on one checkout until the provider closed the account:
/// <https://github.com/magento/magento2/issues/28614>,
/// <https://github.com/woocommerce/woocommerce-gateway-stripe/issues/918>.
#[tokio::test]
async fn the_fifth_declined_card_ends_the_order() {
    let (admin, ada) = (Person::admin().await, Person::customer().await);
    let product = admin.sell(5).await;
    let (order, payment) = ada.order_to_pay(&product, 2).await;
    for number in 1..=5 {
        let declined = ada.pay(&payment, "tok_declined").await;
        assert_eq!((declined.status, declined.code()), (402, "payment_declined"), "{number}: {}", declined.body);
    }
    let sixth = ada.pay(&payment, "tok_success").await;
    assert_eq!((sixth.status, sixth.code()), (409, "payment_failed"), "{}", sixth.body);
    ada.reaches(&order, "payment_failed").await;
    admin.sees_stock(&product, [5, 0, 5]).await;
}

/// After a declined card the good one was refused too:
/// <https://github.com/woocommerce/woocommerce-gateway-stripe/issues/2537>.
#[tokio::test]
async fn after_a_declined_card_a_good_one_pays() {
    let (admin, ada) = (Person::admin().await, Person::customer().await);
    let product = admin.sell(5).await;
    let (order, payment) = ada.order_to_pay(&product, 2).await;
    let key = unique();
    let declined = ada.pay_with_key(&payment, "tok_declined", &key).await;
    assert_eq!(declined.status, 402, "{}", declined.body);
    let again = ada.pay_with_key(&payment, "tok_declined", &key).await;
    assert_eq!((again.status, &again.bytes), (402, &declined.bytes));
    let other = ada.pay_with_key(&payment, "tok_success", &key).await;
    assert_eq!((other.status, other.code()), (422, "idempotency_key_reused"), "{}", other.body);
    let paid = ada.pay(&payment, "tok_success").await;
    assert_eq!((paid.status, &paid.body["amount_captured"]), (200, &2500.into()), "{}", paid.body);
    ada.reaches(&order, "paid").await;
}
