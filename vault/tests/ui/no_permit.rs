use vault::{BlobStore, Filename, Vault, VaultStore};

async fn check_out<S: VaultStore, B: BlobStore>(vault: &Vault<S, B>, name: &Filename) {
    let _ = vault.check_out(name, None, None).await;
}

fn main() {}
