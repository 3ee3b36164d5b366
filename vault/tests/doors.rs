//! Compile-fail tests: without the right permit nothing can be asked of a vault.

#[test]
fn a_call_without_the_right_permit_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
