"""One migrated database for a whole run; whoever needs one of its own copies that.

Migrating takes 3.5 seconds of a processor, copying next to nothing.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).parent.parent
TEMPLATE = "licet_migrated"


def copy_sqlite(target: Path) -> None:
    """Put a migrated database where there is none yet."""
    with _once("migrated.sqlite3") as path:
        if not path.exists():
            draft = path.with_suffix(".draft")
            _migrate(f"sqlite:///{draft}")  # its last connection empties the write-ahead log
            draft.rename(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)


def postgresql_template(url: str) -> str:
    """The name of a migrated database on the server of this URL, for `CREATE DATABASE`."""
    with _once(f"migrated.{urlsplit(url).port}") as done:
        if not done.exists():
            with psycopg.connect(url, autocommit=True) as server:
                server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
            _migrate(urlsplit(url)._replace(path=f"/{TEMPLATE}").geturl())
            done.touch()
    return TEMPLATE


@contextmanager
def _once(name: str) -> Iterator[Path]:
    """A path in the folder of the run; one process at a time looks at it."""
    folder = Path(os.environ["TEST_SHARED"])
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / name


def _migrate(url: str) -> None:
    """As an operator does, in a process and a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="licet-migrating-") as folder:
        subprocess.run(
            [sys.executable, ROOT / "manage.py", "migrate", "--verbosity", "0"],
            cwd=folder,  # a developer's `.env` lies elsewhere
            env={
                **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
                "SECRET_KEY": "for migrating",
                "DATA_DIR": folder,
                "DATABASE_URL": url,
            },
            check=True,
        )
