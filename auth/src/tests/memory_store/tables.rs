//! Operations on the tables: end, rotate, insert.

use super::*;

impl Tables {
    pub(crate) fn member(&self, username: &Username) -> Option<Member> {
        let (credentials, roles) = self.accounts.get(username)?;
        let (account, factors) = (credentials.account.clone(), self.factor_kinds(username));
        let roles = roles.clone().into_iter().collect();
        Some(Member {
            account,
            roles,
            groups: self.memberships(username),
            factors,
            last_seen: None,
            last_sign_in: None,
        })
    }

    pub(crate) fn insert(&mut self, new: NewAccount, roles: Vec<(RealmId, Role)>) -> InsertResult {
        if self.accounts.contains_key(&new.username) || new.username == Actor::console().username {
            return InsertResult::Duplicate;
        }
        let NewAccount {
            username,
            display_name,
            email,
            email_verified,
            password,
            administrator,
            created_at,
        } = new;
        let standing = AccountStatus::Active;
        self.throttles.reset_counts(&username);
        let account = Account {
            username: username.clone(),
            display_name,
            email,
            email_verified,
            status: standing,
            administrator,
            created_at,
            must_change_password: false,
            epoch: SecurityEpoch::default(),
        };
        self.accounts.insert(
            username,
            (
                Credentials { account, password },
                roles.into_iter().collect(),
            ),
        );
        InsertResult::Inserted
    }

    pub(crate) fn delete_resets(&mut self, of: &Username) {
        self.one_time_tokens.retain(|token| {
            token.kind != OneTimeKind::Reset || token.username.as_ref() != Some(of)
        });
    }

    pub(crate) fn administrators(&self) -> usize {
        let in_charge =
            |account: &Account| account.administrator && account.status == AccountStatus::Active;
        self.accounts
            .values()
            .filter(|(credentials, _)| in_charge(&credentials.account))
            .count()
    }

    pub(crate) fn end_sessions(
        &mut self,
        username: &Username,
        at: Timestamp,
        which: impl Fn(&SessionId) -> bool,
    ) -> u64 {
        let theirs = self
            .sessions
            .values_mut()
            .filter(|s| s.username == *username && s.ended_at.is_none());
        let mut ended = 0;
        for session in theirs.filter(|session| which(&session.id)) {
            session.ended_at = Some(at);
            ended += 1;
        }
        self.events.push(username.clone());
        ended
    }

    /// Ends all sessions but `keep`, and bumps the epoch, which voids pending flows.
    pub(crate) fn revoke_all(
        &mut self,
        username: &Username,
        at: Timestamp,
        keep: Option<&SessionId>,
    ) -> u64 {
        self.one_time_tokens.retain(|token| {
            token.kind != OneTimeKind::Invitation || token.username.as_ref() != Some(username)
        });
        self.bump_epoch(username, at);
        self.end_sessions(username, at, |id| Some(id) != keep)
    }

    pub(crate) fn bump_epoch(&mut self, username: &Username, at: Timestamp) {
        if let Some((credentials, _)) = self.accounts.get_mut(username) {
            credentials.account.epoch = credentials.account.epoch.bump(at);
        }
    }

    pub(crate) fn rotate(&mut self, rotate: RefreshRotation) -> Rotation {
        let Some(old) = self.refresh.get(&rotate.old).cloned() else {
            return Rotation::Invalid;
        };
        let Some(session) = self.sessions.get_mut(&old.session) else {
            return Rotation::Invalid;
        };
        let over = session.ended_at.is_some() || session.expires_at <= rotate.at;
        if over || session.last_seen < rotate.idle_since {
            return Rotation::Invalid;
        }
        let fresh = RefreshRow {
            session: old.session.clone(),
            used_at: None,
            successor: None,
        };
        let Some(used_at) = old.used_at else {
            session.last_seen = rotate.at;
            let session = session.clone();
            let used = RefreshRow {
                used_at: Some(rotate.at),
                successor: Some(rotate.new.clone()),
                ..old
            };
            self.refresh.insert(rotate.old, used);
            self.refresh.insert(rotate.new, fresh);
            return Rotation::Rotated(session);
        };
        let session = session.clone();
        let unused = old
            .successor
            .as_ref()
            .filter(|next| self.refresh[*next].used_at.is_none());
        if let (Some(successor), true) = (unused.cloned(), used_at >= rotate.grace_since) {
            let displaced = RefreshRow {
                used_at: Some(rotate.at),
                ..fresh.clone()
            };
            self.refresh.insert(successor, displaced);
            self.refresh.insert(
                rotate.old,
                RefreshRow {
                    successor: Some(rotate.new.clone()),
                    ..old
                },
            );
            self.refresh.insert(rotate.new, fresh);
            return Rotation::Retried(session);
        }
        self.end_sessions(&session.username, rotate.at, |id| *id == session.id);
        Rotation::Replayed(session)
    }
}
