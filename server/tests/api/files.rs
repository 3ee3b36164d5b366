//! Files, locks and revisions.

use serde_json::{Value, json};

use crate::{app::file_url, both};

both! {
    async fn file_life_cycle_over_the_api_works(app: TestApp) {
        let (ada, bob) = (app.editor("ada").await, app.editor("bob").await);
        let added = ada.add("fixtures/vise.step", b"one").await.expect_status(201);
        assert_eq!(added.body["revision"], 1);
        assert_eq!(added.body["status"], "unlocked");

        let taken = ada.check_out("fixtures/vise.step").await.expect_status(200);
        assert_eq!(taken.body["status"], "checked_out_by_user");
        bob.check_out("fixtures/vise.step").await.expect_status(409).expect_detail("File is already locked by ada");
        assert_eq!(bob.get(&file_url("fixtures/vise.step", "")).await.expect_status(200).body["status"], "locked");
        bob.check_in("fixtures/vise.step", b"x", "mine").await.expect_status(403);
        bob.post(&file_url("fixtures/vise.step", "/cancel"), Value::Null).await.expect_status(403);

        let in_again = ada.check_in("fixtures/vise.step", b"two", "Jaws 2 mm wider").await.expect_status(200);
        assert_eq!((&in_again.body["revision"], &in_again.body["change"]), (&json!(2), &json!(2)));
        assert_eq!(in_again.body["locked_by"], Value::Null);
        ada.check_in("fixtures/vise.step", b"three", "again").await.expect_status(409)
            .expect_detail("File must be checked out to check in");
        ada.post(&file_url("fixtures/vise.step", "/cancel"), Value::Null).await.expect_status(409)
            .expect_detail("File is not currently locked");

        let history = bob.get(&file_url("fixtures/vise.step", "/history")).await.expect_status(200).body;
        assert_eq!(history[0]["comment"], "Jaws 2 mm wider");
        assert_eq!(history[0]["user"], "ada");
        assert_eq!(history[1]["kind"], "added");
        assert_eq!(bob.content("fixtures/vise.step").await, b"two");
        assert_eq!(bob.content("fixtures/vise.step").await.len(), 3);
    }

    async fn old_revision_can_be_read_and_restored(app: TestApp) {
        let ada = app.editor("ada").await;
        ada.add("a.nc", b"one").await.expect_status(201);
        ada.check_out("a.nc").await.expect_status(200);
        ada.check_in("a.nc", b"two", "second").await.expect_status(200);
        let old = ada.get_request(&file_url("a.nc", "/content?revision=1")).send().await.unwrap();
        assert_eq!(old.bytes().await.unwrap(), "one");
        let restored = ada.post(&file_url("a.nc", "/restore"), json!({"revision": 1})).await.expect_status(200);
        assert_eq!(restored.body["revision"], 3);
        assert_eq!(ada.content("a.nc").await, b"one");
        ada.post(&file_url("a.nc", "/restore"), json!({"revision": 9})).await.expect_status(404);
    }

    async fn deleted_file_is_gone_and_can_be_restored(app: TestApp) {
        let (ada, root) = (app.editor("ada").await, app.administrator("root").await);
        ada.add("a.nc", b"one").await.expect_status(201);
        ada.send(ada.delete_request(&file_url("a.nc", ""))).await.expect_status(403);
        root.send(root.delete_request(&file_url("a.nc", "?comment=obsolete"))).await.expect_status(204);
        ada.get(&file_url("a.nc", "")).await.expect_status(404).expect_detail("File not found");
        let history = ada.get(&file_url("a.nc", "/history")).await.expect_status(200).body;
        assert_eq!((&history[0]["kind"], &history[0]["comment"]), (&json!("deleted"), &json!("obsolete")));
        let back = ada.post(&file_url("a.nc", "/restore"), json!({"revision": 1})).await.expect_status(200);
        assert_eq!(back.body["revision"], 3);
        assert_eq!(ada.content("a.nc").await, b"one");
    }

    async fn lock_override_rejects_the_old_holder(app: TestApp) {
        let (ada, root) = (app.editor("ada").await, app.administrator("root").await);
        ada.add("a.nc", b"one").await.expect_status(201);
        root.post(&file_url("a.nc", "/override"), json!({"reason": "x"})).await.expect_status(409)
            .expect_detail("File is not locked, no need to override.");
        ada.check_out("a.nc").await.expect_status(200);
        ada.post(&file_url("a.nc", "/override"), json!({"reason": "mine"})).await.expect_status(403);
        let taken = root.post(&file_url("a.nc", "/override"), json!({"reason": "on leave", "take": true})).await.expect_status(200);
        assert_eq!(taken.body["locked_by"], "root");
        ada.check_in("a.nc", b"late", "late").await.expect_status(403);
    }

    async fn moved_file_keeps_history_and_lock(app: TestApp) {
        let ada = app.editor("ada").await;
        ada.add("a.nc", b"one").await.expect_status(201);
        ada.add("b.nc", b"two").await.expect_status(201);
        ada.check_out("a.nc").await.expect_status(200);
        ada.post(&file_url("a.nc", "/move"), json!({"to": "B.nc"})).await.expect_status(409);
        let moved = ada.post(&file_url("a.nc", "/move"), json!({"to": "mill/a.nc"})).await.expect_status(200);
        assert_eq!(moved.body["locked_by"], "ada");
        ada.get(&file_url("a.nc", "")).await.expect_status(404);
        let history = ada.get(&file_url("mill/a.nc", "/history")).await.expect_status(200).body;
        assert_eq!(history.as_array().unwrap().len(), 2);
        let changes = ada.get("/api/changes").await.expect_status(200).body;
        assert_eq!((&changes[2]["moved_from"], &changes[2]["filename"]), (&json!("a.nc"), &json!("mill/a.nc")));
    }

    async fn filenames_differing_only_in_case_conflict(app: TestApp) {
        let ada = app.editor("ada").await;
        ada.add("Fixtures/Vise.step", b"one").await.expect_status(201);
        let refused = ada.add("Fixtures/vise.STEP", b"two").await.expect_status(409);
        assert!(refused.body["detail"].as_str().unwrap().contains("Fixtures/Vise.step"));
        ada.add("fixtures/other.step", b"two").await.expect_status(409);
        ada.add("Fixtures", b"two").await.expect_status(409);
        ada.add("Fixtures/Vise.step/inner", b"two").await.expect_status(409);
    }

    async fn file_list_is_paged_filtered_and_sorted(app: TestApp) {
        let (ada, bob) = (app.editor("ada").await, app.editor("bob").await);
        for name in ["b.nc", "a.nc", "mill/c.nc", "mill/d.nc", "100%_x.nc"] {
            ada.add(name, name.as_bytes()).await.expect_status(201);
        }
        ada.check_out("a.nc").await.expect_status(200);
        let names = |body: &Value| -> Vec<String> {
            body.as_array().unwrap().iter().map(|file| file["filename"].as_str().unwrap().to_owned()).collect()
        };
        let mut all = Vec::new();
        let mut next = Some("/api/files?limit=2".to_owned());
        while let Some(path) = next {
            let page = bob.get(&path).await.expect_status(200);
            all.extend(names(&page.body));
            next = page.header("link").map(|link| link[1..link.find('>').unwrap()].to_owned());
        }
        assert_eq!(all, ["100%_x.nc", "a.nc", "b.nc", "mill/c.nc", "mill/d.nc"]);
        assert_eq!(names(&bob.get("/api/files?prefix=mill/").await.expect_status(200).body), ["mill/c.nc", "mill/d.nc"]);
        assert_eq!(names(&bob.get("/api/files?q=%25_X").await.expect_status(200).body), ["100%_x.nc"]);
        assert_eq!(names(&bob.get("/api/files?status=locked").await.expect_status(200).body), ["a.nc"]);
        assert_eq!(names(&ada.get("/api/files?status=checked_out_by_user").await.expect_status(200).body), ["a.nc"]);
        assert_eq!(names(&bob.get("/api/files?status=unlocked&locked_by=ada").await.expect_status(200).body), Vec::<String>::new());
        bob.get("/api/files?limit=0").await.expect_status(422);
        bob.get("/api/files?limit=1001").await.expect_status(422);
        bob.get("/api/files?status=odd").await.expect_status(422);
    }

    async fn idempotency_key_replays_the_first_answer(app: TestApp) {
        let (ada, bob) = (app.editor("ada").await, app.editor("bob").await);
        ada.add("a.nc", b"one").await.expect_status(201);
        let out = |client: &crate::app::Client, key: &str| client.post_request(&file_url("a.nc", "/checkout")).header("Idempotency-Key", key.to_owned());
        let first = ada.send(out(&ada, "k1")).await.expect_status(200);
        ada.post(&file_url("a.nc", "/cancel"), Value::Null).await.expect_status(200);
        bob.check_out("a.nc").await.expect_status(200);
        let again = ada.send(out(&ada, "k1")).await.expect_status(200);
        assert_eq!(first.body, again.body);
        ada.send(ada.post_request(&file_url("a.nc", "/cancel")).header("Idempotency-Key", "k1")).await.expect_status(422);
        bob.send(out(&bob, "k1")).await.expect_status(409);
    }

    async fn check_in_with_stale_if_match_returns_412(app: TestApp) {
        let ada = app.editor("ada").await;
        let first = ada.add("a.nc", b"one").await.expect_status(201).body["sha256"].as_str().unwrap().to_owned();
        ada.check_out("a.nc").await.expect_status(200);
        let form = || reqwest::multipart::Form::new().text("comment", "c").text("keep_checked_out", "true")
            .part("file", reqwest::multipart::Part::bytes(b"two".to_vec()).file_name("f"));
        let send = |tag: String| ada.post_request(&file_url("a.nc", "/checkin")).header("If-Match", tag).multipart(form());
        let kept = ada.send(send(format!("\"{first}\""))).await.expect_status(200);
        assert_eq!(kept.body["status"], "checked_out_by_user");
        ada.send(send(format!("\"{first}\""))).await.expect_status(412);
        assert_eq!(ada.get(&file_url("a.nc", "")).await.expect_status(200).body["revision"], 2);
    }

    async fn content_supports_ranges_and_conditional_requests(app: TestApp) {
        let ada = app.editor("ada").await;
        let tag = format!("\"{}\"", ada.add("a.nc", b"0123456789").await.expect_status(201).body["sha256"].as_str().unwrap());
        let part = |range: &str| ada.get_request(&file_url("a.nc", "/content")).header("Range", range.to_owned());
        let middle = ada.send(part("bytes=2-4")).await.expect_status(206);
        assert_eq!((middle.text.as_str(), middle.header("content-range")), ("234", Some("bytes 2-4/10")));
        assert_eq!(ada.send(part("bytes=-3")).await.expect_status(206).text, "789");
        // A suffix longer than the file means the whole file (RFC 9110 §14.1.2). One satisfiable
        // range is enough.
        let all = ada.send(part("bytes=-99")).await.expect_status(206);
        assert_eq!((all.text.as_str(), all.header("content-range")), ("0123456789", Some("bytes 0-9/10")));
        assert_eq!(ada.send(part("bytes=8-99")).await.expect_status(206).text, "89");
        assert_eq!(ada.send(part("bytes=0-0,50-60")).await.expect_status(206).text, "0");
        assert_eq!(ada.send(part("bytes=0-0,2-3")).await.expect_status(200).text, "0123456789");
        for nothing in ["bytes=50-", "bytes=50-60,70-"] {
            ada.send(part(nothing)).await.expect_status(416);
        }
        let outside = ada.send(part("bytes=10-")).await.expect_status(416);
        assert_eq!(outside.header("content-range"), Some("bytes */10"));
        assert_eq!(ada.send(part("bytes=0-1").header("If-Range", "\"other\"")).await.expect_status(200).text, "0123456789");
        ada.send(ada.get_request(&file_url("a.nc", "/content")).header("If-None-Match", tag)).await.expect_status(304);
    }

    async fn content_is_served_as_sandboxed_attachment(app: TestApp) {
        let ada = app.editor("ada").await;
        ada.add("evil.html", b"<script>alert(1)</script>").await.expect_status(201);
        let answer = ada.get(&file_url("evil.html", "/content")).await.expect_status(200);
        assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
        assert!(answer.header("content-disposition").unwrap().starts_with("attachment;"));
        assert!(answer.header("content-security-policy").unwrap().starts_with("sandbox"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }

    async fn oversized_or_malformed_upload_stores_nothing(app: TestApp) {
        let ada = app.editor("ada").await;
        ada.add("big.bin", &vec![7; (64 << 20) + 1]).await.expect_status(413);
        ada.get(&file_url("big.bin", "")).await.expect_status(404);
        let no_file = reqwest::multipart::Form::new().text("comment", "c");
        ada.send(ada.put_request(&file_url("a.nc", "/content")).multipart(no_file)).await.expect_status(422);
        ada.send(ada.put_request(&file_url("a.nc", "/content")).body("raw")).await.expect_status(415);
        ada.send(ada.put_request(&file_url("a.nc", "/content")).header("content-type", "multipart/form-data; boundary=x").body("--x\r\nbroken")).await.expect_status(422);
        assert_eq!(ada.get("/api/files").await.expect_status(200).body, json!([]));
        let tmp = app.data.path().join("vaults/main.git/lfs/tmp");
        assert_eq!(std::fs::read_dir(tmp).map_or(0, Iterator::count), 0);
    }

    async fn vault_is_visible_to_its_members_only(app: TestApp) {
        let (ada, root) = (app.editor("ada").await, app.administrator("root").await);
        root.post("/api/vaults", json!({"name": "tools"})).await.expect_status(201);
        root.post("/api/vaults", json!({"name": "tools"})).await.expect_status(409);
        root.post("/api/vaults", json!({"name": "../x"})).await.expect_status(422);
        ada.post("/api/vaults", json!({"name": "mine"})).await.expect_status(403);
        ada.get("/api/vaults/tools/files").await.expect_status(404).expect_detail("Vault not found");
        ada.get("/api/vaults/none/files").await.expect_status(404).expect_detail("Vault not found");
        root.send(root.put_request("/api/vaults/tools/members/ada").json(&json!({"role": "viewer"}))).await.expect_status(204);
        ada.get("/api/vaults/tools/files").await.expect_status(200);
        ada.post("/api/vaults/tools/files/a.nc/checkout", Value::Null).await.expect_status(403);
        root.send(root.delete_request("/api/vaults/tools/members/ada")).await.expect_status(204);
        ada.get("/api/vaults/tools/files").await.expect_status(404);
    }
}
