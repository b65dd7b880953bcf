"""What goes out compressed, and what does not."""

import gzip

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db

ACCEPTED = {"accept-encoding": "gzip"}


def test_page_is_compressed_for_who_takes_it(client: Client) -> None:
    page = client.get("/sign-in/", headers=ACCEPTED)
    assert page["Content-Encoding"] == "gzip"
    assert b"<h1>Sign in</h1>" in gzip.decompress(page.content)
    assert "Accept-Encoding" in page["Vary"]


def test_page_is_plain_for_who_does_not(client: Client) -> None:
    page = client.get("/sign-in/")
    assert "Content-Encoding" not in page
    assert b"<h1>Sign in</h1>" in page.content


def test_answers_to_agents_are_left_alone(client: Client) -> None:
    answer = client.get("/api/v1/agents", headers=ACCEPTED)
    assert "Content-Encoding" not in answer
