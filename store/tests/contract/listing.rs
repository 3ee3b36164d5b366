//! Pages of a vault's files: by key, filtered.

use auth::Username;
use store::testing::TestDatabase;
use vault::{
    NameKey, VaultStore as _,
    order::Position,
    search::Search,
    store::{FileQuery, LockFilter},
};

use crate::builders::{User, ada_and_bob, user};

crate::on_both_databases!(
    files_are_paged_by_name_key,
    file_prefix_filter_matches_start_of_path,
    file_search_is_partial_without_wildcards,
    files_are_filtered_by_lock_holder,
    file_list_is_sorted_by_bytes,
);

fn name_key(raw: &str) -> NameKey {
    NameKey::fold(raw)
}

async fn find_names(ada: &User, query: FileQuery) -> Vec<String> {
    let query = FileQuery {
        limit: if query.limit == 0 { 100 } else { query.limit },
        ..query
    };
    let files = ada.store.files(&ada.vault, query).await.unwrap();
    files.iter().map(|file| file.name.to_string()).collect()
}

async fn with_files(db: &TestDatabase, files: &[&str]) -> (User, User) {
    let users = ada_and_bob(&db.store).await;
    for file in files {
        users.0.add(file).await.unwrap();
    }
    users
}

async fn files_are_paged_by_name_key(db: TestDatabase) {
    let (ada, _) = with_files(&db, &["c", "B", "a/2", "a/1", "gone"]).await;
    ada.delete("gone").await.unwrap();
    let page = async |after| {
        find_names(
            &ada,
            FileQuery {
                after,
                limit: 2,
                ..FileQuery::default()
            },
        )
        .await
    };
    assert_eq!(page(None).await, ["a/1", "a/2"]);
    assert_eq!(
        page(Some(Position::of_name(name_key("a/2")))).await,
        ["B", "c"]
    );
    assert!(
        page(Some(Position::of_name(name_key("c"))))
            .await
            .is_empty()
    );
}

async fn file_prefix_filter_matches_start_of_path(db: TestDatabase) {
    let (ada, _) = with_files(&db, &["Ab/1", "Ab/2", "abc", "b", "x/ab/1"]).await;
    let prefixed = async |prefix| {
        find_names(
            &ada,
            FileQuery {
                prefix: Some(name_key(prefix)),
                ..FileQuery::default()
            },
        )
        .await
    };
    assert_eq!(prefixed("AB/").await, ["Ab/1", "Ab/2"]);
    assert_eq!(prefixed("ab").await, ["Ab/1", "Ab/2", "abc"]);
    assert_eq!(prefixed("").await.len(), 5);
    assert!(prefixed("%").await.is_empty());
    let after = FileQuery {
        prefix: Some(name_key("ab")),
        after: Some(Position::of_name(name_key("ab/2"))),
        ..FileQuery::default()
    };
    assert_eq!(find_names(&ada, after).await, ["abc"]);
}

async fn file_search_is_partial_without_wildcards(db: TestDatabase) {
    let (ada, _) = with_files(&db, &["gear_1", "geary1", "Zahnrad Ü", "100%"]).await;
    let search = async |part| {
        find_names(
            &ada,
            FileQuery {
                search: Search::parse(part),
                ..FileQuery::default()
            },
        )
        .await
    };
    assert_eq!(search("AR_").await, ["gear_1"]);
    assert_eq!(search("0%").await, ["100%"]);
    assert_eq!(search("rad ü").await, ["Zahnrad Ü"]);
    assert_eq!(search("").await.len(), 4);
    for nothing in ["\\", "%%", "\0", "'"] {
        assert!(search(nothing).await.is_empty(), "{nothing:?}");
    }
}

async fn files_are_filtered_by_lock_holder(db: TestDatabase) {
    let (ada, bob) = with_files(&db, &["a", "b", "c", "d"]).await;
    ada.check_out("b").await.unwrap();
    ada.check_out("d").await.unwrap();
    bob.check_out("c").await.unwrap();
    let held = async |holder| {
        find_names(
            &ada,
            FileQuery {
                holder: Some(holder),
                ..FileQuery::default()
            },
        )
        .await
    };
    assert_eq!(held(LockFilter::Unlocked).await, ["a"]);
    assert_eq!(held(LockFilter::Locked).await, ["b", "c", "d"]);
    assert_eq!(held(LockFilter::LockedBy(user("ada"))).await, ["b", "d"]);
    assert_eq!(held(LockFilter::NotLockedBy(user("ada"))).await, ["c"]);
    let both = |holder, locked_by: Username| FileQuery {
        holder: Some(holder),
        locked_by: Some(locked_by),
        after: Some(Position::of_name(name_key("b"))),
        ..FileQuery::default()
    };
    assert_eq!(
        find_names(&ada, both(LockFilter::Locked, user("ada"))).await,
        ["d"]
    );
    assert!(
        find_names(&ada, both(LockFilter::LockedBy(user("bob")), user("ada")))
            .await
            .is_empty()
    );
}

async fn file_list_is_sorted_by_bytes(db: TestDatabase) {
    let names = [
        "a b", "a-b", "a.b", "a/b", "a_b", "ab", "é", "z", "ß", "日", "🛠",
    ];
    let (ada, _) = with_files(&db, &names).await;
    let listed = find_names(&ada, FileQuery::default()).await;
    let mut sorted = listed.clone();
    sorted.sort_by_key(|name| NameKey::fold(name));
    assert_eq!((listed.len(), listed), (names.len(), sorted));
}
