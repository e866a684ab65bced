//! Amounts of processor and memory, as Kubernetes writes them.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What a container asks for and what it may take. A part that is absent keeps the operator's own figure.
#[derive(schemars::JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Resources {
    /// What the node must have free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<Amounts>,
    /// What the container may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Amounts>,
}

/// Processor and memory.
#[derive(schemars::JsonSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Amounts {
    /// In cores: `500m` is half of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Amount>,
    /// In bytes: `128Mi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Amount>,
}

impl Amounts {
    /// Lays these over the operator's own figures.
    pub fn over(&self, amounts: &mut BTreeMap<String, Quantity>) {
        for (name, amount) in [("cpu", &self.cpu), ("memory", &self.memory)] {
            if let Some(amount) = amount {
                amounts.insert(name.to_owned(), amount.into());
            }
        }
    }
}

/// One amount: a number, or a number with its unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Amount {
    /// Cores, or bytes: more than 32 bits of them.
    Number(i64),
    /// With its unit.
    Text(String),
}

impl From<&Amount> for Quantity {
    fn from(amount: &Amount) -> Self {
        match amount {
            Amount::Number(number) => Self(number.to_string()),
            Amount::Text(text) => Self(text.clone()),
        }
    }
}

impl schemars::JsonSchema for Amount {
    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // The pattern is the one that Kubernetes' own tools give to every quantity, without a sign.
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "minimum": 0,
            "pattern": r"^(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$",
        })
    }
}
