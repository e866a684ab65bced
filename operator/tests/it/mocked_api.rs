//! An API server of a few lines: it keeps what it is given and counts what it is asked. What a test wants to be otherwise it
//! puts in itself.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use operator::kinds::{KINDS, Read};
use operator::names::STACK_LABEL;
use serde_json::{Value, json};

type Request = axum::http::Request<Body>;
type Response = axum::http::Response<Body>;

/// The objects by their path, and the writes in the order in which they came.
#[derive(Debug, Clone, Default)]
pub(crate) struct MockedApi(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<String, Value>,
    writes: Vec<String>,
    refused: Vec<String>,
    silent: Option<String>,
    version: u64,
    /// What was last applied as `data`, by path and field manager: what a later one leaves out goes.
    applied: BTreeMap<(String, String), Value>,
}

impl MockedApi {
    /// A client of this API.
    pub(crate) fn client(&self) -> Client {
        let api = self.clone();
        let service = tower::service_fn(move |request: Request| {
            let api = api.clone();
            async move { Ok::<_, Infallible>(api.answer(request).await) }
        });
        Client::new(service, "default")
    }

    /// Puts an object in, as another one than the operator would.
    pub(crate) fn put(&self, path: &str, object: Value) {
        self.0.lock().unwrap().objects.insert(path.to_owned(), object);
    }

    /// Changes an object, as another one than the operator would.
    pub(crate) fn change(&self, path: &str, change: impl FnOnce(&mut Value)) {
        let mut api = self.0.lock().unwrap();
        api.version += 1;
        let version = api.version.to_string();
        let object = api.objects.get_mut(path).unwrap_or_else(|| panic!("{path} is not there"));
        change(object);
        object["metadata"]["resourceVersion"] = version.into();
    }

    /// Takes an object away, as another one than the operator would.
    pub(crate) fn remove(&self, path: &str) {
        self.0.lock().unwrap().objects.remove(path);
    }

    /// Refuses writes of this path from now on.
    pub(crate) fn refuse(&self, path: &str) {
        self.0.lock().unwrap().refused.push(path.to_owned());
    }

    /// Never answers a question for this path from now on; `None` answers all.
    pub(crate) fn keep_silent(&self, path: Option<&str>) {
        self.0.lock().unwrap().silent = path.map(str::to_owned);
    }

    /// Takes everything again.
    pub(crate) fn refuse_nothing(&self) {
        self.0.lock().unwrap().refused.clear();
    }

    /// An object.
    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        self.0.lock().unwrap().objects.get(path).cloned()
    }

    /// The paths below this one.
    pub(crate) fn below(&self, path: &str) -> Vec<String> {
        let state = self.0.lock().unwrap();
        state.objects.keys().filter_map(|key| key.strip_prefix(path).map(str::to_owned)).collect()
    }

    /// The writes since this was last asked.
    pub(crate) fn writes(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().writes)
    }

    async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let is_silent = self.0.lock().unwrap().silent.as_deref() == Some(parts.uri.path());
        if is_silent {
            std::future::pending::<()>().await;
        }
        let query = parts.uri.query().unwrap_or_default();
        let (status, answer) = self.0.lock().unwrap().handle(parts.method.as_str(), parts.uri.path(), query, &body);
        let answer = serde_json::to_vec(&answer).unwrap();
        axum::http::Response::builder().status(status).body(Body::from(answer)).unwrap()
    }
}

impl State {
    fn handle(&mut self, method: &str, path: &str, query: &str, body: &Value) -> (u16, Value) {
        if method != "GET" {
            self.writes.push(format!("{method} {path}"));
            if self.refused.iter().any(|refused| refused == path) {
                return refusal(403, "Forbidden", "someone says no");
            }
        }
        match method {
            "GET" => self.read(path, query),
            "POST" => self.create(path, body),
            "PATCH" => self.patch(path, query, body),
            "DELETE" => (200, self.objects.remove(path).unwrap_or(Value::Null)),
            _ => refusal(405, "MethodNotAllowed", "the mocked API does not know this"),
        }
    }

    fn read(&self, path: &str, query: &str) -> (u16, Value) {
        if let Some(object) = self.objects.get(path) {
            return (200, object.clone());
        }
        // Lists are of a namespace: /…/namespaces/<namespace>/<kinds>. No object of theirs is a name that is a kind.
        let is_list = path.rsplit('/').next().is_some_and(is_listed);
        if !is_list {
            return refusal(404, "NotFound", "not there");
        }
        let below = format!("{path}/");
        let stack = query.split('&').find_map(|part| part.strip_prefix("labelSelector=ecommercestack.dev%2Fstack%3D"));
        let is_of_stack = |object: &Value| stack.is_none_or(|stack| object["metadata"]["labels"][STACK_LABEL] == stack);
        let found = self.objects.iter().filter(|(key, object)| key.starts_with(&below) && is_of_stack(object));
        let items: Vec<_> = found.map(|(_, object)| object.clone()).collect();
        (200, json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "1"}, "items": items}))
    }

    fn create(&mut self, path: &str, body: &Value) -> (u16, Value) {
        let name = body["metadata"]["name"].as_str().unwrap_or_default();
        let path = format!("{path}/{name}");
        if self.objects.contains_key(&path) {
            return refusal(409, "AlreadyExists", "already there");
        }
        (201, self.store(&path, body.clone()))
    }

    fn patch(&mut self, path: &str, query: &str, body: &Value) -> (u16, Value) {
        let path = path.strip_suffix("/status").unwrap_or(path);
        let mut object = self.objects.get(path).cloned().unwrap_or_else(|| json!({}));
        if let Some(before) = self.applied.insert((path.to_owned(), query.to_owned()), body["data"].clone()) {
            withdraw(&mut object["data"], &before, &body["data"]);
        }
        merge(&mut object, body);
        (200, self.store(path, object))
    }

    fn store(&mut self, path: &str, mut object: Value) -> Value {
        let before = self.objects.get(path);
        if !object["spec"].is_null() && before.is_none_or(|before| before["spec"] != object["spec"]) {
            let generation = before.map_or(0, |before| before["metadata"]["generation"].as_u64().unwrap_or_default());
            object["metadata"]["generation"] = (generation + 1).into();
        }
        if before != Some(&object) {
            self.version += 1;
            object["metadata"]["resourceVersion"] = self.version.to_string().into();
        }
        self.objects.insert(path.to_owned(), object.clone());
        object
    }
}

/// The kinds that are listed by the stack's label.
fn is_listed(kinds: &str) -> bool {
    kinds == "events" || KINDS.iter().any(|kind| kind.read == Read::Listed && kind.resource.plural == kinds)
}

fn merge(object: &mut Value, patch: &Value) {
    match patch {
        Value::Object(fields) if object.is_object() => {
            for (key, value) in fields {
                merge(&mut object[key], value);
            }
        }
        _ => *object = patch.clone(),
    }
}

fn withdraw(object: &mut Value, before: &Value, now: &Value) {
    let (Value::Object(fields), Value::Object(before)) = (object, before) else { return };
    fields.retain(|key, _| !before.contains_key(key) || now.get(key).is_some());
}

fn refusal(code: u16, reason: &str, message: &str) -> (u16, Value) {
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
        "code": code, "reason": reason, "message": message,
    });
    (code, status)
}
