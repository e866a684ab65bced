//! A RabbitMQ of others. Where the login is an administrator, the stack's vhost, users, rights and policies go there in one request of
//! its management API, as an embedded one reads them from its file. Every login is tried then.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ecommerce_contract::Service;
use ecommerce_contract::topology::EXCHANGE;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::amqp;
use super::error::Fault;
use super::wire::{connect, unreachable};
use crate::definitions::{definitions, tag};
use crate::external::{Access, Address, Found, Protocol};
use crate::names::Names;

/// Longer than any answer about one object, in bytes.
const LONGEST: usize = 64 * 1024;

/// Makes the stack's vhost and users where that is the stack's to do, and tries every login.
pub(super) async fn provision(
    names: &Names,
    found: &Found,
    passwords: &BTreeMap<Service, String>,
    seal: &str,
    deadline: Instant,
) -> Result<(), Fault> {
    match &found.access {
        Access::Shared { server, management: Some(management) } => {
            let password = |service: Service| passwords.get(&service).map_or("", String::as_str);
            let management = Management { found, address: management, deadline };
            management.make(names, password, &names.mark(seal)).await?;
            for service in Service::WITH_BROKER {
                let own = Address { login: names.user(service), path: names.vhost(), ..Address::clone(server) };
                amqp::try_login(found, &own, password(service), None, deadline).await?;
            }
        }
        Access::Shared { management: None, .. } => {}
        Access::Others { serve, .. } => {
            for address in serve.values() {
                amqp::try_login(found, address, address.password.expose(), Some(EXCHANGE), deadline).await?;
            }
        }
    }
    Ok(())
}

/// The management API.
struct Management<'a> {
    found: &'a Found,
    address: &'a Address,
    deadline: Instant,
}

impl Management<'_> {
    async fn make<'p>(&self, names: &Names, password: impl Fn(Service) -> &'p str, mark: &str) -> Result<(), Fault> {
        self.is_ours_or_nobodys("vhost", "vhosts", &names.vhost(), |vhost| {
            let says = |text: &Value| text.as_str() == Some(mark);
            says(&vhost["description"]) || says(&vhost["metadata"]["description"])
        })
        .await?;
        for service in Service::WITH_BROKER {
            self.is_ours_or_nobodys("user", "users", &names.user(service), |user| {
                let wanted = tag(mark);
                // Before 3.9 they were one text.
                let of_list = user["tags"].as_array().into_iter().flatten().any(|tag| *tag == wanted);
                of_list || user["tags"].as_str().is_some_and(|tags| tags.split(',').any(|tag| tag == wanted))
            })
            .await?;
        }
        let definitions = definitions(names, password, Some(mark));
        let (status, answer) = self.ask(Method::POST, "/api/definitions", Some(&definitions)).await?;
        self.accepted(status, &answer, "make a vhost, users and policies")
    }

    /// Nothing of the name is there, or what is there has the stack's mark.
    async fn is_ours_or_nobodys(
        &self,
        what: &'static str,
        plural: &str,
        name: &str,
        is_ours: impl FnOnce(&Value) -> bool,
    ) -> Result<(), Fault> {
        let path = format!("/api/{plural}/{}", utf8_percent_encode(name, NON_ALPHANUMERIC));
        let (status, answer) = self.ask(Method::GET, &path, None).await?;
        if status == StatusCode::NOT_FOUND {
            return Ok(());
        }
        self.accepted(status, &answer, &format!("look at the {what} {name}"))?;
        if is_ours(&answer) {
            return Ok(());
        }
        let claim = match what {
            "vhost" => format!("rabbitmqctl delete_vhost {name}, once its queues are empty"),
            _ => format!("rabbitmqctl delete_user {name}"),
        };
        Err(Fault::NotOurs { what, name: name.to_owned(), claim })
    }

    fn accepted(&self, status: StatusCode, answer: &Value, what: &str) -> Result<(), Fault> {
        if status.is_success() {
            return Ok(());
        }
        let key = self.address.said_by.clone();
        let said = answer["reason"].as_str().or(answer["error"].as_str()).unwrap_or_default();
        let why = format!("{status} {said}").trim_end().to_owned();
        Err(match status {
            // It answers so whom it does not know, and also whom it knows who may not manage it.
            StatusCode::UNAUTHORIZED => {
                let why = format!("{why}; it has to be an administrator: rabbitmqctl set_user_tags … administrator");
                Fault::NotLetIn { key, why }
            }
            StatusCode::FORBIDDEN => Fault::NoRights { key, what: what.to_owned(), why },
            _ => Fault::Unexpected { key, why },
        })
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<(StatusCode, Value), Fault> {
        debug_assert_eq!(self.address.protocol, Protocol::Http, "the management API");
        let wire = connect(self.found, self.address, self.deadline).await?;
        let asked = async {
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(wire)).await?;
            let connection = tokio::spawn(connection);
            let Address { login, password, .. } = self.address;
            let login = BASE64_STANDARD.encode(format!("{login}:{}", password.expose()));
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header("host", self.address.authority())
                .header("authorization", format!("Basic {login}"))
                .header("content-type", "application/json");
            let body = body.map(Value::to_string).unwrap_or_default();
            let answer = sender.send_request(request.body(Full::new(Bytes::from(body)))?).await?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), LONGEST).collect().await?.to_bytes();
            connection.abort();
            // What is no JSON says nothing that is looked at.
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>((
                status,
                serde_json::from_slice(&body).unwrap_or_default(),
            ))
        };
        match timeout_at(self.deadline, asked).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(unreachable(self.address, error.to_string())),
            Err(_) => Err(unreachable(self.address, "it says nothing in time".to_owned())),
        }
    }
}
