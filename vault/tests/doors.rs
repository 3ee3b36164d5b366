//! Compile-fail tests: every operation on a vault needs the right permit.

#[test]
fn call_without_matching_permit_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
