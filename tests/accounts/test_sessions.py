"""The session engine: what a row keeps, and that an ended session stays ended."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.db import DatabaseError
from django.db.models import QuerySet
from django.test import Client

from accounts.models import Session, User, hash_token
from accounts.services.sessions import SEEN_PRECISION, note_seen
from accounts.sessions import SessionStore, data_of
from accounts.tasks import tick_forget_sessions
from accounts.tickets import issue_ticket
from api.realtime.callers import admit
from tests.factories import PASSWORD, make_person, make_session

FIREFOX = "Mozilla/5.0 (Android 16; Mobile; rv:147.0) Gecko/147.0 Firefox/147.0"


def sign_in(person: User, **headers: str) -> tuple[Client, str]:
    browser = Client(headers=headers)
    browser.post("/sign-in/", {"username": person.email, "password": PASSWORD})
    return browser, browser.cookies[settings.SESSION_COOKIE_NAME].value


def test_row_tells_whose_session_it_is_and_where(person: User, now: datetime) -> None:
    sign_in(person, **{"user-agent": FIREFOX})
    row = Session.objects.get()
    assert (row.user, row.user_agent, row.address) == (person, FIREFOX, "127.0.0.1")
    assert now <= row.signed_in_at <= row.expires_at - timedelta(days=13)


def test_key_of_the_cookie_is_kept_as_a_hash_only(person: User) -> None:
    _browser, key = sign_in(person)
    assert key not in str(Session.objects.values().get())
    assert Session.objects.get().key_hash == hash_token(key)


def test_hash_from_the_database_signs_nobody_in(person: User) -> None:
    sign_in(person)
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = Session.objects.get().key_hash
    assert thief.get("/inbox/").status_code == 302


@pytest.mark.parametrize("agent", ["", "x" * 5000, "a\0b\nc", "\xff\xfe"])
def test_strange_browser_names_are_taken(person: User, agent: str) -> None:
    browser = Client(HTTP_USER_AGENT=agent)
    fields = {"username": person.email, "password": PASSWORD}
    assert browser.post("/sign-in/", fields).status_code == 302
    assert len(Session.objects.get().user_agent) <= 400


def test_new_key_of_a_session_takes_the_row_along(person: User) -> None:
    browser, key = sign_in(person, **{"user-agent": FIREFOX})
    before = Session.objects.get()
    fields = {"password": PASSWORD, "new": "a brand new phrase", "again": "a brand new phrase"}
    browser.post("/settings/password/", fields)
    after = Session.objects.get()
    assert after.key_hash != before.key_hash == hash_token(key)
    assert (after.user, after.user_agent) == (person, FIREFOX)
    assert after.signed_in_at == before.signed_in_at


def test_session_that_was_ended_meanwhile_is_not_written_again(person: User) -> None:
    _browser, key = sign_in(person)
    store = SessionStore(key)
    store["choice"] = "something"
    Session.objects.all().delete()
    with pytest.raises(UpdateError):
        store.save()
    assert not Session.objects.exists()


def test_expired_session_does_not_sign_in_and_is_removed(person: User, now: datetime) -> None:
    browser, _key = sign_in(person)
    kept = make_session(make_person())
    Session.objects.filter(user=person).update(expires_at=now)
    assert browser.get("/inbox/").status_code == 302
    tick_forget_sessions()
    assert list(Session.objects.all()) == [kept]


def test_data_that_was_tampered_with_says_nothing(person: User) -> None:
    assert data_of(make_session(person, data="nonsense")) == {}


def test_use_is_noted_once_in_five_minutes(
    person: User, now: datetime, django_assert_num_queries: Any
) -> None:
    session = make_session(person, last_seen_at=now)
    with django_assert_num_queries(0):
        note_seen(session, address="192.0.2.1", now=now + SEEN_PRECISION - timedelta(seconds=1))
    later = now + SEEN_PRECISION
    note_seen(session, address="192.0.2.1", now=later)
    session.refresh_from_db()
    assert (session.last_seen_at, session.address) == (later, "192.0.2.1")


def test_page_notes_that_its_session_is_used(person: User, now: datetime) -> None:
    browser, _key = sign_in(person)
    Session.objects.update(last_seen_at=now - timedelta(hours=1))
    browser.get("/inbox/", REMOTE_ADDR="192.0.2.7")
    row = Session.objects.get()
    assert row.last_seen_at >= now
    assert row.address == "192.0.2.7"


def test_page_comes_also_when_its_use_cannot_be_noted(
    person: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, _key = sign_in(person)
    Session.objects.update(last_seen_at=now - timedelta(hours=1))

    def fail(*_: object, **__: object) -> int:
        raise DatabaseError("locked")

    monkeypatch.setattr(QuerySet, "update", fail)
    assert browser.get("/inbox/").status_code == 200


def test_ticket_ends_with_its_session(person: User, now: datetime) -> None:
    session, other = make_session(person), make_session(person)
    ticket, kept = issue_ticket(person, session.pk), issue_ticket(person, other.pk)
    session.delete()
    assert admit({"token": ticket}, address="", now=now) is None
    caller = admit({"token": kept}, address="", now=now)
    assert caller is not None
    assert (caller.user_id, caller.session_id) == (person.pk, other.pk)
