//! Seeing each other.
