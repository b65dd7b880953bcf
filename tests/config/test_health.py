from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from delivery.models import EngineBeat


def test_health_needs_no_key(client: Client) -> None:
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


@pytest.mark.django_db
def test_readiness_is_refused_until_an_engine_was_seen(client: Client) -> None:
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["reason"] == "no worker was seen for 30 s"


@pytest.mark.django_db
def test_readiness_sees_database_redis_and_engine(client: Client) -> None:
    EngineBeat.objects.create(name="worker:1", seen_at=timezone.now())
    assert client.get("/health/ready").json()["status"] == "ok"


@pytest.mark.django_db
def test_readiness_ends_when_the_engine_falls_silent(client: Client) -> None:
    EngineBeat.objects.create(name="worker:1", seen_at=timezone.now() - timedelta(seconds=31))
    assert client.get("/health/ready").status_code == 503
