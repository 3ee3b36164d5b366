use std::sync::Arc;

use auth::{Caller, Session, access::policy::AuthVia, session::cache::Rights};

fn forge(rights: Arc<Rights>, session: Arc<Session>) -> Caller {
    Caller { rights, session, via: AuthVia::Bearer }
}

fn main() {}
