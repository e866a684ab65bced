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

/// A body that is not as its schema says, and why.
struct Wrong {
    why: String,
    body: String,
    /// Whether it can be nothing but refused.
    is_refused: bool,
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
    fn wrong(&self, schema: &Value) -> Vec<Wrong> {
        let schema = self.resolve(schema);
        let right = self.right(schema);
        let fields = schema["properties"].as_object().cloned().unwrap_or_default();
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut wrong = vec![
            Wrong::of("no object", &json!([right]), true),
            Wrong::of("null", &Value::Null, true),
            Wrong { why: "no JSON".to_owned(), body: "{".to_owned(), is_refused: true },
            Wrong { why: "deep".to_owned(), body: "[".repeat(DEEP) + &"]".repeat(DEEP), is_refused: true },
        ];
        let with = |name: &str, value: Value| {
            let mut body = right.as_object().cloned().unwrap_or_default();
            body.insert(name.to_owned(), value);
            Value::Object(body)
        };
        wrong.push(Wrong::of("an unknown field", &with("unknown_field", json!(1)), true));
        for (name, schema) in &fields {
            let is_required = required.contains(&name.as_str());
            let mut without: Map<String, Value> = right.as_object().cloned().unwrap_or_default();
            without.remove(name);
            wrong.push(Wrong::of(&format!("{name} absent"), &Value::Object(without), is_required));
            wrong.push(Wrong::of(&format!("{name} null"), &with(name, Value::Null), is_required));
            for (why, value) in self.wrong_values(schema) {
                wrong.push(Wrong::of(&format!("{name} {why}"), &with(name, value), true));
            }
            if type_of(self.resolve(schema)) == "string" {
                for text in HOSTILE {
                    wrong.push(Wrong::of(&format!("{name} {text:?}"), &with(name, json!(text)), false));
                }
            }
            let deep =
                with(name, json!("here")).to_string().replace("\"here\"", &("[".repeat(DEEP) + &"]".repeat(DEEP)));
            wrong.push(Wrong { why: format!("{name} deep"), body: deep, is_refused: true });
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

impl Wrong {
    fn of(why: &str, body: &Value, is_refused: bool) -> Self {
        Self { why: why.to_owned(), body: body.to_string(), is_refused }
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
            let as_it_says = document.right(schema);
            for wrong in document.wrong(schema).into_iter().chain([Wrong::of("nothing", &as_it_says, false)]) {
                let is_right = wrong.why == "nothing";
                if !wrong.is_refused && !is_right && GUESSES.contains(&path.as_str()) {
                    continue;
                }
                let headers = [("idempotency-key", e2e::person::unique())];
                let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
                // What is answered is looked up in the document by whoever sends.
                let answer = admin.send(method.clone(), &target, &headers, Some(wrong.body)).await;
                asked += 1;
                // Else what is wrong in one place would be refused for another.
                let is_misread = is_right && answer.code() == "invalid_body";
                if answer.status >= 500 || wrong.is_refused && answer.status < 400 || is_misread {
                    faults.push(format!("{method} {path}, {}: {} {}", wrong.why, answer.status, answer.body));
                }
            }
        }
    }
    ecommerce_testing::figure("bodies that are wrong in one place", asked);
    assert!(faults.is_empty(), "{} of {asked}:\n{}", faults.len(), faults.join("\n"));
}
