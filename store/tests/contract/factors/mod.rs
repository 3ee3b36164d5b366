//! Second factors: single use of steps and codes, the last required factor, the end of other
//! sessions.

mod changes;
mod consumption;
mod rows;

use auth::{
    AuthMethods, Factor, FactorId, FactorKind, SessionId,
    audit::AuditAction,
    store::{FactorChange, FactorStore as _, MinimumFactors, Removal, StepUpRenewal},
};
use serde_json::json;
use store::{Store, testing::TestDatabase};

use crate::builders::{actor, epoch_of, register, timestamp, user};

async fn step_up_renewal(
    db: &TestDatabase,
    by: &str,
    session: &SessionId,
    methods: AuthMethods,
    at: i64,
) -> StepUpRenewal {
    let epoch = epoch_of(&db.store, by).await;
    StepUpRenewal {
        by: actor(by),
        epoch,
        session: session.clone(),
        methods,
        at: timestamp(at),
    }
}

fn factor(id: &str, of: &str, kind: FactorKind) -> Factor {
    Factor {
        id: FactorId::new(id),
        username: user(of),
        kind,
        name: format!("{id} of {of}"),
        body: format!("body of {id}"),
        counter: 7,
        created_at: timestamp(1),
        last_used_at: None,
        used_at: None,
    }
}

fn factor_addition(of: &str, add: Vec<Factor>) -> FactorChange {
    FactorChange {
        username: user(of),
        remove: Removal::Nothing,
        add,
        minimum: MinimumFactors::None,
        keep: None,
        unlink_identities: false,
        by: actor(of),
        action: AuditAction::FactorAdded,
        detail: json!({}),
        at: timestamp(2),
    }
}

fn factor_removal(of: &str, id: &str, minimum: MinimumFactors) -> FactorChange {
    let remove = Removal::One(FactorId::new(id));
    FactorChange {
        remove,
        minimum,
        action: AuditAction::FactorRemoved,
        ..factor_addition(of, Vec::new())
    }
}

async fn account_with_totp(store: &Store) -> Factor {
    register(store, &["ada"]).await;
    let app = factor("app", "ada", FactorKind::Totp);
    store
        .change_factors(factor_addition("ada", vec![app.clone()]))
        .await
        .unwrap();
    app
}
