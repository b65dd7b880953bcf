"""Expiry without a broker."""

import threading

import pytest
from django.db import OperationalError, connection

from reviews import tasks
from reviews.models import ReviewRequest, Status
from reviews.services import expire_due
from tests.factories import make_review
from tests.polling import happens_within


@pytest.mark.django_db(transaction=True)
def test_worker_expires_without_a_tick_and_after_a_failure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = iter([OperationalError("the database was away")])

    def first_fails(*, limit: int) -> int:
        for failure in failures:
            raise failure
        return expire_due(limit=limit)

    monkeypatch.setattr(tasks, "expire_due", first_fails)
    monkeypatch.setattr(tasks, "SWEEP_SECONDS", 0.02)
    review = make_review()
    ReviewRequest.objects.update(expires_at=review.created_at)
    over = threading.Event()

    def sweep() -> None:
        tasks.keep_sweeping(over)
        connection.close()

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    try:
        assert happens_within(10, ReviewRequest.objects.filter(status=Status.EXPIRED).exists)
    finally:
        over.set()
        sweeper.join()
    assert "the database was away" in caplog.text
