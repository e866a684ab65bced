//! Whose address a client has.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::HeaderMap;

/// The header in which a proxy tells from whom it was called. (`Forwarded`, RFC 7239, is not read: no proxy of those that
/// stand before a cluster sends it unless told to.)
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The client's address; found among a request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// The address that the outermost of the trusted proxies was called from. What stands further to the left in the header is
/// the client's own word; where the header has fewer hops than there are proxies, the leftmost is as far as anybody knows.
pub(crate) fn client_address(headers: &HeaderMap, peer: Option<IpAddr>, trusted_proxies: u8) -> Option<IpAddr> {
    let Some(hop) = usize::from(trusted_proxies).checked_sub(1) else { return peer };
    let values = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    let told = hops.iter().rev().nth(hop).or(hops.first());
    told.and_then(|told| address(told)).or(peer)
}

/// An address, with or without a port and brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(text, |(inside, _)| inside);
    let address: IpAddr =
        bare.parse().or_else(|_| text.parse().map(|address: std::net::SocketAddr| address.ip())).ok()?;
    Some(address.to_canonical())
}

/// What counts as one client: an address, or the network of 64 bits of an IPv6 address, whose hosts are its owner's to number.
#[must_use]
pub fn client_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_is_one_client_and_a_mapped_address_is_its_ipv4() {
        let client = |text: &str| client_of(text.parse().unwrap());
        assert_eq!(client("2001:db8:1:2::1"), client("2001:db8:1:2:ffff::9"));
        assert_ne!(client("2001:db8:1:2::1"), client("2001:db8:1:3::1"));
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
    }

    fn of(values: &[&str], trusted_proxies: u8) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        let peer = Some("203.0.113.9".parse().unwrap());
        client_address(&headers, peer, trusted_proxies).map(|address| address.to_string()).unwrap_or_default()
    }

    #[test]
    fn hops_are_counted_from_the_right_and_what_a_client_adds_is_never_reached() {
        assert_eq!(of(&["6.6.6.6, 192.0.2.1"], 0), "203.0.113.9");
        assert_eq!(of(&["6.6.6.6, 192.0.2.1"], 1), "192.0.2.1");
        assert_eq!(of(&["6.6.6.6, 192.0.2.1, 10.0.0.1"], 2), "192.0.2.1");
        assert_eq!(of(&["6.6.6.6", "192.0.2.1"], 1), "192.0.2.1");
        assert_eq!(of(&["192.0.2.1"], 2), "192.0.2.1");
    }

    #[test]
    fn what_is_no_address_is_the_peers() {
        assert_eq!(of(&["unknown"], 1), "203.0.113.9");
        assert_eq!(of(&["192.0.2.1:4711"], 1), "192.0.2.1");
        assert_eq!(of(&["[2001:db8::1]:4711"], 1), "2001:db8::1");
        assert_eq!(of(&["2001:db8::1"], 1), "2001:db8::1");
        assert_eq!(of(&["::ffff:192.0.2.1"], 1), "192.0.2.1");
    }

    #[test]
    fn without_the_header_the_peer_is_all_that_is_known() {
        assert_eq!(of(&[], 1), "203.0.113.9");
    }
}
