//! Whether a service's OpenAPI document is one that a person and a generator of clients can use.

use std::collections::BTreeSet;

use serde_json::Value;

/// The methods that an OpenAPI path may have; whatever else stands beside them is no operation.
const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// A document as a service writes it.
///
/// # Panics
/// When it is no JSON.
#[must_use]
pub fn parse(written: Result<String, serde_json::Error>) -> Value {
    written.and_then(|json| serde_json::from_str(&json)).expect("a document in JSON")
}

/// Fails with the place of the first thing that is missing: a name of its own, a title of a few words and a sentence for each
/// operation; a description of each parameter and answer; problem documents as what they are, with their codes; nothing that
/// refers to what is not there.
///
/// # Panics
/// When the document is not sound.
pub fn assert_sound(document: &Value) {
    assert!(text(&document["openapi"]).starts_with("3.1"), "an OpenAPI 3.1 document");
    for reference in references(document) {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference} refers to nothing");
    }
    let mut names = BTreeSet::new();
    for (place, operation) in operations(document) {
        let name = text(&operation["operationId"]);
        assert!(!name.is_empty() && names.insert(name), "{place} has no name of its own: {name:?}");
        let title = text(&operation["summary"]);
        assert!(
            (1..=40).contains(&title.len()) && !title.ends_with('.'),
            "{place} has no title of a few words: {title:?}"
        );
        let sentence = text(&operation["description"]);
        assert!(sentence.ends_with('.'), "{place} has no sentence: {sentence:?}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(!text(&parameter["description"]).is_empty(), "{place}: {} says nothing", parameter["name"]);
        }
        for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
            assert_answer_sound(&format!("{place} {status}"), status, answer);
        }
    }
}

fn assert_answer_sound(place: &str, status: &str, answer: &Value) {
    let description = text(&answer["description"]);
    assert!(!description.is_empty(), "{place} says nothing");
    if status < "400" {
        return;
    }
    let problem = answer.pointer("/content/application~1problem+json/schema/$ref").map(text);
    assert_eq!(problem, Some("#/components/schemas/Problem"), "{place} is a problem document");
    assert!(description.contains('`'), "{place} names no code: {description}");
}

/// Every operation, with its method and path.
fn operations(document: &Value) -> impl Iterator<Item = (String, &Value)> {
    document["paths"].as_object().into_iter().flatten().flat_map(|(path, item)| {
        METHODS.into_iter().filter_map(move |method| Some((format!("{method} {path}"), item.get(method)?)))
    })
}

/// Fails when an answer to this request is none that the document names: its status, and the code of a problem. A request
/// that is no operation of the document is passed over.
///
/// # Panics
/// When the document does not name the answer.
pub fn assert_names(document: &Value, method: &str, path: &str, status: u16, code: &str) {
    let Some(operation) = operation(document, method, path) else { return };
    let answer = &operation["responses"][status.to_string()];
    let answer = answer["$ref"].as_str().map_or(Some(answer), |reference| document.pointer(&reference[1..]));
    let description = answer.map(|answer| text(&answer["description"])).unwrap_or_default();
    let named = status < 400 || description.contains(&format!("`{code}`"));
    assert!(
        !description.is_empty() && named,
        "{method} {path} answers {status} {code:?}, which its document does not say: {description:?}"
    );
}

/// The operation of this path; where a name and a parameter fit, the name does.
fn operation<'a>(document: &'a Value, method: &str, path: &str) -> Option<&'a Value> {
    let path = path.split('?').next().unwrap_or(path);
    let is_this = |template: &str| {
        let (asked, known) = (path.split('/'), template.split('/'));
        path.split('/').count() == template.split('/').count()
            && asked.zip(known).all(|(asked, known)| known.starts_with('{') || asked == known)
    };
    let items = document["paths"].as_object().into_iter().flatten();
    let (_, item) =
        items.filter(|(template, _)| is_this(template)).min_by_key(|(template, _)| template.matches('{').count())?;
    item.get(method.to_lowercase())
}

fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str);
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(values) => values.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
