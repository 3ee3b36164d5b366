//! What must not compile: a permit comes from the policy, fits one action, and is not kept.

#[test]
fn permits_cannot_be_forged_copied_or_widened() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
