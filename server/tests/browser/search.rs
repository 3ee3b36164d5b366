//! Search and order on the page of a folder.

use serde_json::json;

use crate::{app::file_url, browser_test::BrowserTest, vault::row_selector, window::Window};

impl Window {
    async fn expect_rows(&self, names: &[&str]) {
        let rows = "JSON.stringify([...document.querySelectorAll('#rows tr[data-file]')].map((it) => it.dataset.file))";
        self.wait_for_js(&format!("{rows} === JSON.stringify({})", json!(names)))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn search_marks_why_a_file_matched() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let program = stage.app.sign_in("ada").await;
    for name in ["jigs/Größe 10.step", "jigs/Größe 2.stl", "plate.nc"] {
        program.add(name, b"one").await.expect_status(201);
    }
    let text = "A plate for the second setup on the large mill, with holes for the Fräse";
    let request = program.put_request(&file_url("plate.nc", ""));
    program
        .send(request.json(&json!({"description": text})))
        .await
        .expect_status(200);
    ada.fill("#search", "grosse").await;
    ada.expect_rows(&["jigs/Größe 2.stl", "jigs/Größe 10.step"])
        .await;
    let marked = row_selector("jigs/Größe 2.stl");
    ada.expect_text(&format!("{marked} .name mark"), "Größe")
        .await;
    ada.fill("#search", "frase").await;
    ada.expect_rows(&["plate.nc"]).await;
    let found = format!("{} .description", row_selector("plate.nc"));
    ada.expect_text(&format!("{found} mark"), "Fräse").await;
    ada.expect_text(&found, "…").await;
    ada.fill("#search", "*.stl").await;
    ada.expect_rows(&["jigs/Größe 2.stl"]).await;
    // A new match appears by itself, another file does not.
    program.add("new.stl", b"two").await.expect_status(201);
    program.add("new.nc", b"two").await.expect_status(201);
    ada.expect_rows(&["jigs/Größe 2.stl", "new.stl"]).await;
    ada.expect_no_console_errors().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_sort_the_list_and_keep_the_search() {
    let Some(stage) = BrowserTest::start().await else {
        return;
    };
    let ada = stage.editor("ada").await;
    let program = stage.app.sign_in("ada").await;
    for (name, size) in [("part10.nc", 10), ("part2.nc", 20), ("part1.nc", 15)] {
        program
            .add(name, &vec![b'x'; size])
            .await
            .expect_status(201);
    }
    ada.expect_rows(&["part1.nc", "part2.nc", "part10.nc"])
        .await;
    ada.click("th.col-size a").await;
    ada.expect_rows(&["part2.nc", "part1.nc", "part10.nc"])
        .await;
    ada.expect_visible("th.col-size[aria-sort=descending]")
        .await;
    ada.fill("#search", "part1").await;
    ada.expect_rows(&["part1.nc", "part10.nc"]).await;
    ada.click("th.col-size a").await;
    ada.expect_rows(&["part10.nc", "part1.nc"]).await;
    ada.expect_visible("th.col-size[aria-sort=ascending]").await;
    // On a phone too.
    ada.resize(360, 740).await;
    ada.click("th:first-child a").await;
    ada.expect_rows(&["part1.nc", "part10.nc"]).await;
    ada.expect_no_console_errors().await;
}
