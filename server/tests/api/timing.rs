//! Whether time tells who is there. Statistics on a busy machine prove little, so the exact proof is a count of hashes
//! (in the crate `auth`); this looks for what a count does not see.

use std::time::{Duration, Instant};

use crate::app::TestApp;

const TRIES: usize = 500;

/// How long one wrong sign-in takes, seen from outside.
async fn wrong(app: &TestApp, name: &str) -> Duration {
    let anonymous = app.anonymous();
    let form = [("username", name), ("password", "not this one, nor that")];
    let started = Instant::now();
    let answer = anonymous.post("/auth/token").form(&form).send().await.unwrap();
    let (status, _) = (answer.status().as_u16(), answer.bytes().await.unwrap());
    assert_eq!(status, 401, "{name}");
    started.elapsed()
}

/// Mann-Whitney's U as the chance that a time of `a` is greater than one of `b`: one half where nothing can be told.
fn chance_that_greater(a: &[Duration], b: &[Duration]) -> f64 {
    let wins = a.iter().flat_map(|x| {
        b.iter().map(move |y| match x.cmp(y) {
            std::cmp::Ordering::Greater => 2_u32,
            std::cmp::Ordering::Equal => 1,
            std::cmp::Ordering::Less => 0,
        })
    });
    let pairs = u32::try_from(a.len() * b.len() * 2).unwrap();
    f64::from(wins.sum::<u32>()) / f64::from(pairs)
}

/// 500 interleaved tries. With 250 of each kind, chance alone keeps the figure within 0.08 of one half far more often
/// than a million times in a million and one; a hash that was left out would make it 0 or 1.
#[tokio::test(flavor = "multi_thread")]
async fn time_does_not_tell_who_is_there() {
    let app = TestApp::sqlite().await;
    app.editor("ada").await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for n in 0..TRIES / 2 {
        // So that nobody has to wait, which would be told alike but take forever.
        app.later(Duration::from_mins(16));
        if n % 90 == 89 {
            app.sign_in("ada").await;
        }
        // Somebody new now and then: a hundred failures in a row would shut the door.
        let nobody = format!("nobody{}", n / 50);
        let pair = if n % 2 == 0 { ["ada", &nobody] } else { [nobody.as_str(), "ada"] };
        for name in pair {
            let took = wrong(&app, name).await;
            if name == "ada" { known.push(took) } else { unknown.push(took) }
        }
    }
    let chance = chance_that_greater(&known, &unknown);
    assert!((0.35..=0.65).contains(&chance), "a known name takes longer {:.0} times in a hundred", chance * 100.0);
}
