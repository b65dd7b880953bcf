"""How kept connections to PostgreSQL are looked after."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.db import OperationalError, close_old_connections, connection, transaction

from accounts.models import Workspace
from config.postgresql import base
from inbox.models import Message, Sender
from tests.factories import make_channel

pytestmark = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite has no connections to lose"
)


@dataclass
class Clock:
    """Stands where it is put. `asked` are the moments at which the server was asked for a sign."""

    now: float = 100.0
    asked: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock, is_usable = Clock(), connection.is_usable

    def noted() -> bool:
        clock.asked.append(clock.now)
        return is_usable()

    monkeypatch.setattr(connection, "is_usable", noted)
    monkeypatch.setattr(connection, "_asked_at", 0.0, raising=False)  # SQLite has none
    monkeypatch.setattr(base, "time", clock)
    yield clock
    connection.close()


def one_request() -> None:
    close_old_connections()
    Workspace.objects.exists()
    close_old_connections()


@pytest.mark.django_db(transaction=True)
def test_burst_of_requests_asks_once_a_second(clock: Clock) -> None:
    for _ in range(5):
        one_request()
    clock.now += 1
    for _ in range(5):
        one_request()

    assert clock.asked == [100.0, 101.0]


@pytest.mark.django_db(transaction=True)
def test_lost_connection_costs_one_request_at_most(clock: Clock) -> None:
    one_request()
    one_request()  # which asks, if the first one had to connect
    connection.connection.close()

    with pytest.raises(OperationalError):
        one_request()
    one_request()


@pytest.mark.django_db(transaction=True)
def test_connection_lost_in_a_rest_costs_nothing(clock: Clock) -> None:
    one_request()
    connection.connection.close()
    clock.now += 1

    one_request()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_asked_in_the_middle_of_a_request(clock: Clock) -> None:
    one_request()
    close_old_connections()
    with transaction.atomic():
        Workspace.objects.create(name="First")
        clock.now += 5
        Workspace.objects.create(name="Second")
        clock.now += 5

    assert clock.asked == [100.0]
    assert Workspace.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("many", [65_535, 70_000])
def test_statement_may_have_more_values_than_the_protocol_counts(many: int) -> None:
    name = "100 % of 'it' %s"
    Workspace.objects.create(name=name)
    names = [name, *(f"other {number}" for number in range(many - 1))]
    places = ", ".join(["%s"] * many)

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name FROM accounts_workspace WHERE name IN ({places})", names)  # noqa: S608  # places alone
        assert cursor.fetchall() == [(name,)]


@pytest.mark.django_db
def test_agent_with_more_messages_than_that_can_be_deleted() -> None:
    channel = make_channel()
    Message.objects.bulk_create(
        [
            Message(workspace_id=channel.workspace_id, channel=channel, sender=Sender.AGENT)
            for _ in range(65_600)
        ]
    )

    channel.delete()

    assert not Message.objects.exists()
