//! Compile-fail tests: a permit comes only from the policy, fits one action, and cannot be copied.

#[test]
fn permits_cannot_be_forged_copied_or_widened() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
