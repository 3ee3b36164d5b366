//! Files, locks, history, git and audit of the first version's data folder.

use auth::{Clock, audit::Chain};
use serde_json::{Value, json};
use server::{Config, audit_checkpoint::AuditCheckpoint, installation::Installation};
use store::ChainStatus;
use vault::{
    VaultStore as _,
    verify::{self, Summary},
};

use super::upgraded;
use crate::app::file_url;

/// Opens the data folder beside the server, as the commands do.
async fn open(config: &Config) -> Installation {
    let now = "2026-11-30T13:00:00Z".parse().unwrap();
    server::installation::open(config, Clock::from_fn(move || now))
        .await
        .unwrap()
}

/// Errors that `strongroom verify` finds in content, rows and git, and what it read.
async fn findings(config: &Config) -> (Vec<String>, Summary) {
    let opened = open(config).await;
    let mut wrong = Vec::new();
    let repositories = config.data.join("vaults");
    let summary = verify::verify(&opened.store, &opened.blobs, &repositories, |finding| {
        if finding.is_error() {
            wrong.push(finding.to_string());
        }
    });
    let summary = summary.await.unwrap();
    (wrong, summary)
}

/// The number of entries of each audit chain, all of them intact.
async fn audit_entries(config: &Config) -> Vec<i64> {
    let opened = open(config).await;
    let checkpoint = AuditCheckpoint::open(config).unwrap();
    assert_eq!(checkpoint.missing_entries(&opened.store).await.unwrap(), []);
    let mut chains = vec![Chain::Accounts];
    let vaults = opened.store.vaults().await.unwrap();
    chains.extend(vaults.into_iter().map(|vault| Chain::Realm(vault.id)));
    let mut entries = Vec::new();
    for chain in chains {
        match opened.store.verify_audit(&chain).await.unwrap() {
            ChainStatus::Intact { entries: intact } => entries.push(intact),
            ChainStatus::Broken { at } => {
                panic!("entry {at} of {chain:?} has changed since it was written")
            }
        }
    }
    entries
}

upgraded! {
    async fn old_audit_chains_verify(old: Upgraded) {
        let before = audit_entries(&old.config()).await;
        assert_eq!(before.len(), 3);
        let rows = old.secrets["rows"]["audit"].as_i64().unwrap();
        assert!(before.iter().sum::<i64>() >= rows, "{before:?}");
        old.app.sign_in("eve").await;
        let after = audit_entries(&old.config()).await;
        assert!(after[0] > before[0], "the chain goes on: {after:?}");
    }

    async fn old_content_rows_and_git_verify(old: Upgraded) {
        let (wrong, summary) = findings(&old.config()).await;
        assert!(wrong.is_empty(), "{wrong:#?}");
        let rows = |table: &str| old.secrets["rows"][table].as_u64().unwrap();
        assert_eq!(
            (summary.vaults, summary.changes),
            (rows("vaults"), rows("commits"))
        );
        assert_eq!(summary.blobs, rows("blobs"));
    }

    async fn old_revisions_are_read(old: Upgraded) {
        let root = old.resume("root").await;
        let contents = old.secrets["contents"].as_object().unwrap();
        assert!(contents.len() > 3);
        for (path, content) in contents {
            let read = root.get(path).await.expect_status(200);
            assert_eq!(&json!(read.text), content, "{path}");
        }
    }

    async fn old_files_are_found_and_sorted(old: Upgraded) {
        let root = old.resume("root").await;
        let found = root.get("/api/files?q=OP10+mill").await.expect_status(200).body;
        assert_eq!(found[0]["filename"], "mill/op10.nc");
        let by_key = root.get("/api/files").await.expect_status(200).body;
        let by_name = root.get("/api/files?sort=name").await.expect_status(200).body;
        let count = by_key.as_array().unwrap().len();
        assert!(count > 3, "{count} files");
        assert_eq!(by_name.as_array().unwrap().len(), count);
    }

    async fn an_old_lock_is_its_holders(old: Upgraded) {
        let (ada, eve) = (old.resume("ada").await, old.app.sign_in("eve").await);
        let name = "mill/op10.nc";
        let lock = ada.get(&file_url(name, "")).await.expect_status(200).body;
        assert_eq!(
            (&lock["status"], &lock["lock_note"]),
            (&json!("checked_out_by_user"), &json!("until Friday"))
        );
        let seen = eve.get(&file_url(name, "")).await.expect_status(200).body;
        assert_eq!(
            (&seen["status"], &seen["locked_by"]),
            (&json!("locked"), &json!("ada"))
        );
        eve.check_out(name)
            .await
            .expect_status(409)
            .expect_detail("File is already locked by ada");
        eve.check_in(name, b"not mine", "x").await.expect_status(403);
        ada.check_in(name, b"after the upgrade", "deeper")
            .await
            .expect_status(200);
        assert_eq!(eve.content(name).await, b"after the upgrade");
    }

    async fn a_change_repeated_after_the_upgrade_happens_once(old: Upgraded) {
        let ada = old.resume("ada").await;
        let once = &old.secrets["idempotent"];
        let again = ada
            .post_request(once["path"].as_str().unwrap())
            .header("Idempotency-Key", once["key"].as_str().unwrap());
        assert_eq!(ada.send(again).await.expect_status(200).body, once["answer"]);
        assert_eq!(
            ada.get(&file_url("broken.nc", "")).await.expect_status(200).body["locked_by"],
            Value::Null
        );
    }

    async fn changes_after_the_upgrade_verify(old: Upgraded) {
        let (ada, root) = (old.resume("ada").await, old.resume("root").await);
        ada.check_in("mill/op10.nc", b"two", "deeper").await.expect_status(200);
        ada.add("fixtures/new.step", b"new").await.expect_status(201);
        ada.post(
            &file_url("fixtures/vise.step", "/move"),
            json!({"to": "vise.step"}),
        )
        .await
        .expect_status(200);
        ada.post(&file_url("scrap.nc", "/restore"), json!({"revision": 1}))
            .await
            .expect_status(200);
        root.send(root.delete_request(&file_url("back.nc", ""))).await.expect_status(204);
        let history = ada.get(&file_url("vise.step", "/history")).await.expect_status(200).body;
        assert!(history.as_array().unwrap().len() > 3, "{history}");
        let config = old.config();
        old.app.running.stop().await.unwrap();
        let (wrong, _) = findings(&config).await;
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!(audit_entries(&config).await.len(), 3);
    }
}
