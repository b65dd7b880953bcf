"""Odd names of files: each becomes a name that is one, everywhere it goes."""

import re

import pytest

from attachments.links import disposition
from attachments.storage import LONGEST_NAME, safe_filename

ODD = {
    "": "file",
    ".": "file",
    "..": "file",
    "....": "file",
    " . . ": "file",
    "/": "file",
    "../../etc/passwd": "passwd",
    "..\\..\\windows\\system32\\a.dll": "a.dll",
    "C:\\boot.ini": "boot.ini",
    "/etc/": "file",
    ".htaccess": "htaccess",
    "a.txt.": "a.txt",
    "a.txt . .": "a.txt",
    "a\0.txt": "a.txt",
    "a\r\nSet-Cookie: b=c.txt": "aSet-Cookie: b=c.txt",
    "\u202egnp.exe": "gnp.exe",
    "a\u200b\u2066b\u2069\ufeff.txt": "ab.txt",
    "a\ud800.txt": "a.txt",
    "\U000e0041.txt": "txt",
    "cafe\u0301.txt": "café.txt",
    "CON": "_CON",
    "con.txt": "_con.txt",
    "Aux .tar.gz": "_Aux .tar.gz",
    "LPT\u00b9": "_LPT\u00b9",
    "COM0": "COM0",
    "console.log": "console.log",
    "nul/../NUL": "_NUL",
    'a"b\\c': "c",
    'a"; filename="b.exe': 'a"; filename="b.exe',
}


@pytest.mark.parametrize(("given", "kept"), ODD.items(), ids=ascii)
def test_odd_name_becomes_one(given: str, kept: str) -> None:
    assert safe_filename(given) == kept
    assert safe_filename(kept) == kept


@pytest.mark.parametrize(
    "given",
    [
        "x" * 10_000,
        "x" * 10_000 + ".pdf",
        "." + "x" * 10_000,
        "x." + "y" * 10_000,
        "é" * 10_000,
        "x" * 149 + " y",
        "CON" + " " * 10_000 + ".txt",
        "a" + "\u202e" * 10_000 + ".txt",
        "../" * 5_000 + "x",
    ],
    ids=range(9),
)
def test_long_name_is_cut_and_keeps_its_ending(given: str) -> None:
    name = safe_filename(given)
    assert 0 < len(name) <= LONGEST_NAME
    assert safe_filename(name) == name
    assert name.endswith(".pdf") == given.endswith(".pdf")


@pytest.mark.parametrize("name", [*ODD, *ODD.values()], ids=ascii)
def test_no_name_leaves_its_quotes(name: str) -> None:
    """Whatever stood in the database: the header has two quotes, no line ends, and ASCII only."""
    header = disposition(name.encode("utf-8", "replace").decode(), inline=False)
    assert re.fullmatch(
        r"attachment; filename=\"[^\"\r\n\\]*\"; filename\*=UTF-8''[^\"\r\n ;]*", header
    )
    assert header.isascii()
