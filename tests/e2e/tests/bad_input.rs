//! What the document says of each field is what the shop takes: one less than the least, one more than the most, another type,
//! nothing, too much. Each is refused with a documented answer, as whoever may use the operation; nothing is a fault of ours.

use e2e::Person;
use reqwest::Method;
use serde_json::{Map, Value, json};

/// Deeper than any reader should follow.
const DEEP: usize = 10_000;

/// What a text can be made of that somebody's code has stumbled over.
const HOSTILE: [&str; 6] =
    ["\u{0}", "\u{202e}moor", "\u{feff}x", "e\u{301}\u{301}\u{301}\u{301}", "🧑‍🚀\u{fffd}", "' or 1=1 --"];

/// Where a body that is well formed is a guess at a password, of which one address has only so many.
const GUESSES: [&str; 2] = ["/api/v1/auth/login", "/api/v1/auth/password"];

struct Document(Value);

/// A body, and what is wrong with it.
struct Trial {
    why: String,
    body: String,
    expected: Expected,
}

/// What may be answered to a body.
#[derive(Clone, Copy, PartialEq)]
enum Expected {
    /// It can be nothing but refused.
    Refusal,
    /// Whatever the document has: it may be right.
    Anything,
    /// It is read: else what is wrong in one place of it would be refused for another.
    Reading,
}

impl Document {
    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        if let Some(reference) = schema["$ref"].as_str() {
            let pointer = reference.trim_start_matches('#');
            return self.resolve(self.0.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}")));
        }
        let alternatives = schema["oneOf"].as_array().or_else(|| schema["allOf"].as_array());
        match alternatives {
            Some(alternatives) => self.resolve(alternatives.iter().find(|one| one["type"] != "null").unwrap_or(schema)),
            None => schema,
        }
    }

    /// A value that a schema allows.
    fn right(&self, schema: &Value) -> Value {
        let schema = self.resolve(schema);
        if !schema["example"].is_null() {
            return schema["example"].clone();
        }
        if let Some(values) = schema["enum"].as_array() {
            return values[0].clone();
        }
        match type_of(schema) {
            "object" => {
                let fields = schema["properties"].as_object().cloned().unwrap_or_default();
                let required: Vec<&str> =
                    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                let fields = fields.into_iter().filter(|(name, _)| required.contains(&name.as_str()));
                Value::Object(fields.map(|(name, schema)| (name, self.right(&schema))).collect())
            }
            "array" => json!([self.right(&schema["items"])]),
            "integer" | "number" => schema["minimum"].as_i64().unwrap_or(1).into(),
            "boolean" => true.into(),
            _ if schema["format"] == "uuid" => "01990000-0000-7000-8000-000000000001".into(),
            _ => "x".repeat(usize::try_from(schema["minLength"].as_u64().unwrap_or(1).max(1)).unwrap_or(1)).into(),
        }
    }

    /// Bodies that are wrong in one place.
    fn wrong(&self, schema: &Value) -> Vec<Trial> {
        let schema = self.resolve(schema);
        let right = self.right(schema);
        let fields = schema["properties"].as_object().cloned().unwrap_or_default();
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut wrong = vec![
            Trial::of("no object", &json!([right]), Expected::Refusal),
            Trial::of("null", &Value::Null, Expected::Refusal),
            Trial { why: "no JSON".to_owned(), body: "{".to_owned(), expected: Expected::Refusal },
            Trial { why: "deep".to_owned(), body: "[".repeat(DEEP) + &"]".repeat(DEEP), expected: Expected::Refusal },
        ];
        let with = |name: &str, value: Value| {
            let mut body = right.as_object().cloned().unwrap_or_default();
            body.insert(name.to_owned(), value);
            Value::Object(body)
        };
        wrong.push(Trial::of("an unknown field", &with("unknown_field", json!(1)), Expected::Refusal));
        for (name, schema) in &fields {
            let is_required = required.contains(&name.as_str());
            let mut without: Map<String, Value> = right.as_object().cloned().unwrap_or_default();
            without.remove(name);
            wrong.push(Trial::of(
                &format!("{name} absent"),
                &Value::Object(without),
                if is_required { Expected::Refusal } else { Expected::Anything },
            ));
            wrong.push(Trial::of(
                &format!("{name} null"),
                &with(name, Value::Null),
                if is_required { Expected::Refusal } else { Expected::Anything },
            ));
            for (why, value) in self.wrong_values(schema) {
                wrong.push(Trial::of(&format!("{name} {why}"), &with(name, value), Expected::Refusal));
            }
            if type_of(self.resolve(schema)) == "string" {
                for text in HOSTILE {
                    wrong.push(Trial::of(&format!("{name} {text:?}"), &with(name, json!(text)), Expected::Anything));
                }
            }
            let deep =
                with(name, json!("here")).to_string().replace("\"here\"", &("[".repeat(DEEP) + &"]".repeat(DEEP)));
            wrong.push(Trial { why: format!("{name} deep"), body: deep, expected: Expected::Refusal });
        }
        wrong
    }

    fn wrong_values(&self, schema: &Value) -> Vec<(String, Value)> {
        let schema = self.resolve(schema);
        let mut wrong = Vec::new();
        let mut add = |why: &str, value: Value| wrong.push((why.to_owned(), value));
        let kind = type_of(schema);
        for (other, value) in
            [("string", json!("text")), ("integer", json!(7)), ("boolean", json!(true)), ("array", json!([[]]))]
        {
            // A whole number is a number.
            if other != kind && (other, kind) != ("integer", "number") {
                add(&format!("a {other}"), value);
            }
        }
        if kind != "object" {
            add("an object", json!({ "x": 1 }));
        }
        if let Some(most) = schema["maxLength"].as_u64() {
            add("too long", "x".repeat(usize::try_from(most).unwrap_or_default() + 1).into());
        }
        if let Some(least) = schema["minLength"].as_u64().filter(|least| *least > 0) {
            add("too short", "x".repeat(usize::try_from(least).unwrap_or(1) - 1).into());
        }
        if let Some(least) = schema["minimum"].as_i64() {
            add("too small", (least - 1).into());
        }
        if let Some(most) = schema["maximum"].as_i64() {
            add("too large", (most + 1).into());
        }
        if kind == "integer" {
            add("a fraction", json!(1.5));
            add("beyond all numbers", json!(1e300));
        }
        if let Some(most) = schema["maxItems"].as_u64() {
            add("too many", (0..=most).map(|_| self.right(&schema["items"])).collect::<Vec<_>>().into());
        }
        if schema["minItems"].as_u64().is_some_and(|least| least > 0) {
            add("too few", json!([]));
        }
        if schema["enum"].is_array() {
            add("none of these", json!("none of these"));
        }
        wrong
    }
}

impl Trial {
    fn of(why: &str, body: &Value, expected: Expected) -> Self {
        Self { why: why.to_owned(), body: body.to_string(), expected }
    }
}

fn type_of(schema: &Value) -> &str {
    let named = schema["type"].as_str();
    let first = || {
        schema["type"].as_array().and_then(|types| types.iter().filter_map(Value::as_str).find(|kind| *kind != "null"))
    };
    named.or_else(first).unwrap_or("string")
}

#[tokio::test]
async fn each_field_of_each_body_is_refused_where_the_document_says_so() {
    let document: Value = serde_json::from_str(include_str!("../../../docs/reference/openapi.json")).expect("JSON");
    let document = Document(document);
    let admin = Person::admin().await;
    let (mut asked, mut faults) = (0, Vec::new());
    for (path, operations) in document.0["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            if schema.is_null() {
                continue;
            }
            let target = path.replace("{id}", "01990000-0000-7000-8000-000000000001");
            let method: Method = method.to_uppercase().parse().expect("a method");
            let right = Trial::of("nothing is wrong", &document.right(schema), Expected::Reading);
            for trial in document.wrong(schema).into_iter().chain([right]) {
                if trial.expected == Expected::Anything && GUESSES.contains(&path.as_str()) {
                    continue;
                }
                let headers = [("idempotency-key", e2e::person::unique())];
                let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
                // What is answered is looked up in the document by whoever sends.
                let answer = admin.send(method.clone(), &target, &headers, Some(trial.body)).await;
                asked += 1;
                let is_fault = match trial.expected {
                    Expected::Refusal => answer.status < 400,
                    Expected::Anything => false,
                    Expected::Reading => answer.code() == "invalid_body",
                };
                if answer.status >= 500 || is_fault {
                    faults.push(format!("{method} {path}, {}: {} {}", trial.why, answer.status, answer.body));
                }
            }
        }
    }
    ecommerce_testing::figure("bodies that are wrong in one place", asked);
    assert!(faults.is_empty(), "{} of {asked}:\n{}", faults.len(), faults.join("\n"));
}
