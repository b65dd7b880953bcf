"""One stack for each database, kept for all scenes; every line is shown at once and at the end."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from tests.chaos.checker import i11_no_secret_in
from tests.chaos.history import dump
from tests.chaos.scene import Scene, Stage
from tests.chaos.stack import Stack

DATABASES = os.environ.get("CHAOS_DATABASES", "sqlite,postgresql").split(",")
LINES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LINES] = []


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    lines = config.stash[LINES]
    if lines:
        terminalreporter.section("promises")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def full() -> bool:
    """`make chaos-long`: the numbers of the promises, not the small ones."""
    return os.environ.get("CHAOS") == "long"


@pytest.fixture(scope="session", params=DATABASES)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    stack = Stack(request.param)
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(line: str) -> None:
        request.config.stash[LINES].append(line)
        with capture.global_and_fixture_disabled():
            print(f"\n{line}", flush=True)  # noqa: T201  # the figures of this run

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is ended
    stage = Stage(stack, say)
    try:
        stack.start()
        stage.populate()
        yield stage
        assert not _leaks(stage)
    finally:
        stack.stop()


def _leaks(stage: Stage) -> list[str]:
    """I11, over every log and the whole database of the session."""
    texts = {
        path.name: path.read_text(errors="replace") for path in stage.stack.folder.glob("*.log")
    }
    return i11_no_secret_in(texts | {"dump": dump(stage.stack.database_url)}, stage.secrets)


@pytest.fixture
def scene(stage: Stage) -> Iterator[Callable[[str], Scene]]:
    """`scene("D1")` opens a scene that is closed with the test."""
    opened: list[Scene] = []

    def open_scene(name: str) -> Scene:
        opened.append(Scene(stage, name))
        return opened[-1]

    try:
        yield open_scene
    finally:
        for each in opened:
            each.__exit__()
