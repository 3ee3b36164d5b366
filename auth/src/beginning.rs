//! Every way in ends here: a session begins for somebody who has proved who they are.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    Account, Auth, AuthError, AuthStore, Caller, Grants, Methods, Notice, Origin, RealmId, Session,
    SessionId, SessionKind, Token, TokenKind,
    access::LEEWAY,
    clock,
    directory::Rights,
    policy::{Age, Proof, Restriction, Via},
    store::{Arrival, Familiarity},
};

/// A session about to begin.
#[derive(Clone, Debug)]
pub(crate) struct Beginning {
    /// Unless it is a new one.
    pub(crate) id: Option<SessionId>,
    pub(crate) kind: SessionKind,
    /// When its owner proved who they are, unless that is now.
    pub(crate) auth_time: Option<Timestamp>,
    pub(crate) methods: Methods,
    pub(crate) grants: Grants,
    /// Where it is good; `None` for everywhere.
    pub(crate) realms: Option<Arc<[RealmId]>>,
    pub(crate) label: Option<String>,
    pub(crate) client: Option<String>,
    /// Unless it is as long as that of any session.
    pub(crate) lifetime: Option<Duration>,
    pub(crate) from: Origin,
}

impl Beginning {
    /// Of somebody who signed in themself, for everything they may do.
    pub(crate) fn in_person(kind: SessionKind, methods: Methods, from: Origin) -> Self {
        Self {
            id: None,
            kind,
            auth_time: None,
            methods,
            grants: Grants::ALL,
            realms: None,
            label: None,
            client: None,
            lifetime: None,
            from,
        }
    }
}

/// One letter a sign-in, about what is strangest.
fn notice(arrival: &Arrival) -> Option<Notice> {
    match arrival {
        _ if arrival.is_after_many_refusals() => Some(Notice::InAfterRefusals),
        Arrival {
            place: Familiarity::New,
            ..
        } => Some(Notice::NewDevice),
        _ => arrival.is_after_long().then_some(Notice::InAfterLong),
    }
}

impl<S: AuthStore> Auth<S> {
    /// The secret is a refresh token or a cookie, by the session's kind. `account` is as it was read before anything was
    /// proved: where it was disabled since, or everything of it was thrown out, nothing begins.
    pub(crate) async fn begin(
        &self,
        account: &Account,
        beginning: Beginning,
    ) -> Result<Option<(Session, Token)>, AuthError> {
        let now = self.0.clock.now();
        let kind = match beginning.kind {
            SessionKind::Tokens => TokenKind::Refresh,
            SessionKind::Web => TokenKind::Cookie,
            SessionKind::Personal => TokenKind::Personal,
        };
        let secret = Token::random(kind, &self.0.chance);
        let user_agent = beginning
            .from
            .user_agent
            .as_deref()
            .map(|agent| agent.chars().take(256).collect());
        let session = Session {
            id: beginning
                .id
                .unwrap_or_else(|| SessionId::random(&self.0.chance)),
            username: account.username.clone(),
            kind: beginning.kind,
            auth_time: beginning.auth_time.unwrap_or(now),
            last_seen: now,
            expires_at: clock::after(now, beginning.lifetime.unwrap_or(self.0.settings.absolute)),
            origin: Origin {
                user_agent,
                ..beginning.from
            },
            ended_at: None,
            methods: beginning.methods,
            grants: beginning.grants,
            realms: beginning.realms,
            label: beginning.label,
            client: beginning.client,
        };
        let mark = self.0.directory.mark();
        let started = self
            .0
            .store
            .start_session(session.clone(), secret.hash(), account.era)
            .await?;
        let Some(arrival) = started else {
            return Ok(None);
        };
        let (kind, method) = (session.kind.as_str(), session.methods.to_string());
        metrics::counter!("strongroom_sessions_begun_total", "kind" => kind, "method" => method)
            .increment(1);
        if let Some(notice) = notice(&arrival) {
            self.notify(account, notice, &session.origin);
        }
        self.0.directory.learn_session(mark, session.clone());
        Ok(Some((session, secret)))
    }

    /// Whoever a live session makes of a request.
    pub(crate) fn caller_of(&self, rights: Arc<Rights>, session: Arc<Session>, via: Via) -> Caller {
        let rules = self.0.settings.step_up;
        let now = self.0.clock.now();
        // A clock that was set back must not lengthen it by as much.
        let is_recent = now < clock::after(session.auth_time, rules.within)
            && session.auth_time <= clock::after(now, LEEWAY);
        // Who has a second factor has shown it, or is none to change how one signs in.
        let is_whole = !rights.factors.is_enrolled() || session.methods.is_multi_factor();
        let age = if is_recent && is_whole {
            Age::Recent
        } else {
            Age::Old
        };
        let restriction = self.restriction(&rights, &session);
        Caller::new(
            rights,
            session,
            via,
            Proof {
                age,
                rules,
                restriction,
            },
        )
    }

    /// What is due where the installation asks this account for a second factor. A personal access token stands for
    /// a session that had one; it is good again once its owner has.
    fn restriction(&self, rights: &Rights, session: &Session) -> Option<Restriction> {
        let has_one = match session.kind {
            SessionKind::Personal => rights.factors.is_enrolled(),
            SessionKind::Tokens | SessionKind::Web => session.methods.is_multi_factor(),
        };
        (self.enforces_second_factor(&rights.account) && !has_one).then_some(Restriction::Enrol)
    }
}
