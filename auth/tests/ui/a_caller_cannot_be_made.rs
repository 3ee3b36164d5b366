use std::sync::Arc;

use auth::{Caller, Session, directory::Rights, policy::Via};

fn forge(rights: Arc<Rights>, session: Arc<Session>) -> Caller {
    Caller { rights, session, via: Via::Bearer }
}

fn main() {}
