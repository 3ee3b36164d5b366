//! Compile-fail tests: without the right permit nothing can be asked of a vault.

#[test]
fn call_without_matching_permit_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
