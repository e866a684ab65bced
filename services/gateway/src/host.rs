//! The `Host` of a request (RFC 9112, section 3.2): there is one, it is a host, and a target that names a host names the same.
//! What two readers could take for different hosts is refused.

use axum::http::uri::Authority;
use axum::http::{Version, header, request};

/// Whether a request says plainly for whom it is.
pub(crate) fn is_plain(parts: &request::Parts) -> bool {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let (host, another) = (hosts.next(), hosts.next());
    let Some(host) = host else { return parts.version == Version::HTTP_10 };
    let Some(host) = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()) else { return false };
    let is_same = |target: &Authority| target.as_str().eq_ignore_ascii_case(host.as_str());
    another.is_none() && !host.as_str().contains('@') && parts.uri.authority().is_none_or(is_same)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn plain(target: &str, hosts: &[&str]) -> bool {
        let request = hosts.iter().fold(Request::builder().uri(target), |request, host| request.header("host", *host));
        is_plain(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_request_names_one_host() {
        assert!(plain("/a", &["shop.example:8080"]));
        assert!(plain("/a", &["[::1]:8080"]));
        assert!(plain("http://shop.example/a", &["SHOP.example"]));
        assert!(!plain("/a", &[]));
        assert!(!plain("/a", &["shop.example", "shop.example"]));
        assert!(!plain("/a", &["shop.example, other.example"]));
        assert!(!plain("/a", &["user@shop.example"]));
        assert!(!plain("/a", &[""]));
        assert!(!plain("http://other.example/a", &["shop.example"]));
    }
}
