"""Tables: the first rows and columns of every sheet, as text."""

import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time
from pathlib import Path
from typing import Any

from attachments.conversion import parts
from attachments.conversion.archives import inspect
from attachments.conversion.texts import decode

ROWS = 200
COLUMNS = 50
SHEETS = 20
LONGEST_CELL = 500
# Above, a float is no exact number any more.
EXACT = 2**53
LARGEST_CSV = 2 * 1024 * 1024
SAMPLE = 8192
DELIMITERS = ",;\t|"

type Sheet = dict[str, Any]


def convert(source: Path, folder: Path, filename: str) -> None:
    """Raises: RefusedError; whatever the libraries raise for a broken file."""
    suffix = filename.rpartition(".")[2]
    if suffix in {"csv", "tsv"}:
        sheets = [_delimited(source, suffix)]
    elif suffix in {"xlsx", "xlsm"}:
        sheets = _workbook(source)
    else:
        sheets = _other_workbook(source)
    text = json.dumps({"sheets": sheets}, ensure_ascii=False, separators=(",", ":"))
    (folder / parts.TABLE).write_text(text, encoding="utf-8", errors="replace")


def _delimited(source: Path, suffix: str) -> Sheet:
    with source.open("rb") as opened:
        text = decode(opened.read(LARGEST_CSV))
    csv.field_size_limit(LARGEST_CSV)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text, suffix))
    return _sheet("", rows)


def _delimiter(text: str, suffix: str) -> str:
    """The one that parts the lines alike: the first lines have it equally often."""
    if suffix == "tsv":
        return "\t"
    lines = text[:SAMPLE].splitlines()[:20]
    counts = {mark: [line.count(mark) for line in lines] for mark in DELIMITERS}
    return max(DELIMITERS, key=lambda mark: _likelihood(counts[mark]))


def _likelihood(counts: Sequence[int]) -> tuple[int, int]:
    if not counts or not counts[0]:
        return (0, 0)
    return (counts.count(counts[0]), counts[0])


def _workbook(source: Path) -> list[Sheet]:
    """Read row by row: a sheet that says it has a million columns is not believed."""
    import openpyxl

    inspect(source)
    with source.open("rb") as opened:
        book = openpyxl.load_workbook(opened, read_only=True, data_only=True, keep_links=False)
        sheets = book.worksheets[:SHEETS]
        for sheet in sheets:
            sheet.reset_dimensions()
        return [_sheet(sheet.title, sheet.iter_rows(values_only=True)) for sheet in sheets]


def _other_workbook(source: Path) -> list[Sheet]:
    import python_calamine

    inspect(source)
    with source.open("rb") as opened:
        book = python_calamine.CalamineWorkbook.from_filelike(opened)
        names = book.sheet_names[:SHEETS]
        return [_sheet(name, book.get_sheet_by_name(name).iter_rows()) for name in names]


def _sheet(name: str, rows: Iterable[Iterable[Any]]) -> Sheet:
    taken = list(itertools.islice(_cut(rows), ROWS + 1))
    shown = [cells for cells, _more in taken[:ROWS]]
    while shown and not shown[-1]:
        shown.pop()
    return {
        "name": name[:LONGEST_CELL],
        "rows": shown,
        "more_rows": len(taken) > ROWS,
        "more_columns": any(more for _cells, more in taken[:ROWS]),
    }


def _cut(rows: Iterable[Iterable[Any]]) -> Iterator[tuple[list[str], bool]]:
    for row in rows:
        cells = [_text(value) for value in itertools.islice(row, COLUMNS + 1)]
        while cells and not cells[-1]:
            cells.pop()
        yield cells[:COLUMNS], len(cells) > COLUMNS


def _text(value: Any) -> str:
    """A value as people write it: 3 and not 3.0, a day without midnight."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    if isinstance(value, datetime):
        return str(value.date() if value.time() == time() else value)
    return str(value)[:LONGEST_CELL]
