use vault::{Blob, Vault, vault::StoredContent};

fn content(blob: Blob) -> StoredContent {
    StoredContent(blob)
}

fn store<S, B>(vault: Vault<S, B>) -> S {
    vault.core.store
}

fn main() {}
