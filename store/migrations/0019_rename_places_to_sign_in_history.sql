-- The notices' memory: user agents and coarse networks that an account signed in from.
ALTER TABLE places RENAME TO sign_in_history;
