"""A running realtime application, an agent that listens, and a person's page."""

from collections.abc import Iterator

import pytest
import socketio

from accounts.models import User
from inbox.models import Channel
from tests.api.realtime.running import Running, client, subscribe
from tests.factories import (
    make_channel,
    make_key,
    make_person,
    make_ticket,
    make_workspace,
)


@pytest.fixture(scope="module")
def realtime() -> Iterator[Running]:
    with Running() as running:
        yield running


@pytest.fixture
def channel() -> Channel:
    return make_channel(make_workspace())


@pytest.fixture
def key(channel: Channel) -> str:
    return make_key(channel.workspace).clear


@pytest.fixture
def agent(realtime: Running, key: str, channel: Channel) -> Iterator[socketio.SimpleClient]:
    """An agent that listens to its channel."""
    with client(realtime, apiKey=key) as sio:
        subscribe(sio, channel.pk)
        yield sio


@pytest.fixture
def person(channel: Channel) -> User:
    return make_person(channel.workspace)


@pytest.fixture
def page(realtime: Running, person: User) -> Iterator[socketio.SimpleClient]:
    """A person's browser, which subscribes to nothing."""
    with client(realtime, token=make_ticket(person)) as sio:
        yield sio
