//! What a program calls itself (`User-Agent`), in words that its owner knows.

pub(crate) use auth::place::known;
