"""Every operation, page and tick makes as many statements as its table says, for few and many rows.

The table is `statements.txt`; its head says how to read it. Walked are two stages that differ only
in how many rows they have, so a statement for each row shows up as another number.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from accounts import key_memory
from inbox import channel_memory
from tests.growth.scene import Scene, build_scene
from tests.growth.small import small_stage
from tests.growth.walks import WALKS, Walk

TABLE = Path(__file__).with_name("statements.txt")
LINE = re.compile(
    r"(?P<few>\d+)(?: to (?P<many>\d+))?\s{2,}(?P<name>\S.*?)(?:\s{2,}# (?P<why>.+))?"
)
FEW, MANY = 3, 30
CLOCK = "SELECT clock_timestamp()"  # not counted: SQLite asks this machine's


@dataclass(frozen=True)
class Entry:
    """What an operation may cost with few rows and with many, and why they differ."""

    few: int
    many: int
    why: str


def read_table() -> dict[str, Entry]:
    entries = {}
    for line in TABLE.read_text().splitlines():
        if line and not line.startswith("#"):
            found = LINE.fullmatch(line)
            assert found, f"{TABLE.name}: {line!r} is no entry"
            few, many, name, why = found.group("few", "many", "name", "why")
            assert name not in entries, f"{TABLE.name}: {name} stands there twice"
            entries[name] = Entry(int(few), int(many or few), why or "")
    return entries


def walked(walk: Walk, scene: Scene) -> list[str]:
    """The statements of one call, as the first of a process; what it wrote is taken back.

    What it does after the commit is counted as well.
    """
    with transaction.atomic():
        walk.prepare(scene)
        key_memory._good.clear()
        channel_memory._owners.clear()
        with (
            CaptureQueriesContext(connection) as captured,
            TestCase.captureOnCommitCallbacks(execute=True),
        ):
            answer = walk.call(scene)
        transaction.set_rollback(True)
    status = getattr(answer, "status_code", 200)
    assert status < 400 or "waitForReview" in walk.name, f"{walk}: {status}, {answer.content}"
    made = [str(each["sql"]) for each in captured.captured_queries]
    return [sql for sql in made if sql != CLOCK]


def differences(scene: Scene, table: dict[str, Entry], *, many: bool) -> Iterator[str]:
    for walk in WALKS:
        statements, entry = walked(walk, scene), table.get(walk.name)
        expected = entry and (entry.many if many else entry.few)
        if len(statements) != expected:
            rows = MANY if many else FEW
            shown = "\n".join(f"    {sql[:300]}" for sql in statements)
            yield (
                f"{walk} makes {len(statements)} statements with {rows} rows, "
                f"{TABLE.name} says {'nothing' if expected is None else expected}:\n{shown}"
            )


@pytest.mark.timeout(300)
@pytest.mark.parametrize("rows", [FEW, MANY])
def test_statements_are_as_many_as_the_table_says(db: None, now: datetime, rows: int) -> None:
    scene = build_scene(small_stage(rows, now), "large")
    found = list(differences(scene, read_table(), many=rows == MANY))
    assert not found, "\n".join(found)


def test_table_names_what_is_walked_and_says_why_something_grows() -> None:
    table = read_table()
    assert set(table) == {walk.name for walk in WALKS}
    assert [
        name for name, entry in table.items() if entry.few != entry.many and not entry.why
    ] == []
