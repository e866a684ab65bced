//! What every OpenAPI document says besides what its handlers say: the answers of the extractors, the layers and the login,
//! which are the same wherever a route takes a body, a key or an id.
//!
//! A handler lists what it decides itself. To add an extractor: its answers as a constant here, and where they belong.

use utoipa::PartialSchema as _;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::response::Response;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr};

use crate::Problem;

/// The name of the access token among a document's security schemes; a route that needs a login says `security`.
pub const ACCESS_TOKEN: &str = "access_token";

const PROBLEM: &str = "Problem";
const PROBLEM_JSON: &str = "application/problem+json";

/// A status, a code and what it says.
type Documented = (&'static str, &'static str, &'static str);

const ANY: [Documented; 1] = [("500", "internal", "a fault of ours; quote the `request_id` when asking for help")];
const LOGIN: [Documented; 1] = [("401", "login_required", "there is no access token, or none that is good")];
const BODY: [Documented; 5] = [
    ("400", "malformed_json", "the body is not JSON"),
    ("400", "unreadable_body", "the body ended early"),
    ("413", "body_too_large", "the body has more bytes than are read"),
    ("415", "unsupported_media_type", "the body is not called JSON"),
    ("422", "invalid_body", "a field is not what it is to be, or there is no such field"),
];
const QUERY: [Documented; 1] = [("400", "invalid_query", "a parameter is not what it is to be")];
const ID: [Documented; 1] = [("404", "malformed_id", "the id in the path is no UUID")];
const IDEMPOTENCY_KEY: [Documented; 4] = [
    ("400", "idempotency_key_missing", "there is no `Idempotency-Key`"),
    ("400", "idempotency_key_malformed", "the `Idempotency-Key` is not 1 to 255 printable ASCII characters"),
    ("409", "idempotency_key_in_use", "the first request with this key is still running"),
    ("422", "idempotency_key_reused", "this key has named another request"),
];

/// Completes the document of a service's handlers.
#[must_use]
pub fn complete(mut document: OpenApi) -> OpenApi {
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            call_problems_what_they_are(operation);
            for (status, code, sentence) in answers_of_others(operation) {
                add(operation, status, code, sentence);
            }
        }
    }
    let components = document.components.get_or_insert_default();
    components.schemas.entry(PROBLEM.to_owned()).or_insert_with(Problem::schema);
    let bearer =
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").description(Some("What a login gives"));
    components.add_security_scheme(ACCESS_TOKEN, SecurityScheme::Http(bearer.build()));
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}

fn answers_of_others(operation: &Operation) -> Vec<Documented> {
    let has = |place: &ParameterIn, name: Option<&str>| {
        let mut parameters = operation.parameters.iter().flatten();
        parameters.any(|parameter| match parameter {
            RefOr::T(parameter) => &parameter.parameter_in == place && name.is_none_or(|name| parameter.name == name),
            RefOr::Ref(_) => false,
        })
    };
    let needs_login = operation.security.as_ref().is_some_and(|needed| !needed.is_empty());
    [
        (needs_login, &LOGIN[..]),
        (has(&ParameterIn::Path, Some("id")), &ID),
        (has(&ParameterIn::Query, None), &QUERY),
        (has(&ParameterIn::Header, Some("Idempotency-Key")), &IDEMPOTENCY_KEY),
        (operation.request_body.is_some(), &BODY),
        (true, &ANY),
    ]
    .into_iter()
    .filter(|(takes, _)| *takes)
    .flat_map(|(_, answers)| answers.iter().copied())
    .collect()
}

/// Adds a code to what a status says, unless the handler has said it in words of its own.
fn add(operation: &mut Operation, status: &str, code: &str, sentence: &str) {
    let description = format!("`{code}`: {sentence}");
    let answers = &mut operation.responses.responses;
    match answers.get_mut(status) {
        Some(RefOr::T(answer)) if answer.description.contains(&format!("`{code}`")) => {}
        Some(RefOr::T(answer)) => answer.description = format!("{}; {description}", answer.description),
        _ => {
            let mut answer = Response::new(description);
            answer
                .content
                .insert(PROBLEM_JSON.to_owned(), RefOr::T(Content::new(Some(Ref::from_schema_name(PROBLEM)))));
            answers.insert(status.to_owned(), RefOr::T(answer));
        }
    }
}

/// A body that is a problem document is sent as one (RFC 9457, section 3).
fn call_problems_what_they_are(operation: &mut Operation) {
    let problem = Ref::from_schema_name(PROBLEM).ref_location;
    for answer in operation.responses.responses.values_mut() {
        let RefOr::T(answer) = answer else { continue };
        let content = std::mem::take(&mut answer.content);
        answer.content = content
            .into_iter()
            .map(|(name, content)| {
                let is_problem = matches!(
                    &content,
                    RefOr::T(Content { schema: Some(RefOr::Ref(schema)), .. }) if schema.ref_location == problem
                );
                (if is_problem { PROBLEM_JSON.to_owned() } else { name }, content)
            })
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn completed(operation: &Value) -> Value {
        let document = json!({
            "openapi": "3.1.0",
            "info": { "title": "t", "version": "1" },
            "paths": { "/things/{id}": { "post": operation } },
        });
        let document = complete(serde_json::from_value(document).unwrap());
        serde_json::to_value(document).unwrap()["paths"]["/things/{id}"]["post"]["responses"].clone()
    }

    fn described(answers: &Value) -> Vec<(String, String)> {
        let answers = answers.as_object().unwrap().iter();
        answers.map(|(status, answer)| (status.clone(), answer["description"].as_str().unwrap().to_owned())).collect()
    }

    #[test]
    fn a_route_that_takes_nothing_can_only_fail() {
        let answers = completed(&json!({ "responses": { "200": { "description": "done" } } }));
        assert_eq!(answers.as_object().unwrap().keys().collect::<Vec<_>>(), ["200", "500"]);
        assert_eq!(
            answers["500"]["content"],
            json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } })
        );
    }

    #[test]
    fn each_thing_that_a_route_takes_may_be_refused_beside_what_its_handler_says() {
        let parameter = |place: &str, name: &str| json!({ "in": place, "name": name, "required": true, "schema": { "type": "string" } });
        let problem = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
        let answers = completed(&json!({
            "security": [{ "access_token": [] }],
            "parameters": [parameter("path", "id"), parameter("query", "limit"), parameter("header", "Idempotency-Key")],
            "requestBody": { "content": {} },
            "responses": {
                "404": { "description": "`thing_not_found`: there is none", "content": problem },
                "422": { "description": "`invalid_body`: in words of its own", "content": problem },
            },
        }));
        let said = described(&answers);
        let statuses: Vec<&str> = said.iter().map(|(status, _)| status.as_str()).collect();
        assert_eq!(statuses, ["400", "401", "404", "409", "413", "415", "422", "500"]);
        assert_eq!(said[2].1, "`thing_not_found`: there is none; `malformed_id`: the id in the path is no UUID");
        assert_eq!(
            said[6].1,
            "`invalid_body`: in words of its own; `idempotency_key_reused`: this key has named another request"
        );
        for code in [
            "invalid_query",
            "idempotency_key_missing",
            "idempotency_key_malformed",
            "malformed_json",
            "unreadable_body",
        ] {
            assert!(said[0].1.contains(&format!("`{code}`")), "{}", said[0].1);
        }
        assert!(answers["404"]["content"]["application/problem+json"].is_object(), "{answers}");
        assert!(answers["404"]["content"]["application/json"].is_null(), "{answers}");
    }
}
