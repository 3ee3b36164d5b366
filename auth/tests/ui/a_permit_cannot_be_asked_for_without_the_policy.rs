use auth::{Actor, Permit, auth::ManageAccounts};

fn forge(actor: Actor) -> Permit<ManageAccounts> {
    Permit::new(actor, ())
}

fn main() {}
