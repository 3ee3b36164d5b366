//! The details of an audit entry: a JSON object with the same members for every action.

use serde_json::{Map, Value, json};

use crate::{Actor, ActorVia, Origin};

/// ```json
/// {"by": {"kind": "personal", "session": "9f…", "label": "backup"},
///  "from": {"address": "192.0.2.1", "user_agent": "curl/8"},
///  "before": {"role": "viewer"}, "after": {"role": "editor"},
///  "reason": "…", "facts": {"realm": "…"}}
/// ```
/// Unknown members are omitted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditDetail {
    pub for_actor: Option<OnBehalfOf>,
    pub from: Option<AuditOrigin>,
    /// The old state, as an object of the members that changed.
    pub before: Option<Value>,
    pub after: Option<Value>,
    /// The reason: free text of a user, or a fixed word.
    pub reason: Option<String>,
    pub facts: Map<String, Value>,
}

/// The session or token behind the actor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnBehalfOf {
    /// `web`, `tokens`, `personal`, `console`.
    pub kind: String,
    pub session: Option<String>,
    pub label: Option<String>,
}

/// The address and user agent of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditOrigin {
    pub address: String,
    pub user_agent: Option<String>,
}

impl AuditOrigin {
    #[must_use]
    pub fn of(origin: &Origin) -> Self {
        Self {
            address: origin.address.to_string(),
            user_agent: origin.user_agent.clone(),
        }
    }
}

impl OnBehalfOf {
    fn of(via: &ActorVia) -> Self {
        let (session, label) = match via {
            ActorVia::Console => (None, None),
            ActorVia::Session { id, label, .. } => (Some(id.as_str().to_owned()), label.clone()),
        };
        Self {
            kind: via.kind().to_owned(),
            session,
            label,
        }
    }
}

impl AuditDetail {
    #[must_use]
    pub fn by(actor: &Actor) -> Self {
        Self {
            for_actor: actor.via.as_ref().map(OnBehalfOf::of),
            from: actor.origin.as_ref().map(AuditOrigin::of),
            ..Self::default()
        }
    }

    /// Both are objects. Members with equal values are omitted.
    #[must_use]
    pub fn change(mut self, before: Value, after: Value) -> Self {
        let (mut before, mut after) = (object(before), object(after));
        before.retain(|name, value| {
            let same = after.get(name) == Some(value);
            if same {
                after.remove(name);
            }
            !same
        });
        // A member that is null before and absent afterwards has not changed.
        before.retain(|name, value| !value.is_null() || after.contains_key(name));
        after.retain(|name, value| !value.is_null() || before.contains_key(name));
        self.before = (!before.is_empty()).then_some(Value::Object(before));
        self.after = (!after.is_empty()).then_some(Value::Object(after));
        self
    }

    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Null is omitted.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        if !value.is_null() {
            self.facts.insert(name.to_owned(), value);
        }
        self
    }

    /// The stored and exported form.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let by = self.for_actor.as_ref().map(|by| {
            members([
                ("kind", Some(by.kind.clone().into())),
                ("session", by.session.clone().map(Value::from)),
                ("label", by.label.clone().map(Value::from)),
            ])
        });
        let from = self.from.as_ref().map(|from| {
            members([
                ("address", Some(from.address.clone().into())),
                ("user_agent", from.user_agent.clone().map(Value::from)),
            ])
        });
        members([
            ("by", by),
            ("from", from),
            ("before", self.before.clone()),
            ("after", self.after.clone()),
            ("reason", self.reason.clone().map(Value::from)),
            (
                "facts",
                (!self.facts.is_empty()).then(|| Value::Object(self.facts.clone())),
            ),
        ])
    }

    /// Parses the output of [`to_json`](Self::to_json). Unknown members become facts.
    #[must_use]
    pub fn from_json(json: Value) -> Self {
        let mut rest = object(json);
        let mut take = |name: &str| rest.remove(name);
        let for_actor = take("by").map(object).map(|by| OnBehalfOf {
            kind: text(&by, "kind").unwrap_or_default(),
            session: text(&by, "session"),
            label: text(&by, "label"),
        });
        let from = take("from").map(object).map(|from| AuditOrigin {
            address: text(&from, "address").unwrap_or_default(),
            user_agent: text(&from, "user_agent"),
        });
        let (before, after) = (take("before"), take("after"));
        let reason = take("reason").and_then(|reason| reason.as_str().map(ToOwned::to_owned));
        let mut facts = take("facts").map(object).unwrap_or_default();
        facts.append(&mut rest);
        Self {
            for_actor,
            from,
            before,
            after,
            reason,
            facts,
        }
    }
}

fn members<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let known = members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(known.collect())
}

fn object(json: Value) -> Map<String, Value> {
    match json {
        Value::Object(members) => members,
        Value::Null => Map::new(),
        other => object(json!({ "value": other })),
    }
}

fn text(object: &Map<String, Value>, name: &str) -> Option<String> {
    object
        .get(name)
        .and_then(Value::as_str)
        .map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SessionId, SessionKind, Username};

    #[test]
    fn audit_detail_round_trips_through_json() {
        let origin = Origin {
            address: "192.0.2.1".parse().unwrap(),
            user_agent: Some("curl/8".to_owned()),
            device: None,
        };
        let id = SessionId::new("9f");
        let means = ActorVia::Session {
            id,
            kind: SessionKind::Personal,
            label: Some("backup".to_owned()),
        };
        let actor = Actor {
            via: Some(means),
            ..Actor::new(Username::parse("ada").unwrap())
        };
        let detail = AuditDetail::by(&actor.with_origin(&origin))
            .change(
                json!({"role": "viewer", "same": 1}),
                json!({"role": "editor", "same": 1}),
            )
            .reason("asked for")
            .with("realm", "r1")
            .with("nothing", Value::Null);
        let json = detail.to_json();
        assert_eq!(
            json,
            json!({
                "by": {"kind": "personal", "session": "9f", "label": "backup"},
                "from": {"address": "192.0.2.1", "user_agent": "curl/8"},
                "before": {"role": "viewer"}, "after": {"role": "editor"},
                "reason": "asked for", "facts": {"realm": "r1"},
            })
        );
        assert_eq!(AuditDetail::from_json(json), detail);
    }

    #[test]
    fn audit_details_in_older_formats_are_readable() {
        let old = AuditDetail::from_json(json!({"outcome": "signed_in", "session": "9f"}));
        assert_eq!(old.facts["outcome"], "signed_in");
        assert_eq!(
            AuditDetail::from_json(json!([1])).facts["value"],
            json!([1])
        );
        assert_eq!(AuditDetail::from_json(Value::Null), AuditDetail::default());
    }
}
