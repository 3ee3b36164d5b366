use auth::{Permit, actions::{ManageAccounts, ManageMembers}};

fn accounts(_: &Permit<ManageAccounts>) {}

fn members(permit: &Permit<ManageMembers>) {
    accounts(permit);
}

fn main() {}
