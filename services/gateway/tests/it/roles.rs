//! Who may what, route by route. This is the requirement once more, in words of its own: a new route needs its line.

use reqwest::Method;
use serde_json::Value;

use crate::shop::Shop;

/// Method, path, service; then what anonymous, customer, staff and admin get.
const EXPECTED: &str = "
POST   /api/v1/auth/register                   auth    200 200 200 200
POST   /api/v1/auth/login                      auth    200 200 200 200
POST   /api/v1/auth/refresh                    auth    200 200 200 200
POST   /api/v1/auth/logout                     auth    401 200 200 200
GET    /api/v1/auth/me                         auth    401 200 200 200
DELETE /api/v1/auth/me                         auth    401 200 200 200
GET    /api/v1/auth/sessions                   auth    401 200 200 200
DELETE /api/v1/auth/sessions/{id}              auth    401 200 200 200
POST   /api/v1/auth/password                   auth    401 200 200 200
POST   /api/v1/auth/password/forgot            auth    200 200 200 200
POST   /api/v1/auth/password/reset             auth    200 200 200 200
GET    /api/v1/users                           auth    401 403 403 200
POST   /api/v1/users                           auth    401 403 403 200
GET    /api/v1/users/{id}                      auth    401 403 200 200
DELETE /api/v1/users/{id}                      auth    401 403 403 200
PUT    /api/v1/users/{id}/roles                auth    401 403 403 200
POST   /api/v1/users/{id}/disable              auth    401 403 403 200
POST   /api/v1/users/{id}/enable               auth    401 403 403 200
POST   /api/v1/users/{id}/password-reset       auth    401 403 403 200
GET    /.well-known/jwks.json                  auth    200 200 200 200
GET    /api/v1/products                        product 200 200 200 200
POST   /api/v1/products                        product 401 403 200 200
PUT    /api/v1/products                        product 401 403 200 200
GET    /api/v1/products/{id}                   product 200 200 200 200
PATCH  /api/v1/products/{id}                   product 401 403 200 200
DELETE /api/v1/products/{id}                   product 401 403 200 200
GET    /api/v1/products/{id}/stock             product 401 403 200 200
PUT    /api/v1/products/{id}/stock             product 401 403 200 200
POST   /api/v1/products/{id}/stock/adjustments product 401 403 200 200
GET    /api/v1/orders                          order   401 200 200 200
POST   /api/v1/orders                          order   401 200 200 200
GET    /api/v1/orders/{id}                     order   401 200 200 200
PATCH  /api/v1/orders/{id}                     order   401 403 200 200
GET    /api/v1/orders/{id}/history             order   401 200 200 200
POST   /api/v1/orders/{id}/cancel              order   401 200 200 200
POST   /api/v1/orders/{id}/fulfil              order   401 403 200 200
GET    /api/v1/payments                        payment 401 200 200 200
GET    /api/v1/payments/{id}                   payment 401 200 200 200
POST   /api/v1/payments/{id}/pay               payment 401 200 200 200
";

#[tokio::test]
async fn each_route_is_open_to_whom_it_is_for_and_to_nobody_else() {
    let shop = Shop::open().await;
    let lines: Vec<&str> = EXPECTED.trim().lines().collect();
    let people =
        [None, Some(shop.person("customer").await), Some(shop.person("staff").await), Some(shop.person("admin").await)];
    for line in lines {
        let words: [&str; 7] = line.split_whitespace().collect::<Vec<_>>().try_into().unwrap();
        let [method, path, service, expected @ ..] = words;
        // A query makes the keys' route one that echoes.
        let target = format!("{}?from=matrix", path.replace("{id}", "01990000-0000-7000-8000-000000000001"));
        for (person, expected) in people.iter().zip(expected) {
            let method: Method = method.parse().unwrap();
            let answer = shop.send(method.clone(), &target, person.as_ref(), None).await;
            let roles = person.as_ref().map(|person| person.claims.roles.to_string()).unwrap_or_default();
            assert_eq!(answer.status.to_string(), expected, "{line} for {roles:?}: {}", answer.body);
            if answer.status == 200 {
                assert_eq!(answer.body["service"], service, "{line}");
                assert_eq!(answer.body["method"], method.as_str(), "{line}");
                assert_eq!(answer.body["target"], target, "{line}");
            } else {
                let code = if expected == "401" { "login_required" } else { "role_required" };
                assert_eq!(answer.code(), code, "{line}");
            }
        }
    }
}

#[test]
fn each_operation_of_the_document_has_its_line_and_each_line_its_operation() {
    let document: Value = serde_json::from_str(&gateway::openapi().unwrap()).unwrap();
    let mut described: Vec<String> = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let methods = operations.as_object().unwrap().keys();
        described.extend(methods.map(|method| format!("{} {path}", method.to_uppercase())));
    }
    described.retain(|operation| operation != "GET /openapi.json");
    let words = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let mut lines: Vec<String> = EXPECTED.trim().lines().map(words).collect();
    described.sort();
    lines.sort();
    assert_eq!(lines, described);
}
