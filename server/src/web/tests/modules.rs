//! The scripts import only modules that exist.

use std::path::Path;

#[test]
fn modules_import_modules_that_exist() {
    for folder in ["js", "js/docs"] {
        assert_modules_import_existing(folder);
    }
}

fn assert_modules_import_existing(folder: &str) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("assets")
        .join(folder);
    let entries = std::fs::read_dir(&here)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let modules: Vec<_> = entries.filter(|path| path.is_file()).collect();
    assert!(modules.len() > 4, "{folder}");
    for module in modules {
        let text = std::fs::read_to_string(&module).unwrap();
        for name in text
            .split("from '.")
            .skip(1)
            .filter_map(|rest| rest.split('\'').next())
        {
            let imported = here.join(format!(".{name}"));
            assert!(imported.is_file(), "{} imports {name}", module.display());
        }
        assert!(
            !text.contains("innerHTML =") && !text.contains("console."),
            "{} writes HTML or noise",
            module.display()
        );
    }
}
