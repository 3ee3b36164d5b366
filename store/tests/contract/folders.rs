//! Folders exist only with files in them, and names are unique.

use store::{Database, testing::TestDatabase};
use vault::{
    VaultError, VaultStore as _,
    order::{FolderPosition, Position, SortColumn},
    store::{FolderEntry, FolderQuery},
};

use crate::builders::{User, ada_and_bob, filename, top_folder};

crate::on_both_databases!(
    folders_exist_only_while_they_contain_files,
    folder_listing_is_paged_with_subfolders_first,
    filename_in_another_case_is_taken,
    file_and_folder_cannot_share_a_name,
    folder_name_keeps_its_first_spelling,
    file_can_be_renamed_to_another_case,
    file_can_move_into_folder_of_its_name,
    only_file_in_folder_can_change_folder_case,
    deleted_file_cannot_be_restored_over_another,
    long_and_unusual_filenames_round_trip,
    filename_over_index_limit_is_rejected_cleanly,
);

/// The entries of a folder by name, subfolders with a trailing slash.
async fn list_folder(user: &User, folder: &str) -> Vec<String> {
    let folder = (!folder.is_empty()).then(|| filename(folder));
    let entries = user
        .store
        .folder(
            &user.vault,
            FolderQuery {
                folder,
                ..top_folder(100)
            },
        )
        .await
        .unwrap();
    entries.iter().map(entry_label).collect()
}

fn entry_label(entry: &FolderEntry) -> String {
    match entry {
        FolderEntry::Folder(name) => format!("{name}/"),
        FolderEntry::File(file) => file.name.to_string(),
    }
}

async fn folders_exist_only_while_they_contain_files(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    ada.add("a/b/one").await.unwrap();
    ada.add("a/b/two").await.unwrap();
    assert_eq!(list_folder(&ada, "").await, ["a/"]);
    assert_eq!(list_folder(&ada, "A/B").await, ["a/b/one", "a/b/two"]);
    ada.delete("a/b/one").await.unwrap();
    assert_eq!(list_folder(&ada, "a").await, ["a/b/"]);
    let moved = ada.move_to("a/b/two", "c/two").await.unwrap();
    assert_eq!(list_folder(&ada, "").await, ["c/"]);
    ada.delete("c/two").await.unwrap();
    assert!(list_folder(&ada, "").await.is_empty());
    ada.restore(&moved.file).await.unwrap();
    assert_eq!(list_folder(&ada, "c").await, ["c/two"]);
}

async fn folder_listing_is_paged_with_subfolders_first(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    for file in ["z", "B", "f/1", "a", "E/1", "E/2", "e-1/1", "f/g/2", "ä"] {
        ada.add(file).await.unwrap();
    }
    let mut pages = Vec::new();
    let mut query = top_folder(2);
    query.sort.column = SortColumn::Name;
    loop {
        let page = db.store.folder(&ada.vault, query.clone()).await.unwrap();
        let Some(last) = page.last() else { break };
        query.after = Some(match last {
            FolderEntry::Folder(name) => FolderPosition::Folder(name.clone()),
            FolderEntry::File(file) => FolderPosition::File(Position::of(file, SortColumn::Name)),
        });
        pages.push(page.iter().map(entry_label).collect::<Vec<_>>().join(" "));
    }
    assert_eq!(pages, ["E/ e-1/", "f/ a", "ä B", "z"]);
}

fn expect_already_exists(refused: Result<vault::Outcome, VaultError>) -> String {
    match refused {
        Err(VaultError::Exists { name }) => name.to_string(),
        other => panic!("{other:?}"),
    }
}

fn expect_name_conflict(refused: Result<vault::Outcome, VaultError>) -> String {
    match refused {
        Err(VaultError::NameConflict { name }) => name.to_string(),
        other => panic!("{other:?}"),
    }
}

async fn filename_in_another_case_is_taken(db: TestDatabase) {
    let (ada, bob) = ada_and_bob(&db.store).await;
    ada.add("Gear.step").await.unwrap();
    ada.add("other").await.unwrap();
    assert_eq!(
        expect_already_exists(bob.add("gEAR.step").await),
        "Gear.step"
    );
    assert_eq!(
        expect_already_exists(bob.move_to("other", "GEAR.STEP").await),
        "Gear.step"
    );
}

async fn file_and_folder_cannot_share_a_name(db: TestDatabase) {
    let (ada, bob) = ada_and_bob(&db.store).await;
    ada.add("Parts/gear").await.unwrap();
    ada.add("other").await.unwrap();
    assert_eq!(expect_name_conflict(bob.add("parts").await), "Parts");
    assert_eq!(
        expect_name_conflict(bob.move_to("other", "PARTS").await),
        "Parts"
    );
    assert_eq!(
        expect_name_conflict(bob.add("Parts/gear/tooth").await),
        "Parts/gear"
    );
    assert_eq!(
        expect_name_conflict(bob.move_to("other", "Parts/GEAR/tooth/deep").await),
        "Parts/gear"
    );
    assert!(matches!(
        bob.check_out("Parts").await,
        Err(VaultError::NotFound)
    ));
    assert!(matches!(
        bob.delete("Parts").await,
        Err(VaultError::NotFound)
    ));
}

async fn folder_name_keeps_its_first_spelling(db: TestDatabase) {
    let (ada, bob) = ada_and_bob(&db.store).await;
    ada.add("Parts/Small/gear").await.unwrap();
    assert_eq!(expect_name_conflict(bob.add("parts/wheel").await), "Parts");
    assert_eq!(
        expect_name_conflict(bob.add("Parts/small/wheel").await),
        "Parts/Small"
    );
    bob.add("Parts/Small/wheel").await.unwrap();
    assert_eq!(
        expect_name_conflict(bob.move_to("Parts/Small/wheel", "Parts/small/wheel").await),
        "Parts/Small"
    );
}

async fn file_can_be_renamed_to_another_case(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    ada.add("Parts/Gear.step").await.unwrap();
    ada.move_to("Parts/Gear.step", "Parts/GEAR.step")
        .await
        .unwrap();
    assert_eq!(list_folder(&ada, "Parts").await, ["Parts/GEAR.step"]);
    assert_eq!(
        ada.find("parts/gear.step").await.unwrap().name,
        filename("Parts/GEAR.step")
    );
}

async fn file_can_move_into_folder_of_its_name(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    ada.add("gear").await.unwrap();
    ada.move_to("gear", "gear/gear").await.unwrap();
    assert_eq!(
        (list_folder(&ada, "").await, list_folder(&ada, "gear").await),
        (vec!["gear/".into()], vec!["gear/gear".into()])
    );
    ada.move_to("gear/gear", "gear").await.unwrap();
    assert_eq!(list_folder(&ada, "").await, ["gear"]);
}

async fn only_file_in_folder_can_change_folder_case(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    ada.add("parts/gear").await.unwrap();
    ada.move_to("parts/gear", "Parts/gear").await.unwrap();
    assert_eq!(
        (
            list_folder(&ada, "").await,
            list_folder(&ada, "parts").await
        ),
        (vec!["Parts/".into()], vec!["Parts/gear".into()])
    );
}

async fn deleted_file_cannot_be_restored_over_another(db: TestDatabase) {
    let (ada, bob) = ada_and_bob(&db.store).await;
    let gone = ada.add("gear").await.unwrap().file;
    ada.delete("gear").await.unwrap();
    bob.add("gear/tooth").await.unwrap();
    assert_eq!(expect_name_conflict(ada.restore(&gone).await), "gear");
    bob.delete("gear/tooth").await.unwrap();
    bob.add("GEAR").await.unwrap();
    assert_eq!(expect_already_exists(ada.restore(&gone).await), "GEAR");
}

async fn long_and_unusual_filenames_round_trip(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    let deep = ["folder"; 65].join("/");
    for file in [
        deep.as_str(),
        "it's 100% odd_$1 ü 日本;--.step",
        "a$b/c$1",
        "'",
        "{0}",
    ] {
        ada.add(file).await.unwrap();
        assert_eq!(ada.find(file).await.unwrap().name.as_str(), file);
    }
    ada.delete(&deep).await.unwrap();
    assert!(!list_folder(&ada, "").await.contains(&"folder/".to_owned()));
}

async fn filename_over_index_limit_is_rejected_cleanly(db: TestDatabase) {
    let (ada, _) = ada_and_bob(&db.store).await;
    // The longest name that `Filename` accepts, incompressible.
    let random = hex::encode(auth::SecureRandom::system().bytes::<1_900>());
    let segments: Vec<&str> = random
        .as_bytes()
        .chunks(200)
        .filter_map(|part| std::str::from_utf8(part).ok())
        .collect();
    let longest = segments.join("/");
    match (&db.database, ada.add(&longest).await) {
        (_, Ok(added)) => assert_eq!(ada.find(&longest).await, Some(added.file)),
        (Database::Postgres(_), Err(VaultError::BadUpload { detail })) => {
            assert!(detail.contains("name"), "{detail}");
        }
        (_, refused) => panic!("{refused:?}"),
    }
}
