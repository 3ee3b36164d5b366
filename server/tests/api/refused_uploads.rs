//! The content of a refused upload does not stay on the disk.

use std::{path::PathBuf, time::Duration};

use aws_lc_rs::digest;
use reqwest::multipart::{Form, Part};

use crate::{
    app::{Client, TestApp, file_url},
    both,
};

fn object(app: &TestApp, content: &[u8]) -> PathBuf {
    let id = hex::encode(digest::digest(&digest::SHA256, content));
    let objects = app.data.path().join("vaults/main.git/lfs/objects");
    objects.join(&id[..2]).join(&id[2..4]).join(&id)
}

/// An add with an `Idempotency-Key`, which is checked after its content is stored.
async fn add_with_key(client: &Client, name: &str, content: &'static [u8]) -> u16 {
    let form = Form::new().part("file", Part::bytes(content).file_name("upload"));
    let request = client
        .put_request(&file_url(name, "/content"))
        .header("Idempotency-Key", format!("{name}-{}", content.len()));
    client.send(request.multipart(form)).await.status()
}

both! {
    async fn refused_upload_with_key_is_collected_next_day(app: TestApp) {
        let ada = app.editor("ada").await;
        ada.add("vise.step", b"named").await.expect_status(201);
        assert_eq!(add_with_key(&ada, "vise.step", b"refused").await, 409);
        assert_eq!(add_with_key(&ada, "vise.step", b"named later").await, 409);
        assert!(object(&app, b"refused").exists());
        app.advance_clock(Duration::from_hours(23));
        assert_eq!(app.running.vault.collect_refused_uploads().await.unwrap(), 0);
        let ada = app.sign_in("ada").await;
        assert_eq!(add_with_key(&ada, "jaw.step", b"named later").await, 201);
        app.advance_clock(Duration::from_hours(2));
        assert_eq!(app.running.vault.collect_refused_uploads().await.unwrap(), 1);
        assert!(!object(&app, b"refused").exists());
        let ada = app.sign_in("ada").await;
        assert_eq!(ada.content("vise.step").await, b"named");
        assert_eq!(ada.content("jaw.step").await, b"named later");
        assert_eq!(add_with_key(&ada, "new.step", b"refused").await, 201);
        assert_eq!(ada.content("new.step").await, b"refused");
    }
}
