"""Signing in, and what ends what was signed in."""

import itertools
import json
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from accounts.pause import Pause
from accounts.services.preferences import change_password, end_sessions
from api import throttling
from api.models import Call, PersonToken, UnnamedCalls
from api.people import tokens
from api.people.tokens import find_token, forget_tokens, issue_token
from api.realtime.callers import admit, turned_away
from tests.api.placet.test_bad_input import assert_refused
from tests.conftest import Caller, signed_in
from tests.factories import PASSWORD, make_person, make_workspace

ME, LOGIN, CHANGE = "/api/auth/me", "/api/auth/login", "/api/auth/change-password"
NEW = "staple and a battery"
_hosts = itertools.count(1)

pytestmark = pytest.mark.django_db


def post(browser: Client, path: str, body: Any = None, **headers: str) -> Any:
    content = b"" if body is None else json.dumps(body).encode()
    return browser.generic("POST", path, content, content_type="application/json", headers=headers)


def sign_in(email: str, password: str = PASSWORD, **headers: str) -> Any:
    return post(Client(), LOGIN, {"email": email, "password": password}, **headers)


def test_signing_in_sets_a_cookie_that_scripts_cannot_read(
    person: User, settings: Settings
) -> None:
    browser = Client()
    answer = post(browser, LOGIN, {"email": person.email.upper(), "password": PASSWORD})
    cookie = answer.cookies["access_token"]
    assert answer.json()["user"]["role"] == "owner"
    assert (cookie["max-age"], cookie["path"], cookie["samesite"]) == (604800, "/", "Lax")
    assert cookie["httponly"]
    assert not cookie["secure"]
    assert cookie.value not in answer.content.decode()
    assert browser.get(ME).json() == answer.json()
    settings.SECURE = True
    assert sign_in(person.email).cookies["access_token"]["secure"]


def test_cookies_value_is_good_as_a_bearer_token(person: User) -> None:
    token = sign_in(person.email).cookies["access_token"].value
    assert Caller(token).get(ME).json()["user"]["id"] == str(person.pk)
    assert not PersonToken.objects.filter(token_hash=token).exists(), "only its hash is kept"


def test_header_wins_over_the_cookie(person: User, workspace: Workspace) -> None:
    other = make_person(workspace)
    cookie = {"cookie": f"access_token={signed_in(other).key}"}
    assert signed_in(person).call("GET", ME, **cookie).json()["user"]["id"] == str(person.pk)
    assert_refused(Caller("lp_nonsense").call("GET", ME, **cookie), 401)


def test_wrong_password_and_unknown_address_look_alike(person: User) -> None:
    wrong = assert_refused(sign_in(person.email, "wrong"), 401)
    unknown = assert_refused(sign_in("nobody@example.org"), 401)
    User.objects.filter(pk=person.pk).update(is_active=False)
    inactive = assert_refused(sign_in(person.email), 401)
    assert {each["message"] for each in (wrong, unknown, inactive)} == {"Invalid credentials"}
    assert not PersonToken.objects.exists()


@pytest.mark.parametrize("email", ["", "nonsense", "a b@c", 7, None, "x" * 300 + "@example.org"])
def test_what_is_no_address_is_refused(email: Any) -> None:
    body = {"email": email, "password": "x"}
    refused = assert_refused(post(Client(), LOGIN, body), 400)
    assert refused["errors"][0]["path"] == ["email"]


def test_token_ends_with_its_week(person: User, now: datetime) -> None:
    token = issue_token(person, now=now - timedelta(days=7, seconds=1))
    assert_refused(Caller(token.clear).get(ME), 401)
    good = issue_token(person, now=now)
    assert forget_tokens(now) == 1
    assert list(PersonToken.objects.all()) == [good.row]


def test_signing_out_ends_the_token(person: User) -> None:
    browser = Client()
    post(browser, LOGIN, {"email": person.email, "password": PASSWORD})
    stolen, other = browser.cookies["access_token"].value, signed_in(person)
    answer = post(browser, "/api/auth/logout")
    assert answer.json() == {"message": "Logged out"}
    assert answer.cookies["access_token"]["max-age"] == 0
    assert_refused(Caller(stolen).get(ME), 401)
    assert other.get(ME).status_code == 200
    other.post("/api/auth/logout", {})
    assert_refused(other.get(ME), 401)
    assert post(Client(), "/api/auth/logout").status_code == 200, "also for nobody"


def test_renewed_token_lives_on_and_the_old_one_ends_soon(person: User, now: datetime) -> None:
    old = issue_token(person, now=now)
    answer = Caller(old.clear).call("POST", "/api/auth/refresh")
    fresh = answer.cookies["access_token"].value
    assert "mustChangePassword" not in answer.json()["user"]
    assert Caller(fresh).get(ME).status_code == 200
    assert Caller(old.clear).get(ME).status_code == 200, "what was on its way arrives"
    later = now + timedelta(seconds=90)
    assert find_token(old.clear, now=later) is None
    assert find_token(fresh, now=later + timedelta(days=6)) is not None
    once_more = Caller(old.clear).call("POST", "/api/auth/refresh")
    assert once_more.status_code == 200
    assert find_token(old.clear, now=later) is None, "renewing never makes it longer"


def test_new_password_ends_all_but_the_token_that_changed_it(person: User) -> None:
    mine, other, page = signed_in(person), signed_in(person), Client()
    page.force_login(person)
    body = {"currentPassword": PASSWORD, "newPassword": NEW}
    assert mine.post(CHANGE, body).json() == {"message": "Password changed successfully"}
    assert mine.get(ME).status_code == 200
    assert_refused(other.get(ME), 401)
    assert page.get("/inbox/").status_code == 302
    assert PersonToken.objects.count() == 1
    assert sign_in(person.email).status_code == 401
    assert sign_in(person.email, NEW).status_code == 200


def test_new_password_on_a_page_ends_tokens_too(person: User) -> None:
    mine = signed_in(person)
    change_password(person, password=NEW)
    assert_refused(mine.get(ME), 401)
    again = signed_in(person)
    end_sessions(person)
    assert_refused(again.get(ME), 401)


def test_person_who_was_deactivated_or_removed_is_out(person: User) -> None:
    mine = signed_in(person)
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert_refused(mine.get(ME), 401)


@pytest.mark.parametrize(
    ("current", "new", "status", "message"),
    [
        ("wrong", NEW, 401, "Current password is incorrect"),
        (PASSWORD, "short", 400, "Validation failed"),
        (PASSWORD, "password123", 400, "Validation failed"),
        (PASSWORD, None, 400, "Validation failed"),
    ],
)
def test_password_is_only_changed_for_a_good_one(
    person: User, current: str, new: Any, status: int, message: str
) -> None:
    mine = signed_in(person)
    refused = mine.post(CHANGE, {"currentPassword": current, "newPassword": new})
    assert assert_refused(refused, status)["message"] == message
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


def test_given_password_is_open_about_itself(person: User) -> None:
    User.objects.filter(pk=person.pk).update(must_change_password=True)
    answer = sign_in(person.email)
    assert answer.json()["user"]["mustChangePassword"] is True
    mine = Caller(answer.cookies["access_token"].value)
    mine.post(CHANGE, {"currentPassword": PASSWORD, "newPassword": NEW})
    assert mine.get(ME).json()["user"]["mustChangePassword"] is False


def test_person_of_two_workspaces_chooses(person: User, workspace: Workspace) -> None:
    second = make_workspace("Second")
    second.memberships.create(user=person, role="viewer")
    mine = signed_in(person)
    assert mine.get(ME).json()["user"]["role"] == "owner"
    chosen = mine.call("GET", ME, **{"x-workspace": str(second.pk)})
    assert chosen.json()["user"]["role"] == "viewer"


def test_person_without_a_workspace_can_still_look_at_themselves(person: User) -> None:
    person.memberships.all().delete()
    assert signed_in(person).get(ME).json()["user"]["role"] == ""


def test_ticket_for_a_script_ends_with_its_token(person: User, now: datetime) -> None:
    mine = signed_in(person)
    answer = mine.call("POST", "/api/auth/ws-ticket")
    assert (answer.status_code, answer.json()["expiresIn"]) == (200, 60)
    shown = {"token": answer.json()["token"]}
    caller = admit(shown, address="", now=now)
    assert caller is not None
    assert turned_away({caller}, now=now) == set()
    mine.call("POST", "/api/auth/logout")
    assert turned_away({caller}, now=now) == {caller}
    assert admit(shown, address="", now=now) is None


def test_use_is_noted_every_five_minutes(
    person: User, now: datetime, django_assert_num_queries: Any
) -> None:
    mine = signed_in(person)
    mine.get(ME)
    noted = PersonToken.objects.get().last_used_at
    assert noted is not None
    with django_assert_num_queries(2):
        mine.get(ME)
    long_ago = noted - tokens.LAST_USED_PRECISION
    PersonToken.objects.update(last_used_at=long_ago)
    mine.get(ME)
    assert PersonToken.objects.get().last_used_at != long_ago


def test_calls_of_people_are_not_logged_as_agents(person: User, settings: Settings) -> None:
    settings.API_LOG = "all"
    signed_in(person).get(ME)
    sign_in(person.email, "wrong")
    assert not Call.objects.exists()
    assert not UnnamedCalls.objects.exists()


@pytest.fixture
def limits(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RATE_LIMITS = True
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]
    monkeypatch.setattr(throttling, "_blocked", {})
    monkeypatch.setattr(throttling, "_pause", Pause("test"))


def address() -> dict[str, str]:
    """One that no other test calls from."""
    return {"x-forwarded-for": f"203.0.114.{next(_hosts)}"}


def at_the_page(email: str, password: str, **headers: str) -> int:
    given = {"username": email, "password": password}
    return int(Client().post("/sign-in/", given, headers=headers).status_code)


@pytest.mark.usefixtures("limits")
def test_sixth_wrong_password_has_to_wait(person: User, django_assert_num_queries: Any) -> None:
    here = address()
    assert [sign_in(person.email, "wrong", **here).status_code for _ in range(5)] == [401] * 5
    with django_assert_num_queries(0):
        refused = sign_in(person.email, **here)
    assert_refused(refused, 429)
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert sign_in(person.email, **address()).status_code == 200


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("page_first", [True, False])
def test_attempts_at_the_page_and_here_add_up(person: User, *, page_first: bool) -> None:
    here = address()

    def at_the_api(password: str) -> int:
        return int(sign_in(person.email, password, **here).status_code)

    def at_page(password: str) -> int:
        return at_the_page(person.email, password, **here)

    first, second = (at_page, at_the_api) if page_first else (at_the_api, at_page)
    assert 429 not in [first("wrong") for _ in range(3)] + [second("wrong") for _ in range(2)]
    assert [first(PASSWORD), second(PASSWORD)] == [429, 429]


@pytest.mark.usefixtures("limits")
def test_right_password_here_makes_slips_at_the_page_forgotten(person: User) -> None:
    here = address()
    for _ in range(3):
        assert {at_the_page(person.email, "wrong", **here) for _ in range(4)} == {422}
        assert sign_in(person.email, **here).status_code == 200


@pytest.mark.usefixtures("limits")
def test_address_that_tries_many_accounts_has_to_wait(person: User) -> None:
    here = address()
    for number in range(15):
        assert sign_in(f"nobody{number}@example.org", **here).status_code == 401
        assert at_the_page(f"other{number}@example.org", "wrong", **here) == 422
    assert_refused(sign_in(person.email, **here), 429)


@pytest.mark.usefixtures("limits")
def test_stolen_token_cannot_guess_the_password(person: User) -> None:
    """One counter for all places that ask for the own password, pages included."""
    mine, browser = signed_in(person), Client()
    browser.force_login(person)
    body = {"currentPassword": "wrong", "newPassword": NEW}
    assert {mine.post(CHANGE, body).status_code for _ in range(3)} == {401}
    form = {"password": "wrong", "new": NEW, "again": NEW}
    assert {browser.post("/settings/password/", form).status_code for _ in range(2)} == {422}
    good = body | {"currentPassword": PASSWORD}
    assert_refused(mine.post(CHANGE, good), 429)
    assert browser.post("/settings/password/", form | {"password": PASSWORD}).status_code == 429


@pytest.mark.usefixtures("limits")
def test_token_has_its_own_limit_of_reads(person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, other = signed_in(person), signed_in(person)
    assert mine.get(ME)["X-RateLimit-Limit"] == "600"
    assert other.get(ME)["X-RateLimit-Remaining"] == "599"
