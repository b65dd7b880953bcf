"""Every answer names its request, and so does what was logged about it."""

import logging
import re

import pytest
from django.test import Client

from config.request_names import RequestIdFilter, current
from tests.conftest import Agent

GIVEN = "req-0123456789.abc_X"


def test_every_answer_names_its_request(client: Client) -> None:
    names = [client.get("/health")["X-Request-ID"] for _ in range(2)]
    assert all(re.fullmatch("[0-9a-f]{16}", name) for name in names)
    assert len(set(names)) == 2


def test_refusal_of_the_api_names_its_request(agent: Agent) -> None:
    assert agent.get("/api/v1/messages/nonsense")["X-Request-ID"]


def test_name_that_a_proxy_gave_is_kept(client: Client) -> None:
    assert client.get("/health", headers={"x-request-id": GIVEN})["X-Request-ID"] == GIVEN


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "a b c d e f", "<script>x", "é" * 10])
def test_name_that_could_do_harm_is_replaced(client: Client, given: str) -> None:
    answer = client.get("/health", headers={"x-request-id": given})
    assert re.fullmatch("[0-9a-f]{16}", answer["X-Request-ID"])


@pytest.mark.django_db
def test_page_of_an_error_and_its_log_name_the_request(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.addFilter(RequestIdFilter())
    monkeypatch.setattr("web.views.sign_in.SignIn.get", lambda *_, **__: 1 / 0)
    client = Client(raise_request_exception=False)
    answer = client.get("/sign-in/", headers={"x-request-id": GIVEN})
    assert (answer.status_code, answer["X-Request-ID"]) == (500, GIVEN)
    assert GIVEN in answer.text
    assert "ZeroDivisionError" not in answer.text
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert record.__dict__["request_id"] == f" [{GIVEN}]"
    assert current.get() == ""
