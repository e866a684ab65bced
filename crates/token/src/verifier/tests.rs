//! Each way in which a token can be wrong.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ecommerce_types::{Clock, SessionId, UserId};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use time::Duration;

use super::*;
use crate::{LEEWAY, LIFETIME, Signer};

/// One stack: its key and its clock.
struct Stack {
    key: SigningKey,
    clock: Clock,
}

impl Stack {
    fn new() -> Self {
        Self {
            key: SigningKey::from_bytes(&[7; 32]),
            clock: Clock::manual(OffsetDateTime::UNIX_EPOCH + Duration::days(20_000)),
        }
    }

    fn settings() -> Settings {
        Settings { token_issuer: "https://shop.default".to_owned(), token_audience: "shop.default".to_owned() }
    }

    fn signer(&self) -> Signer {
        Signer::from_pkcs8_pem(&self.key.to_pkcs8_pem(LineEnding::LF).unwrap()).unwrap()
    }

    fn claims(&self) -> Claims {
        let (user, session) = (UserId::new(&self.clock), SessionId::new(&self.clock));
        Claims::new(&Self::settings(), user, session, 3, "customer".parse().unwrap(), &self.clock)
    }

    fn verify(&self, token: &str) -> Result<Claims, Rejected> {
        Verifier::new(&self.signer().jwks(), &Self::settings()).verify(token, self.clock.now())
    }

    /// A token whose header and claims are as given, signed with the stack's true key.
    fn signed(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(header), encode(claims));
        let der = self.key.to_pkcs8_der().unwrap();
        let key = EncodingKey::from_ed_der(der.as_bytes());
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::EdDSA).unwrap();
        format!("{message}.{signature}")
    }

    fn header(&self) -> Value {
        json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": self.signer().jwks().keys[0].kid })
    }

    /// A token signed with the true key, one of whose claims is changed, or taken away by null.
    fn with_claim(&self, name: &str, value: Value) -> String {
        let mut claims = serde_json::to_value(self.claims()).unwrap();
        let members = claims.as_object_mut().unwrap();
        if value.is_null() {
            members.remove(name)
        } else {
            members.insert(name.to_owned(), value)
        };
        self.signed(&self.header(), &claims)
    }
}

#[test]
fn a_signed_token_says_what_was_signed() {
    let stack = Stack::new();
    let claims = stack.claims();
    assert_eq!(stack.verify(&stack.signer().sign(&claims).unwrap()), Ok(claims));
}

#[test]
fn a_token_lives_for_ten_minutes_and_the_leeway() {
    let stack = Stack::new();
    let token = stack.signer().sign(&stack.claims()).unwrap();
    stack.clock.advance(LIFETIME + LEEWAY - Duration::seconds(1));
    assert!(stack.verify(&token).is_ok());
    stack.clock.advance(Duration::seconds(1));
    assert_eq!(stack.verify(&token), Err(Rejected::Expired));
}

#[test]
fn a_token_from_the_future_waits_for_its_time() {
    let stack = Stack::new();
    let token = stack.signer().sign(&stack.claims()).unwrap();
    stack.clock.advance(-LEEWAY);
    assert!(stack.verify(&token).is_ok());
    stack.clock.advance(Duration::seconds(-1));
    assert_eq!(stack.verify(&token), Err(Rejected::NotYetValid));
}

#[test]
fn a_token_without_a_signature_is_refused() {
    let stack = Stack::new();
    let mut header = stack.header();
    for alg in ["none", "None", "NONE"] {
        header["alg"] = json!(alg);
        let claims = serde_json::to_value(stack.claims()).unwrap();
        let (signed, _) =
            stack.signed(&header, &claims).rsplit_once('.').map(|(a, b)| (a.to_owned(), b.len())).unwrap();
        assert_eq!(stack.verify(&format!("{signed}.")), Err(Rejected::Malformed), "{alg}");
        assert_eq!(stack.verify(&signed), Err(Rejected::Malformed), "{alg}");
    }
}

#[test]
fn another_kind_of_token_is_no_access_token() {
    let stack = Stack::new();
    let claims = serde_json::to_value(stack.claims()).unwrap();
    for kind in [json!("JWT"), json!("rt+jwt"), json!(""), Value::Null] {
        let mut header = stack.header();
        header["typ"] = kind.clone();
        assert_eq!(stack.verify(&stack.signed(&header, &claims)), Err(Rejected::Malformed), "{kind}");
    }
    let mut header = stack.header();
    header["typ"] = json!("application/AT+JWT");
    assert!(stack.verify(&stack.signed(&header, &claims)).is_ok());
}

#[test]
fn a_token_that_is_good_for_longer_than_any_of_ours_is_refused() {
    let stack = Stack::new();
    let exp = stack.claims().iat + LIFETIME.whole_seconds();
    assert!(stack.verify(&stack.with_claim("exp", json!(exp))).is_ok());
    assert_eq!(stack.verify(&stack.with_claim("exp", json!(exp + 1))), Err(Rejected::Malformed));
}

#[test]
fn a_key_that_is_not_for_signing_with_ed25519_verifies_nothing() {
    let stack = Stack::new();
    let token = stack.signer().sign(&stack.claims()).unwrap();
    for (member, value) in [("use", "enc"), ("alg", "ES256"), ("alg", "")] {
        let mut document = serde_json::to_value(stack.signer().jwks()).unwrap();
        document["keys"][0][member] = json!(value);
        let verifier = Verifier::new(&serde_json::from_value(document).unwrap(), &Stack::settings());
        assert_eq!(verifier.verify(&token, stack.clock.now()), Err(Rejected::UnknownKey), "{member} {value}");
    }
}

#[test]
fn the_public_key_is_no_shared_secret() {
    let stack = Stack::new();
    let kid = stack.signer().jwks().keys[0].kid.clone();
    let header = Header { typ: Some("at+jwt".to_owned()), kid: Some(kid), ..Header::new(Algorithm::HS256) };
    let secret = EncodingKey::from_secret(stack.key.verifying_key().as_bytes());
    let token = jsonwebtoken::encode(&header, &stack.claims(), &secret).unwrap();
    assert_eq!(stack.verify(&token), Err(Rejected::Malformed));
}

#[test]
fn another_algorithm_in_the_header_is_refused_whoever_signed() {
    let stack = Stack::new();
    let mut header = stack.header();
    for alg in ["HS256", "ES256", "RS256", "EdDSA2"] {
        header["alg"] = json!(alg);
        let token = stack.signed(&header, &serde_json::to_value(stack.claims()).unwrap());
        assert_eq!(stack.verify(&token), Err(Rejected::Malformed), "{alg}");
    }
}

#[test]
fn a_token_of_another_stack_is_foreign() {
    let stack = Stack::new();
    for name in ["iss", "aud"] {
        assert_eq!(stack.verify(&stack.with_claim(name, json!("other.default"))), Err(Rejected::Foreign), "{name}");
    }
}

#[test]
fn each_claim_is_required() {
    let stack = Stack::new();
    for name in ["iss", "aud", "sub", "sid", "ver", "roles", "iat", "nbf", "exp", "jti"] {
        assert_eq!(stack.verify(&stack.with_claim(name, Value::Null)), Err(Rejected::Malformed), "{name}");
    }
}

#[test]
fn a_claim_of_the_wrong_type_is_no_claim() {
    let stack = Stack::new();
    let later = stack.claims().exp + 3600;
    for (name, value) in [
        ("exp", json!(later.to_string())),
        ("exp", json!([later])),
        ("exp", json!(-1.5)),
        ("exp", json!(u64::MAX)),
        ("nbf", json!("0")),
        ("aud", json!(["shop.default"])),
        ("sub", json!("root")),
        ("roles", json!("admin")),
    ] {
        assert_eq!(stack.verify(&stack.with_claim(name, value.clone())), Err(Rejected::Malformed), "{name} {value}");
    }
}

#[test]
fn a_negative_expiry_is_in_the_past() {
    let stack = Stack::new();
    assert!(stack.verify(&stack.with_claim("exp", json!(-1))).is_err());
    assert!(stack.verify(&stack.with_claim("exp", json!(i64::MIN))).is_err());
}

#[test]
fn a_key_that_is_not_in_the_document_is_unknown() {
    let stack = Stack::new();
    let other = Stack { key: SigningKey::from_bytes(&[8; 32]), ..Stack::new() };
    let token = other.signer().sign(&other.claims()).unwrap();
    assert_eq!(stack.verify(&token), Err(Rejected::UnknownKey));
}

#[test]
fn a_token_under_anothers_key_name_is_forged() {
    let stack = Stack::new();
    let other = Stack { key: SigningKey::from_bytes(&[8; 32]), ..Stack::new() };
    let token = other.signed(&stack.header(), &serde_json::to_value(stack.claims()).unwrap());
    assert_eq!(stack.verify(&token), Err(Rejected::Forged));
}

#[test]
fn a_changed_token_is_forged() {
    let stack = Stack::new();
    let token = stack.signer().sign(&stack.claims()).unwrap();
    let [header, _, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let claims = Claims { roles: "admin".parse().unwrap(), ..stack.claims() };
    let claims = URL_SAFE_NO_PAD.encode(serde_json::to_string(&claims).unwrap());
    assert_eq!(stack.verify(&format!("{header}.{claims}.{signature}")), Err(Rejected::Forged));
}

#[test]
fn a_token_without_a_key_name_or_with_critical_extensions_is_malformed() {
    let stack = Stack::new();
    let claims = serde_json::to_value(stack.claims()).unwrap();
    assert_eq!(stack.verify(&stack.signed(&json!({ "alg": "EdDSA" }), &claims)), Err(Rejected::Malformed));
    let mut header = stack.header();
    header["crit"] = json!(["exp"]);
    assert_eq!(stack.verify(&stack.signed(&header, &claims)), Err(Rejected::Malformed));
}

#[test]
fn what_is_no_token_is_malformed() {
    let stack = Stack::new();
    for text in ["", ".", "..", "a.b.c", "Bearer", "é.é.é", &".".repeat(1000)] {
        assert_eq!(stack.verify(text), Err(Rejected::Malformed), "{text}");
    }
}

#[test]
fn a_document_with_keys_of_other_kinds_is_read_for_ours() {
    let stack = Stack::new();
    let mut document = serde_json::to_value(stack.signer().jwks()).unwrap();
    document["keys"].as_array_mut().unwrap().insert(0, json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "rsa" }));
    let jwks: Jwks = serde_json::from_value(document).unwrap();
    let token = stack.signer().sign(&stack.claims()).unwrap();
    assert!(Verifier::new(&jwks, &Stack::settings()).verify(&token, stack.clock.now()).is_ok());
}
