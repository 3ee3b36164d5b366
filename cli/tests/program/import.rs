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

/// Each file holds bea, dan as an administrator, and cal.
fn spreadsheet_files() -> Vec<(&'static str, Vec<u8>)> {
    let plain = format!(
        "username,hashed_password,is_admin\r\nbea,{BCRYPT_2B},FALSE\r\n,,\r\ndan,{BCRYPT_2A},TRUE\r\ncal,{BCRYPT_2Y},\r\n,,\r\n"
    );
    let padded = plain.replace("username,hashed_password", " UserName , Hashed Password");
    let semicolons = plain.replace(',', ";");
    let tabs = plain.replace(',', "\t");
    let utf_16 = |text: &str, to_bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    };
    vec![
        ("commas", plain.clone().into_bytes()),
        ("padded", padded.into_bytes()),
        ("semicolons", semicolons.clone().into_bytes()),
        ("tabs", tabs.clone().into_bytes()),
        ("bars", plain.replace(',', "|").into_bytes()),
        ("stated comma", format!("sep=,\r\n{plain}").into_bytes()),
        (
            "stated semicolon",
            format!("SEP=;\r\n{semicolons}").into_bytes(),
        ),
        (
            "stated colon",
            format!("sep=:\n{}", plain.replace(',', ":")).into_bytes(),
        ),
        (
            "quoted statement",
            format!("\"sep=;\"\n{semicolons}").into_bytes(),
        ),
        (
            "mark",
            format!("\u{feff}sep=;\r\n{semicolons}").into_bytes(),
        ),
        (
            "utf-16 le",
            utf_16(&format!("\u{feff}{tabs}"), u16::to_le_bytes),
        ),
        (
            "utf-16 be",
            utf_16(&format!("\u{feff}{semicolons}"), u16::to_be_bytes),
        ),
        ("utf-16 le, no mark", utf_16(&plain, u16::to_le_bytes)),
        ("utf-16 be, no mark", utf_16(&plain, u16::to_be_bytes)),
        (
            "empty rows first",
            format!("\r\n,,\r\n{plain}").into_bytes(),
        ),
        ("carriage returns", plain.replace("\r\n", "\r").into_bytes()),
        (
            "empty columns",
            plain.replace("\r\n", ",,\r\n").into_bytes(),
        ),
        (
            "cells left out",
            plain.replace(",\r\n", "\r\n").into_bytes(),
        ),
    ]
}

#[test]
fn files_of_spreadsheet_programs_are_imported() {
    for (name, bytes) in spreadsheet_files() {
        let program = TestProgram::new();
        program.write_file("users.csv", bytes);
        let printed = program.run(&["user", "import", "users.csv"]);
        assert_eq!(
            printed.expect_success(),
            "3 accounts imported, 0 rejected.\n",
            "{name}"
        );
        let list = program.run(&["user", "list"]).expect_success();
        let administrators: Vec<_> = list
            .lines()
            .filter(|line| line.contains("administrator"))
            .collect();
        assert!(
            matches!(administrators.as_slice(), [line] if line.starts_with("dan ")),
            "{name}: {list}"
        );
    }
}

#[test]
fn rejected_rows_are_named_by_their_line() {
    let program = TestProgram::with_ada();
    for ending in ["\n", "\r\n", "\r"] {
        let rows = [
            "sep=;",
            "username;hashed_password",
            ";",
            "bad name;x",
            "",
            "gus;hunter2",
        ];
        program.write_file("users.csv", rows.join(ending));
        let printed = program.run(&["user", "import", "users.csv"]);
        let stderr = printed.expect_failure("line 4: ");
        assert!(stderr.contains("line 6: "), "{ending:?}: {stderr}");
    }
}

#[test]
fn unreadable_spreadsheet_files_are_rejected_by_reason() {
    let program = TestProgram::with_ada();
    let utf_32: Vec<u8> = "\u{feff}username"
        .chars()
        .flat_map(|c| u32::from(c).to_le_bytes())
        .collect();
    let header = "username,hashed_password";
    let files: [(&[u8], &str); 7] = [
        (&utf_32, "the encoding is UTF-32"),
        (
            b"\xff\xfeu\0s",
            "looks like UTF-16, but the text is damaged",
        ),
        (b"\xff\xfeu\0s\0", "no column username"),
        (
            b"\xff\xfeu\0s\0\x00\xd8",
            "looks like UTF-16, but the text is damaged",
        ),
        (b"sep=\nusername", "the first line names no separator"),
        (
            b"username/hashed_password",
            "comma, semicolon, tab or |, in UTF-8 or UTF-16",
        ),
        (
            b"username,Username,hashed_password",
            "the column username stands twice",
        ),
    ];
    for (bytes, reason) in files {
        program.write_file("users.csv", bytes);
        program
            .run(&["user", "import", "users.csv"])
            .expect_failure(reason);
    }
    // A row of Windows-1252 names its encoding and leaves the others alone.
    let mut bytes = format!("{header}\nMxller,{BCRYPT_2B}\nbea,{BCRYPT_2A}\n").into_bytes();
    let position = bytes.iter().position(|byte| *byte == b'x').expect("the x");
    bytes[position] = 0xfc;
    program.write_file("users.csv", bytes);
    let printed = program.run(&["user", "import", "users.csv"]);
    assert_eq!(printed.out, "1 account imported, 1 rejected.\n");
    printed.expect_failure("line 2: not valid UTF-8; save the file as \"CSV UTF-8\"");
}
