"""Profile: name, language, time zone, password, sessions."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from accounts.models import User
from accounts.tickets import bearer_of
from inbox.models import Channel
from tests.factories import PASSWORD, make_message, make_ticket
from tests.web.conftest import signed_in

PROFILE, CHANGE = "/settings/profile/", "/settings/password/"
NEW = "a brand new passphrase"


def change(browser: Client, **over: str) -> int:
    fields = {"password": PASSWORD, "new": NEW, "again": NEW} | over
    return browser.post(CHANGE, fields).status_code


def test_index_lists_the_sections_beside_the_first_one(browser: Client, person: User) -> None:
    page = browser.get("/settings/").text
    for part in ("profile", "appearance", "shortcuts", "notifications", "keys", "people"):
        assert f'href="/settings/{part}/"' in page
    assert person.email in page
    assert page.count("<h1") == browser.get(PROFILE).text.count("<h1") == 1


def test_profile_is_saved(browser: Client, person: User) -> None:
    fields = {"display_name": " Ines ", "language": "de", "time_zone": "America/Lima"}
    answer = browser.post(PROFILE, fields)
    assert (answer.status_code, answer["Location"]) == (303, PROFILE)
    person.refresh_from_db()
    assert (person.name, person.language, person.time_zone) == ("Ines", "de", "America/Lima")
    page = browser.get(PROFILE).text
    assert 'value="Ines"' in page
    assert '<option value="America/Lima" selected>' in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"language": "xx"},
        {"time_zone": "Mars/Base"},
        {"time_zone": "../../etc/passwd"},
        {"display_name": "x" * 101},
        {"display_name": "a\0b"},
    ],
)
def test_nonsense_is_refused_at_the_field(
    browser: Client, person: User, wrong: dict[str, str]
) -> None:
    answer = browser.post(PROFILE, wrong)
    (name,) = wrong
    assert answer.status_code == 422
    assert f'id="id_{name}_error"' in answer.text
    assert f'href="#id_{name}"' in answer.text
    person.refresh_from_db()
    assert (person.language, person.time_zone) == ("", "")


def test_times_are_shown_in_the_chosen_zone(
    browser: Client, person: User, channel: Channel
) -> None:
    make_message(channel, now=datetime(2026, 3, 1, 12, 0, tzinfo=UTC))
    page = f"/channels/{channel.pk}/"
    assert "12:00 UTC" in browser.get(page).text
    browser.post(PROFILE, {"time_zone": "Asia/Tokyo"})
    assert "21:00 JST" in browser.get(page).text


def test_zone_that_is_no_longer_known_is_the_servers(browser: Client, person: User) -> None:
    User.objects.filter(pk=person.pk).update(time_zone="Mars/Base")
    assert browser.get("/inbox/").status_code == 200


def test_own_language_wins_over_the_browsers(browser: Client, person: User) -> None:
    def language(**headers: str) -> str:
        page = browser.get("/inbox/", headers=headers)
        assert f'<html lang="{page["Content-Language"]}"' in page.text
        return str(page["Content-Language"])

    assert language() == "en"
    assert language(accept_language="de") == "de"
    browser.post(PROFILE, {"language": "de"})
    assert language(accept_language="en") == "de"
    assert Client().get("/sign-in/")["Content-Language"] == "en"


def test_new_password_keeps_this_session_and_ends_the_others(browser: Client, person: User) -> None:
    other, ticket = signed_in(person), make_ticket(person)
    assert change(browser) == 303
    assert browser.get("/inbox/").status_code == 200
    assert other.get("/inbox/").status_code == 302
    assert bearer_of(ticket) is None
    person.refresh_from_db()
    assert person.check_password(NEW)


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"password": "wrong"}, "password"),
        ({"password": ""}, "password"),
        ({"new": "short", "again": "short"}, "new"),
        ({"new": "password1234", "again": "password1234"}, "new"),
        ({"new": "person1@example.org", "again": "person1@example.org"}, "new"),
        ({"new": "Ines-Lindqvist", "again": "Ines-Lindqvist"}, "new"),
        ({"new": "a\0b" * 9, "again": "a\0b" * 9}, "new"),
        ({"new": "x" * 1001, "again": "x" * 1001}, "new"),
        ({"again": "another one entirely"}, "again"),
    ],
)
def test_bad_password_is_refused_at_the_field(
    browser: Client, person: User, over: dict[str, str], field: str
) -> None:
    User.objects.filter(pk=person.pk).update(
        display_name="Ines Lindqvist", email="person1@example.org"
    )
    answer = browser.post(CHANGE, {"password": PASSWORD, "new": NEW, "again": NEW} | over)
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.text
    assert NEW not in answer.text
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("kurz", "zu kurz"),
        ("password1234", "zu üblich"),
        ("ines-lindqvist", "zu ähnlich"),
    ],
)
def test_reason_is_told_in_the_persons_language(
    browser: Client, person: User, new: str, reason: str
) -> None:
    User.objects.filter(pk=person.pk).update(display_name="Ines Lindqvist", language="de")
    answer = browser.post(CHANGE, {"password": PASSWORD, "new": new, "again": new})
    error = answer.text.partition('id="id_new_error"')[2].partition("</span>")[0]
    assert reason in error


def test_given_password_is_replaced_before_anything_else(browser: Client, person: User) -> None:
    User.objects.filter(pk=person.pk).update(must_change_password=True)
    for path in ("/inbox/", "/settings/profile/", "/settings/keys/"):
        answer = browser.get(path)
        assert (answer.status_code, answer["Location"]) == (303, CHANGE)
    assert browser.post("/settings/sign-out-everywhere/")["Location"] == CHANGE
    assert "Choose a password of your own first" in browser.get(CHANGE).text
    assert change(browser) == 303
    assert browser.get("/inbox/").status_code == 200


def test_given_password_is_replaced_without_a_workspace(browser: Client, person: User) -> None:
    person.memberships.all().delete()
    User.objects.filter(pk=person.pk).update(must_change_password=True)
    assert browser.get(CHANGE).status_code == 200
    refused = browser.post(CHANGE, {"password": "wrong", "new": NEW, "again": NEW})
    assert refused.status_code == 422
    assert 'id="id_password_error"' in refused.text
    assert change(browser) == 303
    person.refresh_from_db()
    assert not person.must_change_password


def test_person_with_a_given_password_may_sign_out(browser: Client, person: User) -> None:
    User.objects.filter(pk=person.pk).update(must_change_password=True)
    assert browser.post("/sign-out/")["Location"] == "/sign-in/"


def test_signing_out_everywhere_ends_every_session(browser: Client, person: User) -> None:
    other, ticket = signed_in(person), make_ticket(person)
    assert browser.post("/settings/sign-out-everywhere/")["Location"] == "/sign-in/"
    assert browser.get("/inbox/").status_code == 302
    assert other.get("/inbox/").status_code == 302
    assert bearer_of(ticket) is None
    person.refresh_from_db()
    assert signed_in(person).get("/inbox/").status_code == 200


def test_signing_out_everywhere_ends_nobody_elses_session(
    browser: Client, outsider: Client
) -> None:
    browser.post("/settings/sign-out-everywhere/")
    assert outsider.get("/inbox/").status_code == 200
