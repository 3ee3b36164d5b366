//! Reads a JSON object of a provider member by member. A member that is never read may have any
//! type, and an error names the member.

use std::{collections::BTreeSet, fmt};

use jiff::SignedDuration;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value};
use url::Url;

/// The members of a JSON object.
#[derive(Debug, Default)]
pub(super) struct Members {
    values: Map<String, Value>,
    /// Names that occur twice. Parsers disagree about their value, so they cannot be read.
    repeated: BTreeSet<String>,
}

/// A member whose value cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{member} {problem}")]
pub(super) struct InvalidMember {
    pub(super) member: &'static str,
    pub(super) problem: &'static str,
}

impl InvalidMember {
    pub(super) fn new(member: &'static str, problem: &'static str) -> Self {
        Self { member, problem }
    }
}

impl Members {
    /// `None` if the bytes are not one JSON object.
    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// The value, unless it is absent or null.
    fn get(&self, member: &'static str) -> Result<Option<&Value>, InvalidMember> {
        if self.repeated.contains(member) {
            return Err(InvalidMember::new(member, "occurs twice"));
        }
        Ok(self.values.get(member).filter(|value| !value.is_null()))
    }

    fn required(&self, member: &'static str) -> Result<&Value, InvalidMember> {
        self.get(member)?
            .ok_or(InvalidMember::new(member, "is missing"))
    }

    pub(super) fn text(&self, member: &'static str) -> Result<&str, InvalidMember> {
        self.required(member)?
            .as_str()
            .ok_or(InvalidMember::new(member, "is not a string"))
    }

    pub(super) fn optional_text(
        &self,
        member: &'static str,
    ) -> Result<Option<&str>, InvalidMember> {
        self.get(member)?.map(|_| self.text(member)).transpose()
    }

    /// The string; `None` if there is none, or a value of another type.
    pub(super) fn lenient_text(&self, member: &'static str) -> Option<&str> {
        self.optional_text(member).ok().flatten()
    }

    /// One string, or a list of strings (RFC 7519 §4.1.3).
    pub(super) fn texts(&self, member: &'static str) -> Result<Vec<&str>, InvalidMember> {
        match self.required(member)? {
            Value::String(one) => Ok(vec![one]),
            Value::Array(all) => all
                .iter()
                .map(Value::as_str)
                .collect::<Option<_>>()
                .ok_or(InvalidMember::new(member, "contains other than strings")),
            _ => Err(InvalidMember::new(
                member,
                "is neither a string nor a list of strings",
            )),
        }
    }

    pub(super) fn optional_texts(
        &self,
        member: &'static str,
    ) -> Result<Option<Vec<&str>>, InvalidMember> {
        self.get(member)?.map(|_| self.texts(member)).transpose()
    }

    /// The strings of a list; `None` if there is no list. Other entries are skipped.
    pub(super) fn lenient_list(&self, member: &'static str) -> Option<Vec<&str>> {
        let list = self.get(member).ok().flatten()?.as_array()?;
        Some(list.iter().filter_map(Value::as_str).collect())
    }

    /// True, also as a string: some providers send all claims as strings.
    pub(super) fn is_true(&self, member: &'static str) -> bool {
        matches!(self.get(member), Ok(Some(Value::Bool(true))))
            || self.lenient_text(member) == Some("true")
    }

    pub(super) fn url(&self, member: &'static str) -> Result<Url, InvalidMember> {
        Url::parse(self.text(member)?).map_err(|_| InvalidMember::new(member, "is not a URL"))
    }

    /// Unix time in whole seconds. A fraction is dropped (RFC 7519 §2, `NumericDate`).
    pub(super) fn time(&self, member: &'static str) -> Result<i64, InvalidMember> {
        let value = self.required(member)?;
        let fractional = || {
            let seconds = SignedDuration::try_from_secs_f64(value.as_f64()?);
            seconds.ok().map(|seconds| seconds.as_secs())
        };
        value
            .as_i64()
            .or_else(fractional)
            .ok_or(InvalidMember::new(member, "is not a time"))
    }

    pub(super) fn optional_time(&self, member: &'static str) -> Result<Option<i64>, InvalidMember> {
        self.get(member)?.map(|_| self.time(member)).transpose()
    }

    /// The entries of a list of objects.
    pub(super) fn objects(&self, member: &'static str) -> Result<&[Value], InvalidMember> {
        let list = self.required(member)?.as_array();
        list.map(Vec::as_slice)
            .ok_or(InvalidMember::new(member, "is not a list"))
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Members::default();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if members.values.insert(name.clone(), value).is_some() {
                        members.repeated.insert(name);
                    }
                }
                Ok(members)
            }
        }

        json.deserialize_map(MembersVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(json: &str) -> Members {
        Members::parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn json_other_than_one_object_has_no_members() {
        for json in ["", "[]", "\"a\"", "{}x", "{", "null", "{\"a\":\"\\ud800\"}"] {
            assert!(Members::parse(json.as_bytes()).is_none(), "{json}");
        }
    }

    #[test]
    fn repeated_member_is_invalid_only_when_read() {
        let members = members(r#"{"iss":"a","iss":"b","aud":"c"}"#);
        assert_eq!(
            members.text("iss").unwrap_err().to_string(),
            "iss occurs twice"
        );
        assert_eq!(members.lenient_text("iss"), None);
        assert_eq!(members.text("aud").unwrap(), "c");
    }

    #[test]
    fn time_is_a_number_with_any_fraction() {
        for (json, expected) in [
            ("1700000000", Some(1_700_000_000)),
            ("1.7e9", Some(1_700_000_000)),
            ("1700000000.0", Some(1_700_000_000)),
            ("1700000000.9", Some(1_700_000_000)),
            ("-1", Some(-1)),
            ("\"1700000000\"", None),
            ("1e300", None),
            ("true", None),
            ("null", None),
            ("[1700000000]", None),
        ] {
            let time = members(&format!("{{\"exp\":{json}}}")).time("exp").ok();
            assert_eq!(time, expected, "{json}");
        }
    }

    #[test]
    fn only_true_and_its_string_are_true() {
        for (json, expected) in [
            ("true", true),
            ("\"true\"", true),
            ("false", false),
            ("\"false\"", false),
            ("\"True\"", false),
            ("\"\"", false),
            ("1", false),
            ("null", false),
            ("[true]", false),
            ("{}", false),
        ] {
            let members = members(&format!("{{\"email_verified\":{json}}}"));
            assert_eq!(members.is_true("email_verified"), expected, "{json}");
        }
        assert!(!members("{}").is_true("email_verified"));
    }
}
