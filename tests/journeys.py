"""Which process runs which journey, for `pytest --dist loadfile`."""

import re

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

SEPARATE = re.compile(r"\[(.*-)?separate(-.*)?\]$")


class JourneyScheduling(LoadFileScheduling):  # type: ignore[misc]  # it has no types
    """One process runs a whole file; and one of them all on separate processes, slow to start.

    The journeys of a file share an account and what is slow to start. Marks for `--dist loadgroup`
    cannot say this: xdist 3.8 notes them where pytest 9.2 does not look (pytest-xdist#1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        return "separate" if SEPARATE.search(nodeid) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    return JourneyScheduling(config, log) if config.getoption("dist") == "loadfile" else None
