use auth::StoreUnavailable;

use super::*;

#[test]
fn full_disk_is_507_with_one_sentence() {
    let full = [
        Problem::Vault(VaultError::DiskFull),
        Problem::Vault(StoreUnavailable::disk_full().into()),
        Problem::Auth(StoreUnavailable::disk_full().into()),
    ];
    for problem in full {
        assert_eq!(problem.status(), StatusCode::INSUFFICIENT_STORAGE);
        assert_eq!(problem.detail(), "The disk is full. Nothing has changed.");
        assert_eq!(problem.retry_after(), None);
    }
}

#[test]
fn refusing_store_is_503_with_retry_after() {
    let read_only = io::Error::from(io::ErrorKind::ReadOnlyFilesystem);
    let refusing = [
        Problem::Vault(VaultError::Io(read_only)),
        Problem::Vault(StoreUnavailable::from_source("hunter2").into()),
        Problem::Auth(StoreUnavailable::from_source("hunter2").into()),
        Problem::NotReady,
    ];
    for problem in refusing {
        assert_eq!(problem.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(problem.retry_after(), Some(Duration::from_secs(1)));
        assert!(!problem.detail().contains("hunter2"));
    }
}
