"""A1: an archive and its database hold every message together, whoever kills the archiving."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.chaos.points import ARCHIVING

ROOT = Path(__file__).parents[2]
MESSAGES = 1000
NEVER = "9999-12-31"

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]


def run(folder: Path, *command: str, faults: str = "") -> int:
    """A process of its own, on a database of its own. Returns how it ended."""
    there = {
        "DATABASE_URL": f"sqlite:///{folder}/licet.sqlite3",
        "DATA_DIR": str(folder / "data"),
        "FAULTS": faults,
    }
    done = subprocess.run(
        [sys.executable, *command], env=os.environ | there, cwd=ROOT, capture_output=True
    )
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr.decode()
    return done.returncode


def archive(folder: Path, before: datetime, *, faults: str = "") -> int:
    day, to = f"--before={before:%Y-%m-%d}", f"--to={folder / 'archive'}"
    return run(folder, "manage.py", "archive_messages", day, to, faults=faults)


def in_database(folder: Path, before: datetime | None = None) -> set[str]:
    limit = f"{before:%Y-%m-%d}" if before else NEVER
    asked = (
        "SELECT id FROM inbox_message m LEFT JOIN reviews_reviewrequest r ON r.message_id = m.id "
        "WHERE m.created_at < ? AND (? = '9999-12-31' OR COALESCE(r.status, '') != 'pending')"
    )
    with closing(sqlite3.connect(folder / "licet.sqlite3")) as database:
        return {pk for (pk,) in database.execute(asked, [limit, limit])}


def in_archive(folder: Path) -> list[str]:
    """The ids of all finished lines."""
    lines = [
        line
        for path in (folder / "archive").rglob("*.jsonl")
        for line in path.read_bytes().splitlines(keepends=True)
        if line.endswith(b"\n")
    ]
    return [json.loads(line)["message"]["id"].replace("-", "") for line in lines]


def test_A1_archive_and_database_hold_every_message_together(tmp_path: Path) -> None:
    before = datetime.now(UTC) - timedelta(days=30)
    assert run(tmp_path, "manage.py", "migrate", "--verbosity=0") == 0
    assert run(tmp_path, "-m", "bench.seed", str(MESSAGES)) == 0
    every = in_database(tmp_path)
    assert len(every) == MESSAGES
    for visit in (1, 3):
        for point in ARCHIVING:
            ended = archive(tmp_path, before, faults=f"{point}:kill@{visit}")
            assert ended == -signal.SIGKILL
            assert in_database(tmp_path) | set(in_archive(tmp_path)) == every
    assert archive(tmp_path, before) == 0
    archived = in_archive(tmp_path)
    assert len(archived) == len(set(archived))
    assert in_database(tmp_path) | set(archived) == every
    assert not in_database(tmp_path) & set(archived)
    left = in_database(tmp_path, before)
    assert len(left) < MESSAGES / 20  # chains with a young or open member
