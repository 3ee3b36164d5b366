use vault::{Blob, Vault, vault::Received};

fn content(blob: Blob) -> Received {
    Received(blob)
}

fn store<S, B>(vault: Vault<S, B>) -> S {
    vault.keeper.store
}

fn main() {}
