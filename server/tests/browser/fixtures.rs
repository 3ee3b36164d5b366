//! Fixtures: a vault after some days of use, for the screenshots.

use std::time::Duration;

use serde_json::json;

use crate::app::{Client, TestApp, file_url};

/// The whole duration: 18 h + 6 × (17 min + 17 h) + 4 h + 18 min.
pub(crate) const HISTORY_HOURS: u64 = 126;

const FILES: [(&str, usize, &str); 10] = [
    ("fixtures/vise-soft-jaws.step", 1_572_864, "marco"),
    ("fixtures/pallet-base.f3d", 8_310_000, "priya"),
    ("drawings/gearbox-housing.dxf", 412_000, "jonas"),
    ("drawings/spindle-adapter.pdf", 96_300, "jonas"),
    ("gearbox-housing.sldprt", 18_400_000, "marco"),
    ("impeller-5axis.mcam", 24_900_000, "priya"),
    ("post-haas-vf2.cps", 61_440, "ada"),
    ("probe-cycle.nc", 12_288, "jonas"),
    ("spindle-adapter.sldprt", 6_200_000, "marco"),
    ("vise-jaws.f3d", 3_350_000, "ada"),
];

/// Later check-ins: file, size, user, comment.
const CHANGES: [(&str, usize, &str, &str); 6] = [
    (
        "gearbox-housing.sldprt",
        18_900_000,
        "marco",
        "Bearing seats to 62 H7",
    ),
    (
        "impeller-5axis.mcam",
        25_600_000,
        "priya",
        "Roughing with the 12 mm cutter",
    ),
    (
        "gearbox-housing.sldprt",
        19_100_000,
        "jonas",
        "Drain plug moved to the left side, as the assembly needs it",
    ),
    (
        "vise-jaws.f3d",
        3_410_000,
        "ada",
        "Deeper step for the thin plates",
    ),
    (
        "probe-cycle.nc",
        12_900,
        "jonas",
        "Second touch at half the feed",
    ),
    (
        "gearbox-housing.sldprt",
        19_100_512,
        "marco",
        "Wall between the bores 0.5 mm thicker",
    ),
];

const HOUR: Duration = Duration::from_hours(1);

/// Fills the vault through the API, on a clock that ends `HOURS` ahead.
pub(crate) async fn fill_vault(app: &TestApp) {
    app.administrator("ada").await;
    for name in ["jonas", "marco", "priya"] {
        app.editor(name).await;
    }
    for (filename, size, who) in FILES {
        app.sign_in(who)
            .await
            .add(filename, &vec![b'1'; size])
            .await
            .expect_status(201);
    }
    app.advance_clock(18 * HOUR);
    for (n, (filename, size, who, comment)) in CHANGES.into_iter().enumerate() {
        let person = app.sign_in(who).await;
        person.check_out(filename).await.expect_status(200);
        app.advance_clock(Duration::from_mins(17));
        person
            .check_in(
                filename,
                &vec![b'a' + u8::try_from(n).unwrap(); size],
                comment,
            )
            .await
            .expect_status(200);
        app.advance_clock(17 * HOUR);
    }
    let ada = app.sign_in("ada").await;
    set_description(
        &ada,
        "post-haas-vf2.cps",
        "Post processor for the VF-2, with our tool table",
    )
    .await;
    set_description(
        &ada,
        "gearbox-housing.sldprt",
        "Housing of the two-stage gearbox, drawing GB-210",
    )
    .await;
    check_out_with_note(
        &app.sign_in("marco").await,
        "gearbox-housing.sldprt",
        Some("New cover flange"),
    )
    .await;
    app.advance_clock(3 * HOUR);
    check_out_with_note(&app.sign_in("priya").await, "impeller-5axis.mcam", None).await;
    check_out_with_note(
        &app.sign_in("priya").await,
        "fixtures/pallet-base.f3d",
        None,
    )
    .await;
    app.advance_clock(HOUR);
    check_out_with_note(&app.sign_in("ada").await, "vise-jaws.f3d", None).await;
    app.advance_clock(Duration::from_mins(18));
}

async fn set_description(person: &Client, filename: &str, description: &str) {
    let request = person
        .put_request(&file_url(filename, ""))
        .json(&json!({"description": description}));
    person.send(request).await.expect_status(200);
}

async fn check_out_with_note(person: &Client, filename: &str, note: Option<&str>) {
    person
        .post(&file_url(filename, "/checkout"), json!({"note": note}))
        .await
        .expect_status(200);
}
