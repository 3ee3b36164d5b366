//! `strongroom user import`: accounts of another application.

use crate::test_program::{Client, TestProgram};

/// Hashes of "old password" by passlib.
const BCRYPT_2B: &str = "$2b$12$Yzm.7fU8MZ/iOmiLVL05tuCYwYBWzB.YImlP26yzLTxvExWiF7Bt.";
const BCRYPT_2A: &str = "$2a$12$kd37i0kuydsraEPsHLO0IOxqth1PjdPA/PFqXRGhLRhLakCst1Dfm";
const BCRYPT_2Y: &str = "$2y$12$EqXGzOWKkPez2134h6hEpORkX.5cE.HosJw4enUXLIAiAPSuWGbky";

#[tokio::test(flavor = "multi_thread")]
async fn imported_accounts_sign_in_with_existing_passwords() {
    let program = TestProgram::new();
    // Extra columns, in any order, with a byte order mark and carriage returns.
    let rows = format!(
        "\u{feff}id,is_admin,username,hashed_password\r\n1,0,bea,{BCRYPT_2B}\r\n2,True,Cal,{BCRYPT_2Y}\r\n3,,dan,{BCRYPT_2A}\r\n"
    );
    program.write_file("users.csv", rows);
    assert_eq!(
        program
            .run(&["user", "import", "users.csv"])
            .expect_success(),
        "3 accounts imported, 0 rejected.\n"
    );
    let server = program.serve();
    for (name, administrator) in [("bea", false), ("cal", true), ("dan", false)] {
        // The first sign-in rehashes with Argon2id, the second one verifies that.
        for _ in 0..2 {
            let client = Client::new(
                &server,
                &server.sign_in(name, "old password").await.unwrap(),
            );
            assert_eq!(client.get_json("/auth/me").await["is_admin"], administrator);
            client.get_json("/api/files").await;
        }
        assert_eq!(server.sign_in(name, "new password").await, None);
    }
}

#[test]
fn import_names_bad_lines_and_imports_valid_rows() {
    let program = TestProgram::new();
    let rows = [
        "username,hashed_password,is_admin".to_owned(),
        format!("bea,{BCRYPT_2B},0"),
        format!("bad name,{BCRYPT_2B},0"),
        "plain,hunter2,0".to_owned(),
        "sha,$5$rounds=535000$abcdefgh$ijklmnopqrstuvwxyz,0".to_owned(),
        format!("bea,{BCRYPT_2A},0"),
        format!("dan,{BCRYPT_2A},maybe"),
        "eve".to_owned(),
        format!("fay,{},0", BCRYPT_2B.replace("$2b$", "$2x$")),
        format!("gus,{},0", BCRYPT_2B.replace("$12$", "$31$")),
        "\u{1}".to_owned(),
        format!("hal,{BCRYPT_2B},1"),
    ];
    let mut bytes = rows.join("\n").into_bytes();
    *bytes.iter_mut().find(|byte| **byte == 1).unwrap() = 0xff;
    program.write_file("users.csv", bytes);
    let printed = program.run(&["user", "import", "users.csv"]);
    assert_eq!(printed.out, "2 accounts imported, 9 rejected.\n");
    let stderr = printed.expect_failure("line 3");
    for line in 3..=11 {
        let reported = stderr
            .lines()
            .filter(|text| text.starts_with(&format!("line {line}: ")))
            .count();
        assert_eq!(reported, 1, "line {line} in {stderr}");
    }
    assert!(
        !stderr.contains("$2") && !stderr.contains("hunter2"),
        "no hash is printed: {stderr}"
    );
    let list = program.run(&["user", "list"]).expect_success();
    assert!(
        list.starts_with("bea") && list.contains("hal") && list.lines().count() == 2,
        "{list}"
    );
}

#[test]
fn import_of_malformed_or_missing_file_is_rejected() {
    let program = TestProgram::with_ada();
    program.write_file("names.csv", "name,hash\na,b\n");
    program
        .run(&["user", "import", "names.csv"])
        .expect_failure("no column username");
    program.write_file("empty.csv", "");
    program
        .run(&["user", "import", "empty.csv"])
        .expect_failure("no column username");
    program
        .run(&["user", "import", "nowhere.csv"])
        .expect_failure("nowhere.csv");
    program
        .run(&["user", "import", "."])
        .expect_failure("cannot read .");
}
