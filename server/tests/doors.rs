//! A route that does not say who may enter does not compile.

#[test]
fn route_without_a_door_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
