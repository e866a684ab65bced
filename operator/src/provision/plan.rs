//! What is to be provisioned: no secret is in it, so it travels in the Job's environment.

use ecommerce_contract::Service;
use serde::{Deserialize, Serialize};

use crate::crd::Keeper;
use crate::credentials::{SUPERUSER, migrate_login_key, service_login_key};
use crate::names::{Backend, Names};
use crate::resolve::Location;

/// A server and the databases that are to be in it; and the stores of others, which are tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Where the server is.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who may make databases and roles.
    pub administrator: Login,
    /// The databases.
    pub databases: Vec<Database>,
    /// Whose they are, where a store is somebody else's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Names>,
    /// The stores that somebody else runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub external: Vec<External>,
}

/// A store that somebody else runs. What the person's Secret says of it is in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct External {
    /// The store.
    pub store: Backend,
    /// Who makes what is in it.
    pub keeper: Keeper,
    /// The person's Secret, for sentences.
    pub secret: String,
    /// Stands for what it says.
    pub fingerprint: String,
}

/// A login and the file of its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The role.
    pub role: String,
    /// The file's name in the directory of credentials.
    pub password: String,
}

/// A service's database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// The service.
    pub service: String,
    /// The database's name.
    pub name: String,
    /// Owns the tables; no one logs in as it.
    pub owner_role: String,
    /// Reads and writes rows; no one logs in as it.
    pub service_role: String,
    /// Migrates: member of the owner.
    pub migrate: Login,
    /// Serves: member of the service's role.
    pub serve: Login,
}

impl Plan {
    /// The databases of a stack on its server.
    #[must_use]
    pub fn new(names: &Names, server: &Location) -> Self {
        let database = |service: Service| Database {
            service: service.to_string(),
            name: names.database(service),
            owner_role: names.owner_role(service),
            service_role: names.service_role(service),
            migrate: Login { role: names.migrate_login(service), password: migrate_login_key(service) },
            serve: Login { role: names.service_login(service), password: service_login_key(service) },
        };
        Self {
            host: server.host.clone(),
            port: server.port,
            administrator: Login { role: "postgres".to_owned(), password: SUPERUSER.to_owned() },
            databases: Service::WITH_DATABASE.map(database).to_vec(),
            names: None,
            external: Vec::new(),
        }
    }

    /// The same, with the stores of others. Where the databases are on one of these, where that is stands in its Secret alone.
    #[must_use]
    pub fn with(mut self, names: &Names, external: Vec<External>) -> Self {
        if external.iter().any(|external| external.store == Backend::Postgres) {
            (self.host, self.port) = (String::new(), 0);
            self.administrator = Login { role: String::new(), password: String::new() };
        }
        self.names = (!external.is_empty()).then(|| names.clone());
        self.external = external;
        self
    }

    /// What is said of a store, where it is somebody else's.
    #[must_use]
    pub fn external(&self, store: Backend) -> Option<&External> {
        self.external.iter().find(|external| external.store == store)
    }
}
