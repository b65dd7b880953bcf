"""The engine of a worker process."""

import threading

import pytest

from delivery import engine as module
from tests.concurrency.together import at_once


@pytest.fixture
def fresh() -> None:
    module._started.cache_clear()


@pytest.mark.django_db(transaction=True)
def test_tasks_that_come_first_at_once_share_one_engine_that_ends_when_told(fresh: None) -> None:
    engines = at_once([module.running_engine] * 8)
    try:
        assert len(set(map(id, engines))) == 1
        threads = [thread for thread in threading.enumerate() if thread.name == "engine"]
        assert len(threads) == 1
    finally:
        engines[0].stop()
    threads[0].join(timeout=5)
    assert not threads[0].is_alive()
    module._started.cache_clear()
