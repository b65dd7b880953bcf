"""Where a person is signed in: they see it, they end it, and nobody else does either."""

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client

from accounts.models import Role, Session, User, Workspace
from delivery.models import PushSubscription
from tests.factories import PASSWORD, make_person, make_session
from tests.web.conftest import signed_in
from tests.web.test_push_pages import subscribe
from tests.web.test_query_counts import statements

PAGE, OTHERS = "/settings/sessions/", "/settings/sessions/end-others/"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1"
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0"


def end_path(session: Session) -> str:
    return f"{PAGE}{session.pk}/end/"


def opened(person: User, agent: str, address: str) -> Client:
    """A browser in which somebody typed their password."""
    browser = Client(HTTP_USER_AGENT=agent, REMOTE_ADDR=address)
    browser.post("/sign-in/", {"username": person.email, "password": PASSWORD})
    assert browser.get("/inbox/").status_code == 200
    return browser


def items(browser: Client) -> list[str]:
    found = re.search(r'<ul class="things".*?</ul>', browser.get(PAGE).text, re.DOTALL)
    assert found is not None
    return re.findall(r"<li>.*?</li>", found[0], re.DOTALL)


def test_person_sees_where_they_are_signed_in(person: User) -> None:
    laptop = opened(person, LAPTOP, "192.0.2.1")
    opened(person, PHONE, "192.0.2.2")
    here, other = items(laptop)
    assert "Firefox on Linux" in here
    assert "192.0.2.1" in here
    assert "This device" in here
    assert "Safari on iPhone" in other
    assert "192.0.2.2" in other
    assert "This device" not in other


def test_ended_session_stops_at_once(person: User) -> None:
    laptop, phone = opened(person, LAPTOP, "192.0.2.1"), opened(person, PHONE, "192.0.2.2")
    session = Session.objects.get(address="192.0.2.2")
    answer = laptop.post(end_path(session))
    assert (answer.status_code, answer["Location"]) == (303, PAGE)
    assert phone.get("/inbox/").status_code == 302
    assert laptop.get("/inbox/").status_code == 200
    assert len(items(laptop)) == 1
    assert laptop.post(end_path(session)).status_code == 404


def test_ending_this_session_signs_out(browser: Client) -> None:
    assert browser.post(end_path(Session.objects.get()))["Location"] == "/sign-in/"
    assert browser.get("/inbox/").status_code == 302
    assert not Session.objects.exists()


def test_signing_out_everywhere_else_keeps_this_session(browser: Client, person: User) -> None:
    others = [signed_in(person) for _ in range(3)]
    assert browser.post(OTHERS)["Location"] == PAGE
    assert browser.get("/inbox/").status_code == 200
    assert {other.get("/inbox/").status_code for other in others} == {302}
    assert len(items(browser)) == 1


def test_new_password_ends_the_other_rows(browser: Client, person: User) -> None:
    make_session(person)
    new = "a brand new phrase"
    browser.post("/settings/password/", {"password": PASSWORD, "new": new, "again": new})
    assert len(items(browser)) == Session.objects.count() == 1


def test_session_that_no_longer_signs_in_is_not_shown(person: User, now: datetime) -> None:
    stale = make_session(person)
    person.set_password("given by an operator")
    person.save()
    make_session(person, expires_at=now)
    assert len(items(signed_in(person))) == 1
    assert Session.objects.filter(pk=stale.pk).exists()


def test_nobody_sees_or_ends_somebody_elses_session(
    browser: Client, outsider: Client, viewer: Client, person: User
) -> None:
    mine = Session.objects.get(user=person)
    Session.objects.filter(pk=mine.pk).update(address="192.0.2.99")
    for other in (outsider, viewer):
        assert "192.0.2.99" not in other.get(PAGE).text
        assert other.post(end_path(mine)).status_code == 404
        assert other.post(OTHERS).status_code == 303
    assert browser.get("/inbox/").status_code == 200


def test_owner_does_not_see_where_others_are(browser: Client, workspace: Workspace) -> None:
    colleague = make_person(workspace, Role.REVIEWER)
    session = make_session(colleague, address="192.0.2.99", user_agent=PHONE)
    member = colleague.memberships.get()
    for path in (PAGE, "/settings/people/", f"/settings/people/{member.pk}/", "/activity/"):
        page = browser.get(path).text
        assert "192.0.2.99" not in page
        assert "iPhone" not in page
    assert browser.post(end_path(session)).status_code == 404


@pytest.mark.parametrize("path", [OTHERS, PAGE + "00000000-0000-0000-0000-000000000000/end/"])
def test_ending_takes_a_post_and_a_person(browser: Client, client: Client, path: str) -> None:
    assert browser.get(path).status_code == 405
    assert client.post(path)["Location"].startswith("/sign-in/?next=")


def test_page_costs_the_same_for_any_number_of_sessions(browser: Client, person: User) -> None:
    few = statements(browser, PAGE)
    for _ in range(10):
        make_session(person)
    assert statements(browser, PAGE) == few
    assert few <= 6


def test_page_of_who_is_signed_in_costs_no_statement_more(browser: Client) -> None:
    """The session, the person with their workspaces, and what the sidebar shows."""
    assert statements(browser, "/settings/profile/") == 3


class TestNotifications:
    """What notifies in a browser ends with what somebody ends there."""

    def test_signing_out_ends_them(self, browser: Client, person: User) -> None:
        subscribe(browser)
        assert person.devices.count() == 1
        browser.post("/sign-out/")
        assert person.devices.count() == 0

    @pytest.mark.parametrize("how", ["one", "others", "everywhere", "password"])
    def test_ending_a_session_elsewhere_ends_them(
        self, browser: Client, person: User, how: str
    ) -> None:
        here = Session.objects.get()
        lost = signed_in(person)
        subscribe(lost)
        new = "a brand new phrase"
        there = Session.objects.exclude(pk=here.pk).get()
        paths = {
            "one": end_path(there),
            "others": OTHERS,
            "everywhere": "/settings/sign-out-everywhere/",
            "password": "/settings/password/",
        }
        browser.post(paths[how], {"password": PASSWORD, "new": new, "again": new})
        assert person.devices.count() == 0

    def test_other_browsers_keep_theirs(self, browser: Client, person: User) -> None:
        subscribe(browser)
        signed_in(person).post("/sign-out/")
        browser.post(OTHERS)
        assert person.devices.count() == 1

    def test_session_that_follows_an_expired_one_knows_them(self, person: User) -> None:
        phone = opened(person, PHONE, "192.0.2.2")
        subscribe(phone)
        Session.objects.all().delete()  # as if it had expired
        phone.post("/sign-in/", {"username": person.email, "password": PASSWORD})
        assert person.devices.count() == 1
        phone.post("/sign-out/")
        assert person.devices.count() == 0

    def test_next_person_at_a_browser_ends_nobody_elses(self, person: User) -> None:
        shared = opened(person, LAPTOP, "192.0.2.1")
        subscribe(shared)
        Session.objects.all().delete()
        other = make_person()
        shared.post("/sign-in/", {"username": other.email, "password": PASSWORD})
        shared.post("/sign-out/")
        assert PushSubscription.objects.get().user == person


def test_last_use_is_shown(browser: Client, person: User, now: datetime) -> None:
    make_session(person, last_seen_at=now - timedelta(days=1), user_agent=PHONE)
    _here, other = items(browser)
    assert "last used" in other
    assert "Yesterday" in other
