//! Commands of root on a data folder of another account.

use std::{
    os::unix::fs::{MetadataExt as _, chown},
    path::PathBuf,
};

use crate::test_program::TestProgram;

/// An account that is not root.
const UID: u32 = 4711;

#[test]
fn commands_of_root_leave_files_to_the_owner() {
    let program = TestProgram::new();
    let data = program.data_folder();
    std::fs::create_dir(&data).unwrap();
    if chown(&data, Some(UID), Some(UID)).is_err() {
        eprintln!("SKIPPED: giving a folder to another account needs root");
        return;
    }
    program.add_user("ada", &["--admin"]);
    program.run(&["key", "replace-master"]).expect_success();
    let mut found = Vec::new();
    let mut folders = vec![data];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            let metadata = path.metadata().unwrap();
            assert_eq!(metadata.uid(), UID, "{}", path.display());
            if metadata.is_dir() {
                folders.push(path.clone());
            }
            found.extend(path.file_name().map(ToOwned::to_owned));
        }
    }
    for name in ["keys", "master.key", "serving", "strongroom.db"] {
        assert!(found.iter().any(|found| found == name), "{name}: {found:?}");
    }
}
