#!/usr/bin/env python3
"""Makes common-8.txt and common-15.txt, most common first, out of two lists that are sorted so themselves.

    make.py 10-million-password-list-top-1000000.txt rockyou.txt
"""
import pathlib
import sys
import unicodedata

SHORT, LONG = 10_000, 10_000
FOLDER = pathlib.Path(__file__).parent


def passwords(path):
    for line in open(path, "rb"):
        try:
            word = unicodedata.normalize("NFKC", line.rstrip(b"\r\n").decode()).casefold()
        except UnicodeDecodeError:
            continue
        # Not what is somebody's address, nor what was scraped off a page.
        if word.isprintable() and word == word.strip() and not any(c in word for c in "@<>\\") and "http" not in word:
            yield word


def first(words, least, most, count):
    found = {}
    for word in words:
        if least <= len(word) <= most:
            found[word] = None
            if len(found) == count:
                break
    return list(found)


def main(million, rockyou):
    short = first(passwords(million), 8, 14, SHORT)
    long = [first(passwords(path), 15, 72, LONG) for path in (rockyou, million)]
    # In turns: both are sorted by how often, and count in different crowds.
    turns = dict.fromkeys(lst[n] for n in range(LONG) for lst in long if n < len(lst))
    (FOLDER / "common-8.txt").write_text("".join(f"{word}\n" for word in short))
    (FOLDER / "common-15.txt").write_text("".join(f"{word}\n" for word in turns))


main(*sys.argv[1:])
