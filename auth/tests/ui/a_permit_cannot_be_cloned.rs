use auth::{Permit, service::ManageAccounts};

fn keep(permit: &Permit<ManageAccounts>) -> Permit<ManageAccounts> {
    permit.clone()
}

fn main() {}
