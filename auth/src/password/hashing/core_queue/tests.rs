use std::time::Duration;

use tokio::{sync::mpsc, task::yield_now, time::timeout};

use super::{
    HashPriority::{Familiar, Unfamiliar},
    *,
};

/// Requests that wait for a core, and the order in which they get one.
struct Waiting {
    queue: CoreQueue,
    sender: mpsc::UnboundedSender<(String, CoreGuard)>,
    granted: mpsc::UnboundedReceiver<(String, CoreGuard)>,
}

impl Waiting {
    fn new(cores: usize) -> Self {
        let (sender, granted) = mpsc::unbounded_channel();
        Self {
            queue: CoreQueue::new(cores),
            sender,
            granted,
        }
    }

    /// A request that waits behind those before it.
    async fn join(&self, name: &str, priority: HashPriority) {
        let (queue, sender, name) = (self.queue.clone(), self.sender.clone(), name.to_owned());
        tokio::spawn(async move {
            let core = queue.acquire(priority).await.unwrap();
            sender.send((name, core)).unwrap();
        });
        yield_now().await;
    }

    /// The next request that gets a core, with its core.
    async fn next(&mut self) -> (String, CoreGuard) {
        self.granted.recv().await.unwrap()
    }

    /// The order of the next ones, each of which gives its core back.
    async fn order(&mut self, count: usize) -> Vec<String> {
        let mut names = Vec::new();
        for _ in 0..count {
            let (name, core) = self.next().await;
            names.push(name);
            drop(core);
        }
        names
    }
}

#[tokio::test]
async fn familiar_sources_hash_before_a_flood() {
    let mut waiting = Waiting::new(1);
    let busy = waiting.queue.acquire(Unfamiliar).await.unwrap();
    for n in 0..500 {
        waiting.join(&format!("flood {n}"), Unfamiliar).await;
    }
    for name in ["ada", "bob", "cy", "dee"] {
        waiting.join(name, Familiar).await;
    }
    drop(busy);
    assert_eq!(
        waiting.order(6).await,
        ["ada", "bob", "cy", "flood 0", "dee", "flood 1"],
        "three of four grants are for the familiar, and the rest for the flood"
    );
    waiting.join("eve", Familiar).await;
    // One of the flood has its core already.
    assert_eq!(waiting.order(3).await[..2], ["flood 2", "eve"]);
}

#[tokio::test]
async fn familiar_sources_do_not_stop_others() {
    let mut waiting = Waiting::new(1);
    let busy = waiting.queue.acquire(Familiar).await.unwrap();
    waiting.join("new browser", Unfamiliar).await;
    for n in 0..10 {
        waiting.join(&format!("known {n}"), Familiar).await;
    }
    drop(busy);
    assert_eq!(waiting.order(4).await[3], "new browser");
}

#[tokio::test]
async fn quarter_of_cores_is_reserved_for_familiar_sources() {
    let mut waiting = Waiting::new(4);
    for n in 0..8 {
        waiting.join(&format!("flood {n}"), Unfamiliar).await;
    }
    let flood = [
        waiting.next().await,
        waiting.next().await,
        waiting.next().await,
    ];
    assert_eq!(waiting.queue.free(), 1);
    waiting.join("ada", Familiar).await;
    let (name, core) = waiting.next().await;
    assert_eq!(name, "ada", "without a wait");
    drop(core);
    assert_eq!(waiting.queue.free(), 1);
    drop(flood);
    assert_eq!(waiting.order(5).await.len(), 5);
    assert_eq!(waiting.queue.free(), 4);
}

#[tokio::test(start_paused = true)]
async fn abandoned_places_block_no_core() {
    let mut waiting = Waiting::new(1);
    let busy = waiting.queue.acquire(Familiar).await.unwrap();
    for priority in [Familiar, Unfamiliar] {
        let abandoned = waiting.queue.acquire(priority);
        assert!(timeout(Duration::from_secs(2), abandoned).await.is_err());
    }
    waiting.join("ada", Familiar).await;
    drop(busy);
    assert_eq!(waiting.order(1).await, ["ada"]);
    assert_eq!(waiting.queue.free(), 1);
}
