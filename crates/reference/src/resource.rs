//! Every field of the resource, from the schema that the API server has.

use std::error::Error;

use serde_json::{Map, Value};

use crate::table::{code, table};

const HEAD: &str = "# EcommerceStack

Made by `make generate` from the code. `kubectl explain ecommercestack.spec --recursive` shows the same in a cluster. A field
that is absent is the operator's to decide, so that a newer operator may decide better; `spec: {}` is a whole shop.
";

pub(crate) fn page() -> Result<String, Box<dyn Error>> {
    let definition: Value = serde_saphyr::from_str(&operator::crd::yaml()?)?;
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let section = |title: &str, sentence: &str| {
        let mut rows = Vec::new();
        describe(title, &schema["properties"][title], &mut rows);
        format!("\n## {title}\n\n{sentence}\n\n{}", table(["Field", "Type", "Meaning", "Rules"], rows))
    };
    Ok(HEAD.to_owned()
        + &section("spec", "What a person writes.")
        + &section("status", "What the operator has seen.")
        + &format!(
            "\n## Rules of the whole\n\n{}",
            rules(schema).map(|rule| format!("- {rule}\n")).collect::<Vec<_>>().concat()
        ))
}

/// A row for each field below `path`, and for what is in it.
fn describe(path: &str, schema: &Value, rows: &mut Vec<[String; 4]>) {
    let none = Map::new();
    for (name, field) in schema["properties"].as_object().unwrap_or(&none) {
        let path = format!("{path}.{name}");
        let inner = if field["type"] == "array" { &field["items"] } else { field };
        let path = if field["type"] == "array" { format!("{path}[]") } else { path };
        rows.push([
            code(path.trim_start_matches("spec.").trim_start_matches("status.")),
            kind(inner),
            field["description"].as_str().unwrap_or_default().to_owned(),
            rules(field)
                .chain(limits(field))
                .chain(rules(inner).filter(|_| field["type"] == "array"))
                .collect::<Vec<_>>()
                .join("; "),
        ]);
        describe(&path, inner, rows);
        if inner["additionalProperties"].is_object() {
            describe(&format!("{path}.<name>"), &inner["additionalProperties"], rows);
        }
    }
}

fn kind(schema: &Value) -> String {
    let values =
        schema["enum"].as_array().map(|values| values.iter().filter_map(Value::as_str).map(code).collect::<Vec<_>>());
    let plain = || {
        if schema["x-kubernetes-int-or-string"] == true { "quantity" } else { schema["type"].as_str().unwrap_or("any") }
    };
    values.map_or_else(|| plain().to_owned(), |values| values.join(", "))
}

/// The sentences of the rules that the API server runs.
fn rules(schema: &Value) -> impl Iterator<Item = String> {
    let rules = schema["x-kubernetes-validations"].as_array().into_iter().flatten();
    rules.filter_map(|rule| rule["message"].as_str()).map(str::to_owned)
}

fn limits(schema: &Value) -> impl Iterator<Item = String> {
    let limits = [
        ("minLength", "at least", "characters"),
        ("maxLength", "at most", "characters"),
        ("maxItems", "at most", "of them"),
    ];
    limits.into_iter().filter_map(|(limit, how, what)| Some(format!("{how} {} {what}", schema[limit].as_u64()?)))
}
