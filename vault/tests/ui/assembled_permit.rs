use auth::{Actor, Permit, Realm};
use vault::action::Override;

fn assemble(actor: Actor, realm: Realm) -> Permit<Override> {
    Permit { actor, target: realm }
}

fn main() {}
