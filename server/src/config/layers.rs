//! Settings of several sources. The first one that has a value decides.

/// Takes each field from `first`, or else from `next`. A field that is left out does not compile.
macro_rules! first_of {
    ($first:ident, $next:ident: $($field:ident),+ $(,)?) => {
        Self { $($field: $first.$field.or($next.$field)),+ }
    };
}
pub(super) use first_of;
