use auth::{Actor, Permit, service::ManageAccounts};

fn forge(actor: Actor) -> Permit<ManageAccounts> {
    Permit { actor, place: () }
}

fn main() {}
