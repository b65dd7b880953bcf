"""The stream behind a real server on loopback, a real Valkey, and a person who listens."""

from collections.abc import Iterator
from typing import Self

import pytest

from accounts.models import User, Workspace
from inbox.models import Channel
from tests.api.realtime.running import Running
from tests.factories import make_channel, make_person, make_workspace
from tests.web.stream.listening import Tab, cookie_of
from web.stream.app import PATH, Pace, Streams

# Nothing happens by itself: what the clock would do, a test does.
STILL = Pace(heartbeat=3600, check=3600, youngest=3600, oldest=3600, second_resync=3600)


class Server(Running):
    def __init__(self, pace: Pace = STILL) -> None:
        self.streams = Streams(pace)
        super().__init__({PATH: self.streams})

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def open_streams(self) -> int:
        return len(self.streams._all())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def workspace(transactional_db: None) -> Workspace:
    return make_workspace()


@pytest.fixture
def channel(workspace: Workspace) -> Channel:
    return make_channel(workspace)


@pytest.fixture
def person(workspace: Workspace) -> User:
    return make_person(workspace)


@pytest.fixture
def tab(server: Server, person: User) -> Iterator[Tab]:
    with Tab(server.url, cookie_of(person)) as opened:
        yield opened
