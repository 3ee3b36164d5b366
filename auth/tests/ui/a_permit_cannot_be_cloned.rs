use auth::{Permit, auth::ManageAccounts};

fn keep(permit: &Permit<ManageAccounts>) -> Permit<ManageAccounts> {
    permit.clone()
}

fn main() {}
