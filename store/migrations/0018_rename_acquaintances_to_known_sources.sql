-- The throttle's memory: networks and browsers that an account signed in from. See docs/decisions/0050-two-memories-of-sources.md.
ALTER TABLE acquaintances RENAME TO known_sources;
