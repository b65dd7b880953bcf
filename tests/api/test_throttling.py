"""Limits on keys that are guessed and on addresses, told by the usual headers."""

import itertools
from ipaddress import ip_network
from typing import Any

import pytest
from limits import RateLimitItemPerMinute
from pytest_django.fixtures import Settings

from accounts.pause import Pause
from api import throttling
from api.realtime.app import Realtime
from tests.api.placet.test_bad_input import assert_refused
from tests.asgi import get
from tests.conftest import Agent

PATH = "/api/v1/agents"
_hosts = itertools.count(1)


@pytest.fixture(autouse=True)
def _limits(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RATE_LIMITS = True
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]
    monkeypatch.setattr(throttling, "_blocked", {})


@pytest.fixture
def address() -> str:
    """An address that no other test calls from."""
    return f"203.0.113.{next(_hosts)}"


def call(key: str, address: str, path: str = PATH) -> Any:
    return Agent(key).call("GET", path, **{"x-forwarded-for": address})


def guess(address: str, times: int) -> list[Any]:
    return [call("hp_" + "0" * 48, address) for _ in range(times)]


@pytest.mark.django_db
def test_twenty_bad_keys_a_minute_are_enough(address: str, django_assert_num_queries: Any) -> None:
    assert {answer.status_code for answer in guess(address, 20)} == {401}
    with django_assert_num_queries(0):
        refused = call("hp_" + "1" * 48, address)
    assert_refused(refused, 429)
    assert int(refused["Retry-After"]) >= 1


def test_guessing_from_one_address_does_not_disturb_another(agent: Agent, address: str) -> None:
    guess(address, 25)
    assert call(agent.key, "198.51.100.1").status_code == 200


@pytest.mark.django_db
def test_forged_address_does_not_help(address: str, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]
    for number in range(20):
        call("hp_" + "0" * 48, f"1.2.3.{number}, {address}")
    assert_refused(call("hp_" + "0" * 48, f"1.2.3.99, {address}"), 429)


@pytest.mark.django_db
def test_guessing_is_counted_without_redis_too(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_redis() -> None:
        raise ConnectionError

    monkeypatch.setattr(throttling, "_limiter", no_redis)
    monkeypatch.setattr(throttling, "_pause", Pause("test"))
    statuses = [answer.status_code for answer in guess(address, 22)]
    assert statuses == [401] * 20 + [429] * 2


def test_address_has_a_limit_whatever_its_keys(
    agent: Agent, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttling, "CALLS", RateLimitItemPerMinute(3, namespace="few"))
    statuses = [call(agent.key, address).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert call(agent.key, "198.51.100.2").status_code == 200


def test_answers_say_how_the_limit_stands(agent: Agent, address: str) -> None:
    first, second = call(agent.key, address), call(agent.key, address)
    assert first["X-RateLimit-Limit"] == "600"
    assert int(second["X-RateLimit-Remaining"]) == int(first["X-RateLimit-Remaining"]) - 1
    assert 1 <= int(first["X-RateLimit-Reset"]) <= 60


@pytest.mark.django_db(transaction=True)
def test_waiting_calls_count_as_reads(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "READS", RateLimitItemPerMinute(2, namespace="few-reads"))
    app, path = Realtime(fallback=None), "/api/v1/reviews/nope/wait"
    statuses = [get(app, path, {"x-api-key": agent.key})[0] for _ in range(3)]
    assert statuses == [404, 404, 429]


@pytest.mark.django_db
def test_switched_off_nothing_is_counted(address: str, settings: Settings) -> None:
    settings.RATE_LIMITS = False
    answers = guess(address, 25)
    assert {answer.status_code for answer in answers} == {401}
    assert "X-RateLimit-Limit" not in answers[0]
