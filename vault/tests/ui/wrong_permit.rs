use auth::Permit;
use vault::{BlobStore, Filename, UserText, Vault, VaultStore, action::{CheckIn, Read}};

async fn check_out<S: VaultStore, B: BlobStore>(vault: &Vault<S, B>, permit: &Permit<Read>, name: &Filename) {
    let _ = vault.check_out(permit, name, None, None).await;
}

async fn delete<S: VaultStore, B: BlobStore>(vault: &Vault<S, B>, permit: &Permit<CheckIn>, name: &Filename) {
    let _ = vault.delete(permit, name, UserText::empty(), None).await;
}

fn main() {}
