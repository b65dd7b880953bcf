"""What pages need of middlewares, agents' calls go without."""

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from tests.conftest import Agent

CALLS = ["/api/v1/agents", "/api/messaging/none", "/v1/events", "/messages"]


@pytest.mark.parametrize("path", CALLS)
def test_agents_call_has_no_session_and_speaks_english(path: str, agent: Agent) -> None:
    cookie = f"{settings.SESSION_COOKIE_NAME}=forged"
    with translation.override("de"):  # as a page left the thread
        answer = agent.call("GET", path, **{"accept-language": "de", "cookie": cookie})
        assert translation.get_language() == settings.LANGUAGE_CODE
    assert "Content-Language" not in answer
    assert not hasattr(answer.wsgi_request, "session")
    assert not answer.cookies
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("path", ["/sign-in/", "/api/v10/x", "/v10/x"])
def test_everything_else_goes_through_all_of_them(path: str, client: Client, db: None) -> None:
    answer = client.get(path, headers={"accept-language": "de"})
    assert answer["Content-Language"] == "de"
    assert hasattr(answer.wsgi_request, "session")
