"""A worker that hears no tick looks by itself."""

import pytest

from config import pulse
from config.pulse import SILENCE_SECONDS, Pulse

pytestmark = pytest.mark.django_db


@pytest.fixture
def silent_for(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """`silent_for["seconds"]` is how long no tick was heard."""
    since = {"seconds": 0.0}
    monkeypatch.setattr(pulse, "seconds_since_heard", lambda: since["seconds"])
    return since


def test_worker_that_hears_ticks_leaves_the_looking_to_them(silent_for: dict[str, float]) -> None:
    looks: list[str] = []
    Pulse([lambda: looks.append("sent")]).look()
    assert looks == []


def test_worker_that_hears_none_looks_each_time_until_one_comes(
    silent_for: dict[str, float], caplog: pytest.LogCaptureFixture
) -> None:
    looks: list[str] = []
    own = Pulse([lambda: looks.append("sent"), lambda: looks.append("expired")])
    silent_for["seconds"] = SILENCE_SECONDS
    own.look()
    own.look()
    assert looks == ["sent", "expired"] * 2
    assert caplog.text.count("looks by itself") == 1
    silent_for["seconds"] = 0.1
    own.look()
    assert looks == ["sent", "expired"] * 2


def test_tick_that_fails_does_not_stop_the_others(silent_for: dict[str, float]) -> None:
    looks: list[str] = []
    silent_for["seconds"] = SILENCE_SECONDS
    own = Pulse([lambda: 1 / 0, lambda: looks.append("expired")])
    own.look()
    own.look()
    assert looks == ["expired"] * 2
