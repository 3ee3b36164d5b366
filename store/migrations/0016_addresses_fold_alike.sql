-- Letters A to Z alone are folded, as in the program and in SQLite: PostgreSQL would go by the locale.
DROP INDEX accounts_email;
CREATE INDEX accounts_email ON accounts (LOWER(email COLLATE "C"));
