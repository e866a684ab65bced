//! Money, rounding, currency.

use e2e::Person;
use serde_json::json;

/// Totals in rupiah or dong passed 2^31, or a ceiling that was made for dollars:
/// <https://github.com/opencollective/opencollective/issues/7093>,
/// <https://github.com/InvoiceShelf/InvoiceShelf/issues/73>,
/// <https://github.com/GoogleCloudPlatform/bank-of-anthos/issues/65>. Beyond 2^53 a client in JavaScript reads another
/// number.
#[tokio::test]
async fn a_total_of_billions_is_exact_and_one_that_a_browser_would_round_is_refused() {
    let (admin, ada) = (Person::admin().await, Person::customer().await);
    let motorbike = admin.sell_this(json!({ "price": { "amount": 1_500_000_000, "currency": "IDR" } }), 5).await;
    let (order, payment) = ada.order_to_pay(&motorbike, 3).await;
    let paid = ada.pay(&payment, "tok_success").await;
    let total = json!({ "amount": 4_500_000_000_i64, "currency": "IDR" });
    assert_eq!((paid.status, &paid.body["amount"]), (200, &total), "{}", paid.body);
    assert_eq!(paid.body["amount_captured"], 4_500_000_000_i64);
    assert_eq!(ada.reaches(&order, "paid").await["total"], total);

    let palace = admin.sell_this(json!({ "price": { "amount": 1_000_000_000_000_i64, "currency": "IDR" } }), 5).await;
    let body = json!({ "items": [{ "product_id": palace, "quantity": 1_000_000 }] });
    let million = ada.post_once("/api/v1/orders", &body).await;
    assert_eq!((million.status, million.code()), (422, "total_too_large"), "{}", million.body);
}

/// Dinars of three decimals were charged at a tenth:
/// <https://github.com/woocommerce/woocommerce-gateway-stripe/issues/2720>.
#[tokio::test]
async fn an_amount_is_the_same_in_order_charge_and_refund_whatever_decimals_its_currency_has() {
    let (admin, ada) = (Person::admin().await, Person::customer().await);
    for (amount, currency, total) in [(12_345, "KWD", 37_035), (501, "JPY", 1_503)] {
        let product = admin.sell_this(json!({ "price": { "amount": amount, "currency": currency } }), 5).await;
        let (order, payment) = ada.order_to_pay(&product, 3).await;
        let paid = ada.pay(&payment, "tok_success").await;
        assert_eq!((paid.status, &paid.body["amount_captured"]), (200, &json!(total)), "{}", paid.body);
        let paid = ada.reaches(&order, "paid").await;
        assert_eq!(paid["total"], json!({ "amount": total, "currency": currency }));
        assert_eq!(ada.cancel(&order).await.status, 200);
        ada.sees_refunded(&order, &payment, total).await;
    }
}

/// The price was changed while somebody was at the bank's page, and amount paid and order differed:
/// <https://github.com/PrestaShop/PrestaShop/issues/11507>,
/// <https://github.com/openfoodfoundation/openfoodnetwork/issues/6107>. Prices are fixed at placing.
#[tokio::test]
async fn a_price_that_changes_before_the_payment_changes_nothing_of_the_order() {
    let (admin, ada) = (Person::admin().await, Person::customer().await);
    let product = admin.sell(5).await;
    let (order, payment) = ada.order_to_pay(&product, 2).await;
    let dearer = json!({ "price": { "amount": 9900, "currency": "USD" } });
    assert_eq!(admin.patch(&format!("/api/v1/products/{product}"), &dearer).await.status, 200);
    let paid = ada.pay(&payment, "tok_success").await;
    assert_eq!(paid.status, 200, "{}", paid.body);
    let total = json!({ "amount": 2500, "currency": "EUR" });
    assert_eq!((&paid.body["amount"], &paid.body["amount_captured"]), (&total, &json!(2500)));
    assert_eq!(ada.reaches(&order, "paid").await["total"], total);
}
