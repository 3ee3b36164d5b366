use std::sync::Arc;

use auth::{Caller, Session, access::policy::Via, session::cache::Rights};

fn forge(rights: Arc<Rights>, session: Arc<Session>) -> Caller {
    Caller { rights, session, via: Via::Bearer }
}

fn main() {}
