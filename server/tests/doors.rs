//! A route whose handler does not name its door does not compile.

#[test]
fn route_without_a_door_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
