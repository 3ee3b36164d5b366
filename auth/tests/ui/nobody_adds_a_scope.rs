use auth::access::permit::Scope;

struct Anywhere;

impl Scope for Anywhere {
    type Need = ();
    type Place = ();
}

fn main() {}
