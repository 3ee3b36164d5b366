use auth::{Permit, actions::ManageAccounts};

fn keep(permit: &Permit<ManageAccounts>) -> Permit<ManageAccounts> {
    permit.clone()
}

fn main() {}
