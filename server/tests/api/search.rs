//! Search and order of `GET /api/files` and of the pages.

use serde_json::{Value, json};

use crate::{
    app::{Client, TestApp, TestResponse, file_url},
    both,
};

async fn describe(client: &Client, name: &str, text: &str) {
    let request = client.put_request(&file_url(name, ""));
    client
        .send(request.json(&json!({"description": text})))
        .await
        .expect_status(200);
}

fn names(listed: &TestResponse) -> Vec<&str> {
    let files = listed.body.as_array().unwrap();
    files
        .iter()
        .map(|file| file["filename"].as_str().unwrap())
        .collect()
}

async fn listed(client: &Client, query: &str) -> Vec<String> {
    let listed = client
        .get(&format!("/api/files?{query}"))
        .await
        .expect_status(200);
    names(&listed).into_iter().map(str::to_owned).collect()
}

async fn with_files(app: &TestApp) -> Client {
    let ada = app.editor("ada").await;
    for (name, size) in [
        ("part10.step", 10),
        ("part2.step", 2),
        ("Ärmel.nc", 30),
        ("armature.nc", 5),
    ] {
        ada.add(name, &vec![b'x'; size]).await.expect_status(201);
    }
    ada
}

both! {
    async fn files_are_sorted_by_each_column(app: TestApp) {
        let ada = with_files(&app).await;
        ada.check_out("part2.step").await.expect_status(200);
        let usual = ["armature.nc", "part10.step", "part2.step", "Ärmel.nc"];
        assert_eq!(listed(&ada, "").await, usual);
        for (query, expected) in [
            ("sort=name", ["armature.nc", "Ärmel.nc", "part2.step", "part10.step"]),
            ("sort=name&order=desc", ["part10.step", "part2.step", "Ärmel.nc", "armature.nc"]),
            ("sort=size", ["part2.step", "armature.nc", "part10.step", "Ärmel.nc"]),
            ("sort=size&order=desc", ["Ärmel.nc", "part10.step", "armature.nc", "part2.step"]),
            ("sort=holder", ["part2.step", "armature.nc", "Ärmel.nc", "part10.step"]),
            ("order=desc", ["Ärmel.nc", "part2.step", "part10.step", "armature.nc"]),
        ] {
            assert_eq!(listed(&ada, query).await, expected, "{query}");
        }
        for wrong in ["sort=color", "order=up", "sort=size&after=part2.step", "sort=changed&after=x|y"] {
            ada.get(&format!("/api/files?{wrong}")).await.expect_status(422);
        }
    }

    async fn sorted_pages_link_to_the_next(app: TestApp) {
        let ada = with_files(&app).await;
        for sort in ["name", "size", "changed", "holder"] {
            let all = listed(&ada, &format!("sort={sort}&order=desc")).await;
            let mut next = Some(format!("/api/files?sort={sort}&order=desc&limit=1"));
            let mut paged = Vec::new();
            while let Some(url) = next {
                let page = ada.get(&url).await.expect_status(200);
                paged.extend(names(&page).into_iter().map(str::to_owned));
                next = page.header("link").map(|link| link[1..link.find('>').unwrap()].to_owned());
            }
            assert_eq!(paged, all, "{sort}");
        }
    }

    async fn search_reads_names_and_descriptions(app: TestApp) {
        let ada = with_files(&app).await;
        describe(&ada, "part2.step", "Halter für die FRÄSE").await;
        for (query, expected) in [
            ("q=arm&sort=name", &["armature.nc", "Ärmel.nc"][..]),
            ("q=frase+PART", &["part2.step"]),
            ("q=*.step&sort=name", &["part2.step", "part10.step"]),
            ("q=part%3F.step", &["part2.step"]),
            ("q=halter&status=unlocked", &["part2.step"]),
            ("q=halter&status=locked", &[]),
            ("q=%25", &[]),
        ] {
            assert_eq!(listed(&ada, query).await, expected, "{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn folder_page_is_sorted_by_its_headers() {
    let app = TestApp::sqlite().await;
    let ada = with_files(&app).await;
    let order = |page: &TestResponse| -> Vec<String> {
        let rows = page.text.split("data-file=\"").skip(1);
        let names = rows.map(|row| row[..row.find('"').unwrap()].to_owned());
        names.filter(|name| !name.is_empty()).collect()
    };
    let page = ada.get("/v/main").await.expect_status(200);
    assert_eq!(
        order(&page),
        ["armature.nc", "Ärmel.nc", "part2.step", "part10.step"]
    );
    assert!(page.text.contains(r#"aria-sort="ascending"><a data-sort"#));
    let page = ada
        .get("/v/main?sort=size&order=desc")
        .await
        .expect_status(200);
    assert_eq!(
        order(&page),
        ["Ärmel.nc", "part10.step", "armature.nc", "part2.step"]
    );
    assert!(page.text.contains("?sort=size&#38;order=asc"));
    assert_eq!(page.body, Value::Null);
}
