use auth::access::permit::Target;

struct Anywhere;

impl Target for Anywhere {
    type Requirement = ();
    type Resource = ();
}

fn main() {}
