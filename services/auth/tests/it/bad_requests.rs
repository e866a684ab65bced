//! Requests that no endpoint can use.

use reqwest::Method;

use crate::shop::Shop;

#[tokio::test]
async fn each_kind_of_nonsense_has_its_answer() {
    let shop = Shop::open().await;
    for path in ["/api/v1/auth/register", "/api/v1/auth/login"] {
        for (body, status, code) in [
            ("", 400, "malformed_json"),
            ("{", 400, "malformed_json"),
            ("null", 422, "invalid_body"),
            (r#"{"email": 1, "password": "correct horse", "name": "Ada"}"#, 422, "invalid_body"),
            (r#"{"email": "ada@example.com", "password": "correct horse", "x": 1}"#, 422, "invalid_body"),
            (&format!(r#"{{"email": "{}"}}"#, "x".repeat(70_000)), 413, "body_too_large"),
        ] {
            let answer = shop.anonymous.send(Method::POST, path, Some(body.to_owned())).await;
            assert_eq!((answer.status, answer.code()), (status, code), "{path} {body:.60}");
            assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        }
        let form = shop.anonymous.clone().with("content-type", "text/plain").send(Method::POST, path, None).await;
        assert_eq!((form.status, form.code()), (415, "unsupported_media_type"));
        let read = shop.anonymous.get(path).await;
        assert_eq!((read.status, read.code()), (405, "method_not_allowed"));
    }
    let nowhere = shop.anonymous.get("/api/v1/auth/nowhere").await;
    assert_eq!((nowhere.status, nowhere.code()), (404, "route_not_found"));
}
