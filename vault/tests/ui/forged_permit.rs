use auth::{Actor, Permit, Realm};
use vault::action::Override;

fn make(actor: Actor, realm: Realm) -> Permit<Override> {
    Permit::new(actor, realm)
}

fn keep(permit: &Permit<Override>) -> Permit<Override> {
    permit.clone()
}

fn main() {}
