use vault::{Vault, blob::UploadedBlob, vault::StoredContent};

fn content(blob: UploadedBlob) -> StoredContent {
    StoredContent(blob)
}

fn store<S, B>(vault: Vault<S, B>) -> S {
    vault.core.store
}

fn main() {}
