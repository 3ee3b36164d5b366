#!/usr/bin/env python3
"""Times searches in a vault of 1,000,000 files on SQLite, before and after the index, in one run.

    python3 bench/search.py [FILES]

Runs the statements of store/src/listing on the tables of store/migrations, in memory. Prints a table as Markdown.
"""

import pathlib
import sqlite3
import sys
import time

FILES = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
MIGRATIONS = pathlib.Path(__file__).parent.parent / "store/migrations"
FILES_TABLE = ("0001", "0012", "0023", "0024")
BEFORE = """SELECT path FROM files WHERE vault_id = 'v' AND deleted = 0 AND kind = 1 AND instr(path_key, ?1) > 0
    ORDER BY path_key LIMIT 100"""
COUNT = "SELECT COUNT(*) FROM (SELECT rowid FROM file_grams WHERE file_grams MATCH ?1 LIMIT 20001)"
ORDERED = "AND vault_id = 'v' AND deleted = 0 AND kind = 1 {words} ORDER BY natural_key, path_key LIMIT 100"
INDEXED = """SELECT path FROM files INDEXED BY files_search_id
    WHERE search_id IN (SELECT rowid FROM file_grams WHERE file_grams MATCH ?1) """ + ORDERED
SCANNED = "SELECT path FROM files WHERE ?1 <> '' " + ORDERED


def script(path):
    # Python's SQLite may be older than 3.43, which deletes from an index without content. Searches are the same.
    return path.read_text().replace(' COLLATE "C"', "").replace("contentless_delete = 1, ", "")


def rows():
    for i in range(FILES):
        name = f"part {i} {i * 2654435761 % 4294967296:08x}.step"
        path, folder = f"f{i % 1000:03}/{name}", f"f{i % 1000:03}"
        text = f"spindle {i}" if i % 1000 == 7 else None
        natural = f"f03{i % 1000:03}\x01part {len(str(i)):02x}{i} {name}"
        yield ("v", f"{i:08}", 1, path, path, folder, name, text, 1, i, "", i, i, "ada", 0, 0, natural,
               f"/{path}\n{text or ''}")


def timed(db, statement, parameters):
    started = time.perf_counter()
    found = db.execute(statement, parameters).fetchall()
    return time.perf_counter() - started, found


def search(db, text):
    parts = [f"{part}\n" if word.startswith("*") else part for word in text.split() for part in [word.lstrip("*")]]
    grams = sorted({part[at:at + 3] for part in parts for at in range(len(part) - 2)})
    words = " ".join(f"AND instr(search_text, ?{n}) > 0" for n in range(2, len(parts) + 2))
    expression = " AND ".join('"' + gram.replace('"', '""') + '"' for gram in grams)
    if not grams:
        return timed(db, SCANNED.format(words=words), ["-", *parts])
    counting, [(count,)] = timed(db, COUNT, [expression])
    statement = INDEXED if count <= 20_000 else SCANNED
    reading, found = timed(db, statement.format(words=words), [expression, *parts])
    return counting + reading, found


def main():
    db = sqlite3.connect(":memory:")
    for path in sorted(MIGRATIONS.glob("*.sql")):
        if path.name.startswith(FILES_TABLE[:3]) or path.name.endswith(("order_and_search.sql",)):
            db.executescript(script(path))
    columns = """vault_id, file_id, kind, path, path_key, parent_key, leaf_key, description, revision, change, oid, size,
        modified_at, modified_by, grants, deleted, natural_key, search_text"""
    db.executemany(f"INSERT INTO files ({columns}) VALUES ({', '.join('?' * 18)})", rows())
    started = time.perf_counter()
    db.executescript(script(next(MIGRATIONS.glob("*order_and_search.sqlite.sql"))))
    print(f"{FILES:,} files; the index is filled in {time.perf_counter() - started:.1f} s\n")
    print("| search | before | now | found |\n|---|--:|--:|--:|")
    for text in ("999999", "part 99999 f999", "spindle 5007", "step", "*9.step", "absent", "zz"):
        before, _ = timed(db, BEFORE, [text])
        now, found = search(db, text)
        print(f"| `{text}` | {before * 1e3:.1f} ms | {now * 1e3:.1f} ms | {len(found)} |")


main()
