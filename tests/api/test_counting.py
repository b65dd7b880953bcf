"""One round trip counts what three did, and to the same figures."""

import time
import uuid
from typing import Any, cast

import pytest
from limits import RateLimitItemPerMinute

from api import throttling
from api.counting import CallStorage


@pytest.fixture
def storage() -> CallStorage:
    return cast("CallStorage", throttling._limiter().storage)


def fresh(amount: int) -> RateLimitItemPerMinute:
    return RateLimitItemPerMinute(amount, namespace=uuid.uuid4().hex)


def test_call_counts_and_stands_as_limits_has_it(storage: CallStorage) -> None:
    few, many = fresh(3), fresh(10)
    for left in (2, 1, 0):
        standing = storage.count([(few, "key"), (many, "address")])
        theirs = throttling._limiter().get_window_stats(few, "key")
        assert standing.rooms == [True, True]
        assert standing.remaining == theirs.remaining == left
        gap = abs(standing.reset_seconds - (theirs.reset_time - time.time())) % 60
        assert min(gap, 60 - gap) <= 1.5  # one that just begins ends now, or in a minute
    assert storage.count([(few, "key"), (many, "address")]).rooms == [False, True]
    assert throttling._limiter().get_window_stats(many, "address").remaining == 6


def test_full_window_before_counts_for_what_is_left_of_it(storage: CallStorage) -> None:
    limit = fresh(10)
    for _ in range(10):
        storage.count([(limit, "key")])
    current = storage.prefixed_key(storage._current_window_key(limit.key_for("key")))
    cast("Any", storage.get_connection()).pexpire(
        current, 30_000
    )  # as half a minute into the next window
    standing = storage.count([(limit, "key")])
    assert (standing.rooms, standing.remaining in {4, 5}) == ([True], True)
    assert 1 <= standing.reset_seconds <= 60


def test_call_is_one_round_trip(storage: CallStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    storage.count([(fresh(1), "key")])
    sent: list[Any] = []
    connection = cast("Any", storage.get_connection())
    execute = connection.execute_command

    def note(*command: Any, **options: Any) -> Any:
        sent.append(command[0])
        return execute(*command, **options)

    monkeypatch.setattr(connection, "execute_command", note)
    storage.count([(fresh(5), "key"), (fresh(5), "address")])
    assert sent == ["EVALSHA"]
