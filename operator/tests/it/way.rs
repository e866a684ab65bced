//! A way to the real API server on which things go wrong.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use futures::{StreamExt as _, stream};
use http_body_util::{BodyExt as _, BodyStream, StreamBody};
use kube::Client;
use serde_json::{Value, json};
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
    gone: Arc<watch::Sender<Gone>>,
    /// Counts how often the watches that were open then have gone silent.
    hushed: Arc<watch::Sender<usize>>,
}

/// What of the API server nobody answers for, while it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gone {
    /// All is well.
    Nothing,
    /// Watches end, and none is opened.
    Watches,
    /// Nor is anything else answered.
    Everything,
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
    /// Who reads an address with this in it panics.
    panics: Option<String>,
    /// What is read at the end of this path has this spec.
    spec: Option<(String, Value)>,
}

impl Way {
    pub(crate) fn to(api: Client, namespace: &str) -> Self {
        let (gone, hushed) = (Arc::new(watch::channel(Gone::Nothing).0), Arc::new(watch::channel(0).0));
        Self { api, namespace: namespace.to_owned(), state: Arc::default(), stop: Arc::default(), gone, hushed }
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

    /// From now on this is gone, and what was before is back.
    pub(crate) fn lose(&self, gone: Gone) {
        self.gone.send_replace(gone);
    }

    /// The watches that are open now stay so and never say anything again.
    pub(crate) fn hush_watches(&self) {
        self.hushed.send_modify(|times| *times += 1);
    }

    pub(crate) fn open_watches(&self) -> usize {
        self.hushed.receiver_count()
    }

    /// A stack reads as if it had this spec, which our definition would not let in: that of another operator does.
    pub(crate) fn read_as(&self, stack: &str, spec: Option<Value>) {
        self.state.lock().unwrap().spec = spec.map(|spec| (format!("/ecommercestacks/{stack}"), spec));
    }

    /// Whoever reads an address with this in it panics.
    pub(crate) fn panic_at(&self, part: &str) {
        self.state.lock().unwrap().panics = Some(part.to_owned());
    }

    /// Until the process is to end.
    pub(crate) async fn stopped(&self) {
        self.stop.notified().await;
    }

    async fn answer(&self, request: Request) -> Response {
        let is_watch = request.uri().query().is_some_and(|query| query.contains("watch="));
        let gone = *self.gone.borrow();
        if gone == Gone::Everything || (gone == Gone::Watches && is_watch) {
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
        let (mut gone, hushed) = (self.gone.subscribe(), self.hushed.subscribe());
        let (parts, body) = self.send(request).await.into_parts();
        let cut = async move { drop(gone.wait_for(|gone| *gone != Gone::Nothing).await) };
        let heard = stream::unfold((BodyStream::new(body), hushed), |(mut body, mut hushed)| async move {
            tokio::select! {
                biased;
                _ = hushed.changed() => std::future::pending().await,
                frame = body.next() => Some((frame?, (body, hushed))),
            }
        });
        let watch = Box::pin(heard).take_until(Box::pin(cut));
        Response::from_parts(parts, Body::new(StreamBody::new(watch)))
    }

    async fn read(&self, request: Request) -> Response {
        let (address, path) = (request.uri().to_string(), request.uri().path().to_owned());
        if address.contains("watch=") {
            return self.watch(request).await;
        }
        let stale = {
            let mut state = self.state.lock().unwrap();
            let panics = state.panics.as_ref().is_some_and(|part| address.contains(part));
            if panics {
                drop(state);
                panic!("a fault of ours at {address}");
            }
            state.looks += usize::from(path.ends_with("/ecommercestacks/shop"));
            let before = state.answers.get(&address).cloned();
            if state.is_stale && before.is_some() {
                state.is_stale = false;
                before
            } else {
                None
            }
        };
        let (status, mut body) = match stale {
            Some(before) => before,
            None => collected(self.send(request).await).await,
        };
        let other = self.state.lock().unwrap().spec.clone().filter(|(end, _)| path.ends_with(end.as_str()));
        if let Some((_, spec)) = other {
            let mut stack: Value = serde_json::from_slice(&body).unwrap();
            stack["spec"] = spec;
            body = serde_json::to_vec(&stack).unwrap();
        }
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
