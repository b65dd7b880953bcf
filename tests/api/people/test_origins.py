"""Which writes with a cookie are another site's."""

from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User
from tests.conftest import signed_in
from tests.factories import PASSWORD

REFRESH, LOGIN, LOGOUT = "/api/auth/refresh", "/api/auth/login", "/api/auth/logout"

pytestmark = pytest.mark.django_db


def write(person: User, path: str = REFRESH, **headers: str) -> Any:
    browser = Client()
    browser.cookies["access_token"] = signed_in(person).key
    body = {"email": person.email, "password": PASSWORD}
    content = body if path == LOGIN else None
    return browser.post(path, content, content_type="application/json", headers=headers)


OWN = [
    {},
    {"sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "same-origin", "origin": "http://testserver"},
    {"sec-fetch-site": "none"},
    {"origin": "http://testserver"},
    {"origin": "https://inbox.example.org", "sec-fetch-site": "cross-site"},
]
FOREIGN = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "nonsense"},
    {"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
    {"sec-fetch-site": "", "origin": "https://evil.example"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "https://testserver"},
    {"origin": "http://testserver.evil.example"},
    {"origin": "http://testserver:8000"},
]


@pytest.mark.parametrize("path", [REFRESH, LOGIN, LOGOUT])
@pytest.mark.parametrize("headers", OWN, ids=str)
def test_own_page_and_a_program_may_write(
    person: User, settings: Settings, path: str, headers: dict[str, str]
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://inbox.example.org"]
    assert write(person, path, **headers).status_code == 200


@pytest.mark.parametrize("path", [REFRESH, LOGIN, LOGOUT])
@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_page_of_another_site_may_not_write(
    person: User, settings: Settings, path: str, headers: dict[str, str]
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://inbox.example.org"]
    answer = write(person, path, **headers)
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "cross_site"
    assert "access_token" not in answer.cookies


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_cookie_of_another_site_may_read_what_the_browser_then_hides(
    person: User, headers: dict[str, str]
) -> None:
    browser = Client()
    browser.cookies["access_token"] = signed_in(person).key
    answer = browser.get("/api/auth/me", headers=headers)
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_header_is_no_cookie_and_may_write(person: User, headers: dict[str, str]) -> None:
    assert signed_in(person).call("POST", REFRESH, **headers).status_code == 200
