use auth::{Actor, Permit, actions::ManageAccounts};

fn forge(actor: Actor) -> Permit<ManageAccounts> {
    Permit::new(actor, ())
}

fn main() {}
