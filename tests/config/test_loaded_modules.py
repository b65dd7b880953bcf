"""What processes load: nothing that they never use, which would be memory for nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.broker import SCHEDULE
from config.celery import app

ROOT = Path(__file__).parents[2]
CLOCK = "import config.clock as it; it.app.loader.init_worker(); it.app.finalize()"
WORKER = "import config.celery as it; it.app.loader.init_worker(); it.app.finalize()"
REALTIME = "import config.asgi"
ONE_PORT = "import config.asgi, config.urls"
DRAWING = {"PIL", "pypdfium2", "openpyxl", "python_calamine", "mammoth", "boto3"}
PAGES = {"config.urls", "web.urls", "web.views", "markdown_it", "nh3"}
PRODUCT = {"accounts", "inbox", "delivery", "reviews", "attachments", "api", "web"}
FRAMEWORKS = {"django.db", "django.http", "django.template", "rest_framework"}


@pytest.mark.parametrize(
    ("process", "needless"),
    [
        pytest.param(CLOCK, PRODUCT | FRAMEWORKS, id="clock"),
        pytest.param(WORKER, PAGES | DRAWING | {"aiohttp", "socketio"}, id="worker"),
        pytest.param(REALTIME, PAGES | DRAWING | {"pywebpush"}, id="realtime"),
        pytest.param(ONE_PORT, DRAWING | {"pywebpush"}, id="one port"),
    ],
)
def test_process_loads_nothing_that_it_does_not_need(
    process: str, needless: set[str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{process}; import sys; print(*sys.modules)"],
        cwd=ROOT,
        env=os.environ | {"DATA_DIR": str(tmp_path), "SECRET_KEY": "x", "ONE_PORT": "on"},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert "celery" in loaded
    assert loaded & needless == set()


def test_every_tick_of_the_clock_is_a_task_that_workers_know() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in SCHEDULE.values()} <= app.tasks.keys()
