//! Coarse labels of a client: program and network. They distinguish the owner's devices, but do not
//! change with an update or a new address of the same network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Origin;

/// Order matters: Edge and Opera also send `Chrome/`, and Chrome also sends `Safari/`.
const BROWSERS: [(&str, &str); 5] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
const SYSTEMS: [(&str, &str); 6] = [
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

impl Origin {
    /// `Firefox on Linux`; for other programs the first word, without the version.
    #[must_use]
    pub fn user_agent_label(&self) -> String {
        user_agent_label(self.user_agent.as_deref())
    }

    /// The /24 of an IPv4 address, also if written as `::ffff:a.b.c.d`; the /48 of an IPv6 address.
    #[must_use]
    pub fn network_prefix(&self) -> String {
        match self.address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                format!("{}/24", Ipv4Addr::new(a, b, c, 0))
            }
            IpAddr::V6(address) => {
                let [a, b, c, ..] = address.segments();
                format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
            }
        }
    }
}

/// A label short enough to recognize one's own device by its `User-Agent`.
#[must_use]
pub fn user_agent_label(user_agent: Option<&str>) -> String {
    let Some(agent) = user_agent.filter(|agent| !agent.trim().is_empty()) else {
        return "Unknown program".to_owned();
    };
    browser_label(agent).unwrap_or_else(|| {
        agent
            .split(['/', ' '])
            .next()
            .unwrap_or_default()
            .chars()
            .take(60)
            .collect()
    })
}

/// `Firefox on Linux`, built from fixed words only: no client-controlled text.
#[must_use]
pub fn browser_label(agent: &str) -> Option<String> {
    let find = |known: &[(&str, &'static str)]| {
        known
            .iter()
            .find(|(token, _)| agent.contains(token))
            .map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => Some(format!("{browser} on {system}")),
        (browser, _) => browser.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(address: &str, user_agent: &str) -> Origin {
        Origin {
            address: address.parse().unwrap(),
            user_agent: Some(user_agent.to_owned()),
            device: None,
        }
    }

    #[test]
    fn browser_update_and_neighbouring_address_keep_the_origin() {
        let old = origin(
            "192.0.2.1",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        );
        let new = origin(
            "::ffff:192.0.2.99",
            "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0",
        );
        assert_eq!(
            (old.user_agent_label(), old.network_prefix()),
            (new.user_agent_label(), new.network_prefix())
        );
        assert_eq!(
            (
                old.user_agent_label().as_str(),
                old.network_prefix().as_str()
            ),
            ("Firefox on Linux", "192.0.2.0/24")
        );
        assert_eq!(
            origin("2001:db8:1:2::3", "curl/8.1").network_prefix(),
            "2001:db8:1::/48"
        );
        assert_eq!(origin("192.0.2.1", "curl/8.1").user_agent_label(), "curl");
        assert_eq!(user_agent_label(Some(" ")), "Unknown program");
    }
}
