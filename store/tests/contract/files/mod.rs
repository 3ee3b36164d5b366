//! Single operations: written data is read back unchanged.

mod history;
mod idempotency;
mod operations;
