//! The client address of a request that comes through proxies (docs/decisions/0014).

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;

/// Reads `X-Forwarded-For` from right to left, as far as each hop is a configured proxy. Entries
/// further left are client-controlled. Parsing stops at the first invalid entry, and the address is
/// then that of the proxy that forwarded it.
#[must_use]
pub(crate) fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    // Bytes, not text: skipping a line that is not text would give effect to the line before it.
    let lines = headers.get_all("x-forwarded-for").into_iter();
    let hops: Vec<&[u8]> = lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .collect();
    let hops = hops
        .into_iter()
        .rev()
        .map(<[u8]>::trim_ascii)
        .filter(|hop| !hop.is_empty());
    let mut address = peer.to_canonical();
    for hop in hops {
        if !proxies.iter().any(|proxy| proxy.to_canonical() == address) {
            break;
        }
        let Some(next) = parse(hop) else { break };
        address = next;
    }
    address
}

/// An address, with or without brackets and a port: proxies write all these forms.
fn parse(hop: &[u8]) -> Option<IpAddr> {
    let hop = str::from_utf8(hop).ok()?;
    let bare = hop
        .strip_prefix('[')
        .and_then(|hop| hop.strip_suffix(']'))
        .unwrap_or(hop);
    let address = bare
        .parse()
        .ok()
        .or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.1";
    const INNER: &str = "10.0.0.2";

    fn ip(raw: &str) -> IpAddr {
        raw.parse().unwrap()
    }

    fn resolve(peer: &str, lines: &[&[u8]]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(
                "x-forwarded-for",
                http::HeaderValue::from_bytes(line).unwrap(),
            );
        }
        client_address(ip(peer), &headers, &[ip(PROXY), ip("::ffff:10.0.0.2")]).to_string()
    }

    #[test]
    fn spoofed_forwarded_header_does_not_change_client_address() {
        // The peer is no trusted proxy: the header has no effect.
        assert_eq!(resolve("192.0.2.9", &[b"203.0.113.7"]), "192.0.2.9");
        assert_eq!(
            resolve("192.0.2.9", &[b"10.0.0.1, 203.0.113.7", b"127.0.0.1"]),
            "192.0.2.9"
        );
        // The proxy appends its entry to the right of the attacker's.
        for spoofed in [
            "198.51.100.1",
            "10.0.0.1",
            "127.0.0.1, ::1",
            "::ffff:10.0.0.1",
            "unknown",
            "\u{ff}",
            ", ,",
        ] {
            let line = format!("{spoofed}, 203.0.113.7");
            assert_eq!(
                resolve(PROXY, &[line.as_bytes()]),
                "203.0.113.7",
                "{spoofed}"
            );
            assert_eq!(
                resolve(PROXY, &[spoofed.as_bytes(), b"203.0.113.7"]),
                "203.0.113.7",
                "{spoofed}"
            );
            assert_eq!(
                resolve(PROXY, &[b"198.51.100.9", line.as_bytes()]),
                "203.0.113.7",
                "{spoofed}"
            );
        }
    }

    #[test]
    fn non_text_forwarded_line_hides_earlier_lines() {
        assert_eq!(resolve(PROXY, &[b"198.51.100.1", b"\xff\xfe"]), PROXY);
        assert_eq!(
            resolve(PROXY, &[b"198.51.100.1", b"\xff, 203.0.113.7"]),
            "203.0.113.7"
        );
    }

    #[test]
    fn forwarded_chain_is_read_through_trusted_proxies() {
        assert_eq!(
            resolve(PROXY, &[b"198.51.100.1, 203.0.113.7, 10.0.0.2"]),
            "203.0.113.7"
        );
        assert_eq!(
            resolve(INNER, &[b"203.0.113.7", b"10.0.0.1"]),
            "203.0.113.7"
        );
        assert_eq!(resolve("::ffff:10.0.0.1", &[b"203.0.113.7"]), "203.0.113.7");
        assert_eq!(resolve(PROXY, &[]), PROXY);
        assert_eq!(resolve(PROXY, &[b"10.0.0.2"]), INNER);
    }

    #[test]
    fn forwarded_address_formats_of_proxies_are_parsed() {
        for (written, address) in [
            ("203.0.113.7:51234", "203.0.113.7"),
            ("  203.0.113.7\t", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("[::ffff:203.0.113.7]:443", "203.0.113.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:443", "2001:db8::7"),
        ] {
            assert_eq!(resolve(PROXY, &[written.as_bytes()]), address, "{written}");
        }
        for garbage in [
            "203.0.113",
            "203.0.113.7:",
            "0x7f.1",
            "1.2.3.4.5",
            "fe80::1%eth0",
            "_hidden",
            "203.0.113.07",
        ] {
            assert_eq!(resolve(PROXY, &[garbage.as_bytes()]), PROXY, "{garbage}");
        }
    }
}
