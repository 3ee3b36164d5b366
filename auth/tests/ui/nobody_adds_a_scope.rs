use auth::permit::Scope;

struct Anywhere;

impl Scope for Anywhere {
    type Need = ();
    type Place = ();
}

fn main() {}
