//! Search in names and descriptions, and lists in other orders.

use store::testing::TestDatabase;
use vault::{
    Operation, VaultStore as _,
    order::{Direction, FolderPosition, Position, Sort, SortColumn},
    search::Search,
    store::{FileQuery, FolderEntry, FolderQuery},
};

use crate::builders::{User, ada_and_bob, top_folder, user_text};

crate::on_both_databases!(
    search_finds_words_of_name_and_description,
    search_follows_every_change_of_a_file,
    search_of_many_files_is_paged,
    pages_follow_each_order_without_gaps,
    changed_file_moves_nothing_on_later_pages,
    folder_pages_follow_each_order,
);

async fn describe(user: &User, file: &str, text: &str) {
    let description = Some(user_text(text));
    user.apply(file, Operation::Describe { description })
        .await
        .unwrap();
}

async fn names(user: &User, query: FileQuery) -> Vec<String> {
    let files = user.store.files(&user.vault, query).await.unwrap();
    files.iter().map(|file| file.name.to_string()).collect()
}

fn by_name(search: &str) -> FileQuery {
    FileQuery {
        search: Search::parse(search),
        sort: sort(SortColumn::Name, Direction::Ascending),
        limit: 100,
        ..FileQuery::default()
    }
}

fn sort(column: SortColumn, direction: Direction) -> Sort {
    Sort { column, direction }
}

async fn search_finds_words_of_name_and_description(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    for file in ["jigs/Größe 10.step", "jigs/Größe 2.stl", "Ärmel.nc", "x.nc"] {
        ada.add(file).await.unwrap();
    }
    describe(&ada, "Ärmel.nc", "für die Fräse, Halter\nGB-210").await;
    describe(&ada, "x.nc", "the \"quoted\" one").await;
    for (search, found) in [
        ("grosse", &["jigs/Größe 2.stl", "jigs/Größe 10.step"][..]),
        ("10 GRÖSSE", &["jigs/Größe 10.step"]),
        ("*.stl", &["jigs/Größe 2.stl"]),
        ("jigs/*.step", &["jigs/Größe 10.step"]),
        ("gr*10.step", &["jigs/Größe 10.step"]),
        ("10*gr*.step", &[]),
        ("halter frase", &["Ärmel.nc"]),
        ("gb-210 arm", &["Ärmel.nc"]),
        ("ar", &["Ärmel.nc"]),
        ("\"quoted\"", &["x.nc"]),
        ("\"AND\" OR", &[]),
        (
            "*",
            &["Ärmel.nc", "jigs/Größe 2.stl", "jigs/Größe 10.step", "x.nc"],
        ),
    ] {
        assert_eq!(names(&ada, by_name(search)).await, found, "{search}");
    }
}

async fn search_follows_every_change_of_a_file(db: TestDatabase) {
    let (ada, bob) = ada_and_bob(&db.store).await;
    ada.add("gear.mcam").await.unwrap();
    ada.add("other.mcam").await.unwrap();
    let found = async |search| names(&ada, by_name(search)).await;
    describe(&ada, "gear.mcam", "two stages").await;
    assert_eq!(found("stages").await, ["gear.mcam"]);
    describe(&ada, "gear.mcam", "one step").await;
    assert!(found("stages").await.is_empty());
    bob.check_out("gear.mcam").await.unwrap();
    bob.check_in("gear.mcam", 2).await.unwrap();
    assert_eq!(found("one step").await, ["gear.mcam"]);
    ada.move_to("gear.mcam", "wheels/cog.mcam").await.unwrap();
    assert!(found("gear").await.is_empty());
    assert_eq!(found("wheels").await, ["wheels/cog.mcam"]);
    let gone = ada.delete("wheels/cog.mcam").await.unwrap().file;
    assert!(found("cog").await.is_empty());
    ada.restore(&gone).await.unwrap();
    assert_eq!(found("cog one").await, ["wheels/cog.mcam"]);
    assert_eq!(found("other").await, ["other.mcam"]);
}

async fn search_of_many_files_is_paged(db: TestDatabase) {
    let (ada, bob) = ada_and_bob(&db.store).await;
    for n in 1..=12 {
        ada.add(&format!("part{n}.step")).await.unwrap();
        bob.add(&format!("{n}part.nc")).await.unwrap();
    }
    // The pattern also leaves out files that contain its parts in another order.
    let mut query = FileQuery {
        limit: 5,
        ..by_name("part*.step")
    };
    let mut found = Vec::new();
    loop {
        let page = ada.store.files(&ada.vault, query.clone()).await.unwrap();
        let Some(last) = page.last() else { break };
        query.after = Some(Position::of(last, SortColumn::Name));
        found.extend(page.iter().map(|file| file.name.to_string()));
    }
    let expected: Vec<_> = (1..=12).map(|n| format!("part{n}.step")).collect();
    assert_eq!(found, expected);
}

const COLUMNS: [SortColumn; 5] = [
    SortColumn::Key,
    SortColumn::Name,
    SortColumn::Size,
    SortColumn::Changed,
    SortColumn::Holder,
];

/// Files of several sizes and holders, with equal ones among them.
async fn with_varied_files(db: &TestDatabase) -> User {
    let (ada, bob) = ada_and_bob(&db.store).await;
    for (name, size) in [
        ("a10", 3),
        ("A2", 3),
        ("b", 1),
        ("ä3", 7),
        ("c", 7),
        ("d", 2),
    ] {
        ada.add(name).await.unwrap();
        ada.check_out(name).await.unwrap();
        ada.check_in(name, size).await.unwrap();
    }
    ada.check_out("b").await.unwrap();
    bob.check_out("a10").await.unwrap();
    bob.check_out("c").await.unwrap();
    ada
}

async fn pages_follow_each_order_without_gaps(db: TestDatabase) {
    let ada = with_varied_files(&db).await;
    for column in COLUMNS {
        let all = async |direction| {
            let query = FileQuery {
                sort: sort(column, direction),
                ..by_name("")
            };
            names(&ada, query).await
        };
        let ascending = all(Direction::Ascending).await;
        assert_eq!(ascending.len(), 6);
        let mut backwards = all(Direction::Descending).await;
        let mut query = FileQuery {
            sort: sort(column, Direction::Descending),
            limit: 2,
            ..by_name("")
        };
        let mut paged = Vec::new();
        for _ in 0..3 {
            let page = ada.store.files(&ada.vault, query.clone()).await.unwrap();
            query.after = page.last().map(|last| Position::of(last, column));
            paged.extend(page.iter().map(|file| file.name.to_string()));
        }
        assert_eq!(paged, backwards, "{column:?}");
        backwards.reverse();
        assert_eq!(ascending, backwards, "{column:?}");
    }
    let ordered = async |column| {
        let query = FileQuery {
            sort: sort(column, Direction::Ascending),
            ..by_name("")
        };
        names(&ada, query).await.join(" ")
    };
    assert_eq!(ordered(SortColumn::Name).await, "A2 ä3 a10 b c d");
    assert_eq!(ordered(SortColumn::Size).await, "b d A2 a10 ä3 c");
    assert_eq!(ordered(SortColumn::Holder).await, "b a10 c A2 ä3 d");
}

async fn changed_file_moves_nothing_on_later_pages(db: TestDatabase) {
    let ada = with_varied_files(&db).await;
    let mut query = FileQuery {
        sort: sort(SortColumn::Size, Direction::Ascending),
        limit: 2,
        ..by_name("")
    };
    let first = ada.store.files(&ada.vault, query.clone()).await.unwrap();
    query.after = first
        .last()
        .map(|last| Position::of(last, SortColumn::Size));
    // The last file of the page becomes the largest, and then goes.
    ada.check_out("d").await.unwrap();
    ada.check_in("d", 9).await.unwrap();
    ada.delete("d").await.unwrap();
    assert_eq!(names(&ada, query).await, ["A2", "a10"]);
}

async fn folder_pages_follow_each_order(db: TestDatabase) {
    let ada = with_varied_files(&db).await;
    for folder in ["z10/x", "z2/x", "Ä/x"] {
        ada.add(folder).await.unwrap();
    }
    for (column, direction, expected) in [
        (
            SortColumn::Name,
            Direction::Ascending,
            "Ä/ z2/ z10/ A2 ä3 a10 b c d",
        ),
        (
            SortColumn::Name,
            Direction::Descending,
            "z10/ z2/ Ä/ d c b a10 ä3 A2",
        ),
        (
            SortColumn::Size,
            Direction::Descending,
            "z10/ z2/ Ä/ c ä3 a10 A2 d b",
        ),
        (
            SortColumn::Holder,
            Direction::Ascending,
            "Ä/ z2/ z10/ b a10 c A2 ä3 d",
        ),
    ] {
        let mut query = FolderQuery {
            sort: sort(column, direction),
            ..top_folder(2)
        };
        let mut listed = Vec::new();
        loop {
            let page = ada.store.folder(&ada.vault, query.clone()).await.unwrap();
            let Some(last) = page.last() else { break };
            query.after = Some(match last {
                FolderEntry::Folder(name) => FolderPosition::Folder(name.clone()),
                FolderEntry::File(file) => FolderPosition::File(Position::of(file, column)),
            });
            listed.extend(page.iter().map(|entry| match entry {
                FolderEntry::Folder(name) => format!("{name}/"),
                FolderEntry::File(file) => file.name.to_string(),
            }));
        }
        assert_eq!(listed.join(" "), expected, "{column:?} {direction:?}");
    }
}
