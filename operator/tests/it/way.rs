//! A way to the real API server on which things go wrong.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use futures::StreamExt as _;
use http_body_util::{BodyExt as _, BodyStream, StreamBody};
use kube::Client;
use serde_json::json;
use tokio::sync::{Notify, watch};

type Request = axum::http::Request<kube::client::Body>;
type Response = axum::http::Response<Body>;

/// What goes wrong at a write, or right after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The operator's process ends once it is written, before the answer.
    Stop,
    /// Somebody else was quicker: 409, not written.
    Conflict,
    /// 500, not written.
    ServerError,
    /// 504, and written all the same.
    WrittenTimeout,
    /// Written, and what is read next is as it was before.
    StaleRead,
    /// Written, and no answer ever comes.
    Silence,
}

impl Fault {
    pub(crate) const ALL: [Self; 6] =
        [Self::Stop, Self::Conflict, Self::ServerError, Self::WrittenTimeout, Self::StaleRead, Self::Silence];
}

/// The way, and what has gone over it.
#[derive(Clone)]
pub(crate) struct Way {
    api: Client,
    /// What is asked of the whole cluster is asked of this namespace: other tests have stacks too.
    namespace: String,
    state: Arc<Mutex<State>>,
    stop: Arc<Notify>,
    away: Arc<watch::Sender<bool>>,
}

#[derive(Default)]
struct State {
    writes: Vec<String>,
    /// How often the stack was read.
    looks: usize,
    fault: Option<(usize, Fault)>,
    has_struck: bool,
    /// What was read last, by address.
    answers: BTreeMap<String, (u16, Vec<u8>)>,
    is_stale: bool,
}

impl Way {
    pub(crate) fn to(api: Client, namespace: &str) -> Self {
        let away = Arc::new(watch::channel(false).0);
        Self { api, namespace: namespace.to_owned(), state: Arc::default(), stop: Arc::default(), away }
    }

    /// Lets this go wrong at the write of this number, from 0.
    pub(crate) fn with(api: Client, namespace: &str, number: usize, fault: Fault) -> Self {
        let way = Self::to(api, namespace);
        way.state.lock().unwrap().fault = Some((number, fault));
        way
    }

    pub(crate) fn client(&self) -> Client {
        let way = self.clone();
        let service = tower::service_fn(move |request: Request| {
            let way = way.clone();
            async move { Ok::<_, Infallible>(way.answer(request).await) }
        });
        Client::new(service, "default")
    }

    /// Method and path of each write so far, Events aside.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.state.lock().unwrap().writes.clone()
    }

    pub(crate) fn looks(&self) -> usize {
        self.state.lock().unwrap().looks
    }

    pub(crate) fn has_struck(&self) -> bool {
        self.state.lock().unwrap().has_struck
    }

    /// From now on nobody answers and watches end, or somebody does again.
    pub(crate) fn be_away(&self, is_away: bool) {
        self.away.send_replace(is_away);
    }

    /// Until the process is to end.
    pub(crate) async fn stopped(&self) {
        self.stop.notified().await;
    }

    async fn answer(&self, request: Request) -> Response {
        if *self.away.borrow() {
            return refusal(503, "ServiceUnavailable");
        }
        let request = self.in_namespace(request);
        if request.method() == "GET" { self.read(request).await } else { self.write(request).await }
    }

    fn in_namespace(&self, mut request: Request) -> Request {
        let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
        let Some((group, plural)) = path.rsplit_once('/') else { return request };
        if request.method() == "GET" && !path.contains("/namespaces/") {
            let narrowed = format!("{group}/namespaces/{}/{plural}?{query}", self.namespace);
            *request.uri_mut() = narrowed.parse().unwrap();
        }
        request
    }

    async fn send(&self, request: Request) -> Response {
        self.api.send(request).await.unwrap().map(Body::new)
    }

    async fn watch(&self, request: Request) -> Response {
        let (parts, body) = self.send(request).await.into_parts();
        let mut away = self.away.subscribe();
        let until = async move { drop(away.wait_for(|is_away| *is_away).await) };
        let cut = BodyStream::new(body).take_until(Box::pin(until));
        Response::from_parts(parts, Body::new(StreamBody::new(cut)))
    }

    async fn read(&self, request: Request) -> Response {
        let address = request.uri().to_string();
        if address.contains("watch=") {
            return self.watch(request).await;
        }
        let stale = {
            let mut state = self.state.lock().unwrap();
            state.looks += usize::from(request.uri().path().ends_with("/ecommercestacks/shop"));
            let before = state.answers.get(&address).cloned();
            if state.is_stale && before.is_some() {
                state.is_stale = false;
                before
            } else {
                None
            }
        };
        let (status, body) = match stale {
            Some(before) => before,
            None => collected(self.send(request).await).await,
        };
        self.state.lock().unwrap().answers.insert(address, (status, body.clone()));
        response(status, body)
    }

    async fn write(&self, request: Request) -> Response {
        let path = request.uri().path().to_owned();
        let fault = {
            let mut state = self.state.lock().unwrap();
            if path.contains("/events") {
                None
            } else {
                let number = state.writes.len();
                state.writes.push(format!("{} {path}", request.method()));
                let fault = state.fault.filter(|(at, _)| *at == number).map(|(_, fault)| fault);
                state.has_struck |= fault.is_some();
                fault
            }
        };
        match fault {
            Some(Fault::Conflict) => return refusal(409, "Conflict"),
            Some(Fault::ServerError) => return refusal(500, "InternalError"),
            _ => {}
        }
        let written = self.send(request).await;
        match fault {
            Some(Fault::Stop) => {
                self.stop.notify_one();
                std::future::pending().await
            }
            Some(Fault::Silence) => std::future::pending().await,
            Some(Fault::WrittenTimeout) => refusal(504, "Timeout"),
            Some(Fault::StaleRead) => {
                self.state.lock().unwrap().is_stale = true;
                written
            }
            _ => written,
        }
    }
}

async fn collected(answer: Response) -> (u16, Vec<u8>) {
    let (parts, body) = answer.into_parts();
    (parts.status.as_u16(), body.collect().await.unwrap().to_bytes().to_vec())
}

fn response(status: u16, body: Vec<u8>) -> Response {
    axum::http::Response::builder().status(status).body(Body::from(body)).unwrap()
}

fn refusal(code: u16, reason: &str) -> Response {
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
        "code": code, "reason": reason, "message": format!("a test answers {code}"),
    });
    response(code, serde_json::to_vec(&status).unwrap())
}
