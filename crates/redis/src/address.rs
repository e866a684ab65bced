//! Which Redis, and how it is found and met: a server or whoever leads by the word of its sentinels, in clear or by TLS.

use ecommerce_tls::Authority;
use fred::types::config::Config;
use secrecy::ExposeSecret as _;
use url::Url;

use crate::Settings;

/// The settings of Redis say what cannot be. Its address is a secret and not shown.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSettings {
    /// `REDIS_URL` is no address.
    #[error(
        "REDIS_URL is not of the form redis://user@host:6379/0, or \
         redis-sentinel://user@host:26379/0?sentinelServiceName=name&node=host2:26379; with rediss for TLS"
    )]
    Url,
    /// It names a cluster, where keys of one command would have to be of one slot, and ours are not.
    #[error(
        "REDIS_URL names a cluster, whose servers hold a part of the keys each: one that leads, with or without sentinels, is needed"
    )]
    Cluster,
    /// An authority is named, and nobody is to be asked for a certificate.
    #[error("REDIS_CA_FILE is set, but REDIS_URL speaks no TLS: it needs rediss:// or rediss-sentinel://")]
    AuthorityWithoutTls,
    /// The authority's file is none.
    #[error("REDIS_CA_FILE names no authority")]
    Authority(#[from] ecommerce_tls::Error),
}

/// Where Redis is, and whether TLS is spoken to it, and to its sentinels.
pub(crate) fn config(settings: &Settings) -> Result<Config, InvalidSettings> {
    let mut url = Url::parse(settings.redis_url.expose_secret()).map_err(|_| InvalidSettings::Url)?;
    let (in_clear, is_encrypted) = match url.scheme() {
        "redis" => ("redis", false),
        "rediss" => ("redis", true),
        "redis-sentinel" => ("redis-sentinel", false),
        "rediss-sentinel" => ("redis-sentinel", true),
        "redis-cluster" | "rediss-cluster" => return Err(InvalidSettings::Cluster),
        _ => return Err(InvalidSettings::Url),
    };
    // Read as one in clear, since the client would go and look for the machine's authorities.
    url.set_scheme(in_clear).map_err(|()| InvalidSettings::Url)?;
    let mut config = Config::from_url(url.as_str()).map_err(|_| InvalidSettings::Url)?;
    config.tls = match (is_encrypted, &settings.redis_ca_file) {
        (false, None) => None,
        (false, Some(_)) => return Err(InvalidSettings::AuthorityWithoutTls),
        (true, file) => {
            let authority = file.as_deref().map(Authority::read).transpose()?;
            Some(ecommerce_tls::client(authority.as_ref()).into())
        }
    };
    if let Some(password) = &settings.redis_password {
        config.password = Some(password.expose_secret().to_owned());
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use fred::types::config::ServerConfig;

    use super::*;

    fn read(url: &str, ca_file: Option<&str>) -> Result<Config, String> {
        let settings = Settings {
            redis_url: url.into(),
            redis_password: None,
            redis_ca_file: ca_file.map(Into::into),
            redis_prefix: "shop:".to_owned(),
        };
        config(&settings).map_err(|error| error.to_string())
    }

    #[test]
    fn a_server_is_met_in_clear_or_by_tls() {
        for (url, is_encrypted) in
            [("redis://shop:secret@cache:6380/2", false), ("rediss://shop:secret@cache:6380/2", true)]
        {
            let config = read(url, None).unwrap();
            assert_eq!(config.tls.is_some(), is_encrypted, "{url}");
            assert_eq!((config.username.as_deref(), config.password.as_deref()), (Some("shop"), Some("secret")));
            assert_eq!(config.database, Some(2));
            let ServerConfig::Centralized { server } = config.server else { panic!("{:?}", config.server) };
            assert_eq!((&*server.host, server.port), ("cache", 6380));
        }
    }

    #[test]
    fn sentinels_have_a_login_of_their_own() {
        let query = "sentinelServiceName=shop&node=b:26380&sentinelUsername=watch&sentinelPassword=hidden";
        for (scheme, is_encrypted) in [("redis-sentinel", false), ("rediss-sentinel", true)] {
            let config = read(&format!("{scheme}://shop:secret@a/0?{query}"), None).unwrap();
            assert_eq!(config.tls.is_some(), is_encrypted);
            assert_eq!((config.username.as_deref(), config.password.as_deref()), (Some("shop"), Some("secret")));
            let ServerConfig::Sentinel { mut hosts, service_name, username, password } = config.server else {
                panic!("{:?}", config.server)
            };
            hosts.sort();
            let hosts: Vec<_> = hosts.iter().map(|server| (&*server.host, server.port)).collect();
            assert_eq!(hosts, [("a", 26379), ("b", 26380)]);
            assert_eq!(service_name, "shop");
            assert_eq!((username.as_deref(), password.as_deref()), (Some("watch"), Some("hidden")));
        }
    }

    #[test]
    fn a_cluster_is_refused_with_a_sentence() {
        for url in ["redis-cluster://a:6379", "rediss-cluster://a:6379?node=b:6379"] {
            assert!(read(url, None).unwrap_err().starts_with("REDIS_URL names a cluster"));
        }
    }

    #[test]
    fn an_address_that_is_none_is_not_shown() {
        for url in ["redis:secret", "http://secret", "redis-sentinel://secret:26379", "redis+unix:///secret"] {
            let refused = read(url, None).unwrap_err();
            assert!(refused.starts_with("REDIS_URL is not of the form") && !refused.contains("secret"), "{refused}");
        }
    }

    #[test]
    fn an_authority_without_tls_is_refused_before_its_file_is_read() {
        for url in ["redis://a", "redis-sentinel://a?sentinelServiceName=shop"] {
            let refused = read(url, Some("/nowhere/ca.crt")).unwrap_err();
            assert!(refused.starts_with("REDIS_CA_FILE is set, but REDIS_URL speaks no TLS"), "{refused}");
        }
        assert_eq!(read("rediss://a", Some("/nowhere/ca.crt")).unwrap_err(), "REDIS_CA_FILE names no authority");
    }
}
