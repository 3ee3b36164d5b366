//! What must not compile: a permit comes from the policy, fits one action, and is not kept.

#[test]
fn permits_are_neither_forged_nor_copied_nor_widened() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
