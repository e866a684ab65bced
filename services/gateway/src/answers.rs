//! What the gateway itself may answer, as the OpenAPI document says it: no answer is undocumented.

use axum::http::Method;
use serde_json::{Map, Value, json};

use crate::routes::{Access, Route};

/// An answer of the gateway's own.
struct OwnAnswer {
    status: &'static str,
    name: &'static str,
    description: &'static str,
}

const REFUSED: OwnAnswer = OwnAnswer {
    status: "400",
    name: "Unreadable",
    description: "The request is not HTTP as it is to be: `malformed_request`, `host_unclear` or `unreadable_body`",
};
const UNAUTHORIZED: OwnAnswer = OwnAnswer {
    status: "401",
    name: "Unauthorized",
    description: "No token, or none that is good now. `login_required`: none was sent; `token_expired`: its ten minutes are \
                  over; `token_outdated`: the roles have changed since; `session_ended`: logged out or ended; `token_invalid`: \
                  none of this shop's. Refresh once and ask again; where that is answered 401, log in",
};
const FORBIDDEN: OwnAnswer =
    OwnAnswer { status: "403", name: "Forbidden", description: "The token's roles do not reach: `role_required`" };
const TOO_SLOW: OwnAnswer =
    OwnAnswer { status: "408", name: "BodyTooSlow", description: "The body did not come in time: `body_too_slow`" };
const TOO_LARGE: OwnAnswer =
    OwnAnswer { status: "413", name: "BodyTooLarge", description: "The body is over the limit: `body_too_large`" };
const NO_JSON: OwnAnswer = OwnAnswer {
    status: "415",
    name: "UnsupportedMediaType",
    description: "The body is packed, or not called JSON: `unsupported_content_encoding` or `unsupported_media_type`",
};
const TOO_MANY: OwnAnswer = OwnAnswer {
    status: "429",
    name: "TooMany",
    description: "Too much from this address for now; `Retry-After` says until when: `too_many_bad_tokens`",
};
const HEAD_TOO_LARGE: OwnAnswer =
    OwnAnswer { status: "431", name: "HeadTooLarge", description: "The head has more than 16 KiB: `head_too_large`" };
const INTERNAL: OwnAnswer = OwnAnswer {
    status: "500",
    name: "Internal",
    description: "A fault of ours, which is logged under the answer's `request_id`: `internal`",
};
const BROKEN: OwnAnswer = OwnAnswer {
    status: "502",
    name: "AnswerBroken",
    description: "The service's answer broke off; what it has done is not known: `answer_broken`",
};
const UNAVAILABLE: OwnAnswer = OwnAnswer {
    status: "503",
    name: "Unavailable",
    description: "Something that this needs is away for now; `Retry-After` says when to ask again: `service_unavailable`, \
                  `sessions_unavailable` or `keys_unavailable`",
};
const TOO_LATE: OwnAnswer = OwnAnswer {
    status: "504",
    name: "AnswerTooLate",
    description: "The service did not answer in time; what it has done is not known: `answer_too_late`",
};

const ALL: [OwnAnswer; 12] = [
    REFUSED,
    UNAUTHORIZED,
    FORBIDDEN,
    TOO_SLOW,
    TOO_LARGE,
    NO_JSON,
    TOO_MANY,
    HEAD_TOO_LARGE,
    INTERNAL,
    BROKEN,
    UNAVAILABLE,
    TOO_LATE,
];

/// The answers as components of the document.
pub(crate) fn components() -> Value {
    let response = |answer: &OwnAnswer| {
        let problem = json!({ "schema": { "$ref": "#/components/schemas/Problem" } });
        json!({ "description": answer.description, "content": { "application/problem+json": problem } })
    };
    ALL.iter().map(|answer| (answer.name.to_owned(), response(answer))).collect::<Map<_, _>>().into()
}

/// Adds what the gateway may answer on this route to what its service does. Where both answer with one status, the service's
/// description names its codes and the gateway's are named beside them.
pub(crate) fn add(responses: &mut Value, route: &Route) {
    let Some(responses) = responses.as_object_mut() else { return };
    for answer in ALL.iter().filter(|answer| is_possible(answer, route)) {
        match responses.get_mut(answer.status) {
            None => {
                let reference = format!("#/components/responses/{}", answer.name);
                responses.insert(answer.status.to_owned(), json!({ "$ref": reference }));
            }
            Some(response) => {
                let own = response["description"].as_str().unwrap_or_default();
                response["description"] = format!("{own}. Or: {}", answer.description).into();
            }
        }
    }
}

fn is_possible(answer: &OwnAnswer, route: &Route) -> bool {
    let is_protected = matches!(route.access, Access::Needs(_));
    match answer.status {
        "401" | "403" | "429" => is_protected,
        "408" | "413" | "415" => route.method != Method::GET,
        _ => true,
    }
}
