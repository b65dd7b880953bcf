"""Guessing passwords: counted everywhere, answered alike, and no way to lock others out."""

import logging
import secrets
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as current
from django.contrib.auth import hashers
from django.test import Client
from limits import RateLimitItemPerHour
from pytest_django.fixtures import Settings

from accounts import attempts
from accounts.attempts import TooManyAttemptsError
from accounts.models import User
from accounts.pause import Pause
from delivery.keys import ensure_secret
from inbox.models import Channel
from tests.factories import PASSWORD, make_person
from tests.web.conftest import signed_in

SIGN_IN, WRONG = "/sign-in/", "not the password"


@pytest.fixture(autouse=True)
def _counted(settings: Settings) -> None:
    settings.RATE_LIMITS = True


def new_address() -> str:
    """An address that no other test calls from."""
    return f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"


@pytest.fixture
def attacker() -> Client:
    return Client(REMOTE_ADDR=new_address())


def attempt(browser: Client, email: str, password: str = WRONG, **more: Any) -> Any:
    return browser.post(SIGN_IN, {"username": email, "password": password}, **more)


def guess(browser: Client, email: str, times: int = 6) -> list[int]:
    return [attempt(browser, email).status_code for _ in range(times)]


def sign_in(person: User, **over: str) -> Client:
    browser = Client(REMOTE_ADDR=new_address(), **over)  # type: ignore[arg-type]
    assert attempt(browser, person.email, PASSWORD).status_code == 302
    return browser


def test_sixth_guess_has_to_wait(attacker: Client, person: User) -> None:
    assert guess(attacker, person.email) == [422] * 5 + [429]
    refused = attempt(attacker, person.email, PASSWORD)
    assert refused.status_code == 429, "also with the right password"
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert "no-store" in refused["Cache-Control"]
    assert "You tried too often. Try again in 1 minute." in refused.text
    assert attacker.get("/inbox/").status_code == 302


def test_account_that_does_not_exist_is_answered_alike(
    attacker: Client, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = []
    encode = hashers.MD5PasswordHasher.encode

    def counting(self: Any, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", counting)
    known = [attempt(attacker, person.email) for _ in range(6)]
    of_known = len(hashed)
    other = Client(REMOTE_ADDR=new_address())
    unknown = [attempt(other, "nobody@example.org") for _ in range(6)]
    assert [each.status_code for each in known] == [each.status_code for each in unknown]
    assert len(hashed) == 2 * of_known > 0, "an unknown address costs a hash, too"
    assert known[-1].content == unknown[-1].content


def test_other_spellings_of_an_address_are_counted_as_one(attacker: Client, person: User) -> None:
    spellings = [person.email.upper(), f" {person.email} ", person.email.replace("p", "\uff50")]
    statuses = [attempt(attacker, spellings[number % 3]).status_code for number in range(6)]
    assert statuses == [422] * 5 + [429]


def test_guessing_at_one_account_leaves_the_others_alone(attacker: Client, person: User) -> None:
    guess(attacker, person.email)
    other = make_person()
    assert attempt(attacker, other.email, PASSWORD).status_code == 302


def test_address_that_tries_many_accounts_has_to_wait(attacker: Client, db: None) -> None:
    statuses = [attempt(attacker, f"nobody{n}@example.org").status_code for n in range(31)]
    assert statuses == [422] * 30 + [429]


def test_right_password_makes_the_slips_forgotten(person: User) -> None:
    browser = Client(REMOTE_ADDR=new_address())
    for _ in range(3):
        guess(browser, person.email, 4)
        assert attempt(browser, person.email, PASSWORD).status_code == 302
        browser.post("/sign-out/")


def test_waits_grow(attacker: Client, person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    per_hour = tuple(each for each in attempts.FROM_ADDRESS_AT_ACCOUNT if each.get_expiry() > 60)
    monkeypatch.setattr(attempts, "FROM_ADDRESS_AT_ACCOUNT", per_hour)
    assert guess(attacker, person.email, 21) == [422] * 20 + [429]
    refused = attempt(attacker, person.email)
    assert 3500 < int(refused["Retry-After"]) <= 3600
    assert "Try again in 60 minutes." in refused.text
    monkeypatch.setattr(attempts, "FROM_ADDRESS_AT_ACCOUNT", per_hour[1:])
    monkeypatch.setattr(attempts, "FROM_ADDRESS", ())
    assert guess(attacker, person.email, 31)[-2:] == [422, 429]
    assert "Try again in 24 hours." in attempt(attacker, person.email).text


class TestLockingOut:
    """Who guesses at an account keeps its owner out of nothing that they use."""

    def test_owner_signs_in_from_another_address(self, attacker: Client, person: User) -> None:
        guess(attacker, person.email, 8)
        sign_in(person)

    def test_owner_signs_in_on_a_known_browser_when_all_places_are_taken(
        self, person: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        laptop = sign_in(person)
        laptop.post("/sign-out/")
        few = (RateLimitItemPerHour(3, namespace=f"test-{secrets.token_hex(4)}"),)
        monkeypatch.setattr(attempts, "AT_ACCOUNT", few)
        statuses = [
            attempt(Client(REMOTE_ADDR=new_address()), person.email).status_code for _ in range(4)
        ]
        assert statuses == [422] * 3 + [429]
        new_device = Client(REMOTE_ADDR=new_address())
        assert attempt(new_device, person.email, PASSWORD).status_code == 429
        assert attempt(laptop, person.email, PASSWORD).status_code == 302

    def test_owner_signs_in_from_the_address_of_the_attacker(
        self, attacker: Client, person: User
    ) -> None:
        laptop = sign_in(person)
        laptop.post("/sign-out/")
        shared = attacker.defaults["REMOTE_ADDR"]
        for number in range(35):
            attempt(attacker, f"nobody{number}@example.org")
        assert attempt(laptop, person.email, PASSWORD, REMOTE_ADDR=shared).status_code == 302

    def test_known_browser_has_a_limit_of_its_own(self, person: User) -> None:
        laptop = sign_in(person)
        laptop.post("/sign-out/")
        assert guess(laptop, person.email) == [422] * 5 + [429]
        sign_in(person)

    def test_browser_is_known_for_one_account_only(self, attacker: Client, person: User) -> None:
        own = make_person()
        assert attempt(attacker, own.email, PASSWORD).status_code == 302
        attacker.post("/sign-out/")
        guess(attacker, person.email, 5)
        few = attempt(attacker, person.email)
        assert few.status_code == 429
        attempt(attacker, own.email, PASSWORD)
        attacker.post("/sign-out/")
        assert attempt(attacker, person.email).status_code == 429, "signing in resets nothing"

    @pytest.mark.parametrize("forged", ["", "x", "a.b:c:d"])
    def test_forged_cookie_is_no_known_browser(
        self, attacker: Client, person: User, forged: str
    ) -> None:
        attacker.cookies[current.DEVICE_COOKIE_NAME] = forged
        assert guess(attacker, person.email) == [422] * 5 + [429]

    def test_cookie_of_another_purpose_is_no_known_browser(
        self, attacker: Client, person: User
    ) -> None:
        laptop = sign_in(person)
        theirs = laptop.cookies[current.DEVICE_COOKIE_NAME]
        assert theirs["httponly"]
        assert theirs["samesite"] == "Lax"
        assert person.email not in theirs.value
        attacker.cookies[current.PUSH_COOKIE_NAME] = theirs.value
        assert guess(attacker, person.email) == [422] * 5 + [429]


def test_many_at_once_do_not_slip_through() -> None:
    who, passed = (secrets.token_hex(8),), []
    start = threading.Barrier(12)

    def one() -> None:
        start.wait()
        try:
            attempts.count(attempts.ON_DEVICE, *who)
        except TooManyAttemptsError:
            return
        passed.append(1)

    threads = [threading.Thread(target=one) for _ in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(passed) == 5


def test_processes_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process has another limiter, and the same Redis."""
    who = secrets.token_hex(8)
    for _ in range(5):
        attempts._limiter.cache_clear()
        attempts.count(attempts.ON_DEVICE, who)
    attempts._limiter.cache_clear()
    with pytest.raises(TooManyAttemptsError):
        attempts.count(attempts.ON_DEVICE, who)


@pytest.fixture
def no_redis(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(attempts, "_pause", Pause("attempts"))
    attempts._limiter.cache_clear()
    yield
    attempts._limiter.cache_clear()


def test_guesses_are_counted_without_redis_too(
    no_redis: None, attacker: Client, person: User
) -> None:
    assert guess(attacker, person.email) == [422] * 5 + [429]
    sign_in(person)


def test_switched_off_nothing_is_counted(
    attacker: Client, person: User, settings: Settings
) -> None:
    settings.RATE_LIMITS = False
    assert guess(attacker, person.email, 12) == [422] * 12


def test_own_password_is_not_guessed_in_the_settings(person: User, channel: Channel) -> None:
    """One counter for all places that ask for it, whatever browser they are opened in."""
    ensure_secret(workspace_id=channel.workspace_id, scope=str(channel.pk))
    browser, other = signed_in(person), signed_in(person)
    secrets_of_channel = f"/channels/{channel.pk}/delivery/secrets/"
    change = {"password": "wrong", "new": "a brand new phrase", "again": "a brand new phrase"}
    statuses = [browser.post("/settings/password/", change).status_code for _ in range(3)]
    statuses += [other.post(secrets_of_channel, {"password": "no"}).status_code for _ in range(2)]
    assert statuses == [422] * 5
    for where, fields in (
        ("/settings/password/", change | {"password": PASSWORD}),
        (secrets_of_channel, {"password": PASSWORD}),
    ):
        refused = other.post(where, fields)
        assert refused.status_code == 429
        assert int(refused["Retry-After"]) >= 1
        assert "whsec_" not in refused.text
    person.refresh_from_db()
    assert person.check_password(PASSWORD)
    assert browser.get("/inbox/").status_code == 200, "the session goes on"


def test_right_own_password_makes_slips_forgotten(person: User, channel: Channel) -> None:
    browser, path = signed_in(person), f"/channels/{channel.pk}/delivery/secrets/"
    for _ in range(3):
        for _ in range(4):
            assert browser.post(path, {"password": "no"}).status_code == 422
        assert browser.post(path, {"password": PASSWORD}).status_code == 200


class TestOperators:
    """The administration has no door of its own."""

    def test_admin_leads_to_the_one_door(self, client: Client, db: None) -> None:
        first = client.get("/admin/", follow=True)
        assert first.redirect_chain[-1][0] == "/sign-in/?next=/admin/"
        posted = client.post("/admin/login/", {"username": "a@b.c", "password": "x"})
        assert posted["Location"].startswith("/sign-in/")

    def test_operator_signs_in_and_lands_there(self, person: User) -> None:
        User.objects.filter(pk=person.pk).update(is_staff=True, is_superuser=True)
        browser = Client(REMOTE_ADDR=new_address())
        fields = {"username": person.email, "password": PASSWORD, "next": "/admin/"}
        assert browser.post(SIGN_IN, fields)["Location"] == "/admin/"
        assert browser.get("/admin/").status_code == 200
        assert browser.get("/admin/login/", follow=True).status_code == 200

    def test_person_who_is_none_is_told_so(self, browser: Client) -> None:
        page = browser.get("/admin/", follow=True)
        assert page.status_code == 403
        assert "Only operators" in page.text

    @pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "javascript:x"])
    def test_door_leads_to_no_other_site(self, person: User, wanted: str) -> None:
        browser = Client(REMOTE_ADDR=new_address())
        door = browser.get("/admin/login/", {"next": wanted})["Location"]
        answer = browser.post(door, {"username": person.email, "password": PASSWORD})
        assert answer["Location"] == "/inbox/"

    def test_password_is_changed_where_guesses_are_counted(self, browser: Client) -> None:
        assert browser.get("/admin/password_change/")["Location"] == "/settings/password/"


def test_failures_are_logged_without_what_was_typed(
    attacker: Client, person: User, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        attempt(attacker, person.email, "my-real-passwort")
        attempt(attacker, "my-real-passwort", "x")
        guess(attacker, person.email, 5)
    assert f"sign-in failed: account={person.pk} address=2001:db8:" in caplog.text
    assert "sign-in failed: account=none" in caplog.text
    assert "too many attempts: door-pair" in caplog.text
    assert "my-real-passwort" not in caplog.text
    assert person.email not in caplog.text


def test_page_in_place_is_told_to_wait(attacker: Client, person: User) -> None:
    guess(attacker, person.email, 5)
    refused = attempt(attacker, person.email, headers={"HX-Request": "true"})
    assert refused.status_code == 429
    assert refused.json() == {"error": "You tried too often. Try again in 1 minute."}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 minute"), (60, "1 minute"), (61, "2 minutes"), (3600, "60 minutes"), (3601, "2 hours")],
)
def test_wait_is_said_in_words(seconds: int, words: str) -> None:
    assert str(TooManyAttemptsError(seconds)) == f"You tried too often. Try again in {words}."
