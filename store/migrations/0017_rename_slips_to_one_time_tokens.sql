ALTER TABLE slips RENAME TO one_time_tokens;
