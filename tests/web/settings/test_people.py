"""People and workspaces: members, invitations, switching."""

import re
import secrets
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as current
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts import attempts
from accounts.models import Invitation, Membership, Role, User, Workspace
from accounts.pause import Pause
from tests.factories import PASSWORD, make_channel, make_person, make_workspace
from tests.web.conftest import signed_in
from tests.web.test_query_counts import statements

PEOPLE, INVITE = "/settings/people/", "/settings/people/invite/"
EMAIL = "ines@example.org"


@pytest.fixture
def colleague(workspace: Workspace) -> User:
    return make_person(workspace, Role.REVIEWER)


def path(user: User, action: str = "") -> str:
    return f"{PEOPLE}{user.memberships.get().pk}/{action}"


def invited(browser: Client, email: str = EMAIL, role: str = "reviewer") -> str:
    """The link's path, as the page shows it once."""
    answer = browser.post(INVITE, {"email": email, "role": role})
    assert answer.status_code == 200, answer.text
    found = re.search(r'value="http://testserver(/invitations/[\w-]+/)"', answer.text)
    assert found is not None
    return found[1]


def join(client: Client, link: str, **over: str) -> Any:
    return client.post(link, {"name": "Ines", "password": PASSWORD} | over)


def test_everybody_sees_who_is_in(viewer: Client, person: User, colleague: User) -> None:
    page = viewer.get(PEOPLE).text
    assert person.email in page
    assert colleague.email in page
    assert INVITE not in page


def test_link_lets_somebody_new_in(browser: Client, client: Client, workspace: Workspace) -> None:
    make_channel(workspace, name="Nimbus")
    link = invited(browser)
    assert "Northwind" in client.get(link).text
    assert join(client, link)["Location"] == "/inbox/"
    assert "Nimbus" in client.get("/channels/").text
    assert Membership.objects.get(user__email=EMAIL).role == Role.REVIEWER
    assert client.get(link).status_code == 404


def test_link_is_shown_once(browser: Client) -> None:
    token = invited(browser).split("/")[2]
    assert token not in browser.get(PEOPLE).text
    assert EMAIL in browser.get(PEOPLE).text


def test_link_lets_a_signed_in_person_in(browser: Client, workspace: Workspace) -> None:
    ines = make_person(make_workspace("Elsewhere"), email=EMAIL)
    theirs = signed_in(ines)
    assert theirs.post(invited(browser))["Location"] == "/inbox/"
    assert ">Northwind<" in theirs.get("/inbox/").text
    assert ines.memberships.count() == 2


def test_link_is_for_nobody_else(browser: Client, outsider: Client) -> None:
    link = invited(browser)
    assert "you are signed in as" in outsider.get(link).text
    answer = outsider.post(link)
    assert answer.status_code == 409
    assert Membership.objects.count() == 2
    assert Client().get(link).status_code == 200


def test_link_takes_no_account_over_and_tells_of_none(browser: Client, client: Client) -> None:
    theirs = make_person(make_workspace("Elsewhere"), email=EMAIL)
    link, other = invited(browser), invited(browser, email="nobody@example.org")
    known = client.get(link).text.replace(EMAIL, "").replace(link, "")
    unknown = client.get(other).text.replace("nobody@example.org", "").replace(other, "")
    assert without_tokens(known) == without_tokens(unknown)
    answer = join(client, link, password="another long one")
    assert answer.status_code == 409
    assert "sign in and open this link again" in answer.text
    theirs.refresh_from_db()
    assert theirs.check_password(PASSWORD)
    assert client.get("/inbox/").status_code == 302


def without_tokens(page: str) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"|next=[\w%/-]+', "", page)


@pytest.mark.parametrize("token", ["x", "a" * 43, "%00", "é", "x" * 500])
def test_link_that_leads_nowhere_says_no_more(client: Client, db: None, token: str) -> None:
    answers = [client.get(f"/invitations/{token}/"), client.post(f"/invitations/{token}/")]
    for answer in answers:
        assert answer.status_code == 404
        assert "does not exist, was used, or has expired" in answer.text


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"password": "short"}, "password"),
        ({"password": "password1234"}, "password"),
        ({"password": "ines@example"}, "password"),
        ({"name": "Lindqvist", "password": "lindqvist1"}, "password"),
        ({"password": "a\0b" * 9}, "password"),
        ({"password": ""}, "password"),
    ],
)
def test_nonsense_lets_nobody_in(
    browser: Client, client: Client, over: dict[str, str], field: str
) -> None:
    link = invited(browser)
    answer = join(client, link, **over)
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.text
    assert not User.objects.filter(email=EMAIL).exists()
    assert join(client, link).status_code == 303


def test_link_that_expired_lets_nobody_in(browser: Client, client: Client) -> None:
    link = invited(browser)
    row = Invitation.objects.get()
    assert row.expires_at - row.created_at == timedelta(days=7)
    Invitation.objects.update(expires_at=timezone.now())
    for answer in (client.get(link), join(client, link)):
        assert answer.status_code == 404
        assert "has expired" in answer.text
    assert not User.objects.filter(email=EMAIL).exists()
    assert EMAIL not in browser.get(PEOPLE).text


def test_link_lets_one_person_in_once(browser: Client, client: Client) -> None:
    link = invited(browser)
    assert join(client, link).status_code == 303
    assert join(Client(), link, password="another long one").status_code == 404
    assert User.objects.get(email=EMAIL).check_password(PASSWORD)


def test_browser_that_joined_is_known_at_the_door(browser: Client, client: Client) -> None:
    join(client, invited(browser))
    assert current.DEVICE_COOKIE_NAME in client.cookies


@pytest.fixture
def address(settings: Settings) -> str:
    """An address that no other test calls from."""
    settings.RATE_LIMITS = True
    return f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"


def tries(client: Client, address: str, times: int = 21) -> list[int]:
    return [
        client.get(f"/invitations/{number}/", REMOTE_ADDR=address).status_code
        for number in range(times)
    ]


def test_address_that_tries_many_links_has_to_wait(client: Client, db: None, address: str) -> None:
    assert tries(client, address) == [404] * 20 + [429]
    refused = client.post("/invitations/x/", REMOTE_ADDR=address)
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert "Too many attempts" in refused.text
    assert client.get("/invitations/x/", REMOTE_ADDR="192.0.2.7").status_code == 404


def test_attempts_are_counted_without_redis_too(
    client: Client, db: None, address: str, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(attempts, "_pause", Pause("attempts"))
    attempts._limiter.cache_clear()
    try:
        assert tries(client, address) == [404] * 20 + [429]
    finally:
        attempts._limiter.cache_clear()


@pytest.mark.parametrize(
    "wrong", [{"email": "x"}, {"email": ""}, {"role": "king"}, {"role": ""}, {"email": "a\0@b.c"}]
)
def test_nonsense_invites_nobody(browser: Client, wrong: dict[str, str]) -> None:
    answer = browser.post(INVITE, {"email": EMAIL, "role": "viewer"} | wrong)
    assert answer.status_code == 422
    (field,) = wrong
    assert f'id="id_{field}_error"' in answer.text
    assert not Invitation.objects.exists()


def test_member_is_not_invited_again(browser: Client, colleague: User) -> None:
    answer = browser.post(INVITE, {"email": colleague.email, "role": "viewer"})
    assert answer.status_code == 409
    assert "belongs to the workspace already" in answer.text


def test_admin_cannot_make_owners(workspace: Workspace, colleague: User) -> None:
    admin = signed_in(make_person(workspace, Role.ADMIN))
    assert admin.post(INVITE, {"email": EMAIL, "role": "owner"}).status_code == 422
    assert admin.post(path(colleague), {"role": "owner"}).status_code == 422
    assert invited(admin, role="admin")


def test_invitation_is_withdrawn(browser: Client, client: Client) -> None:
    link = invited(browser)
    row = Invitation.objects.get()
    assert browser.post(f"{PEOPLE}invitations/{row.pk}/withdraw/")["Location"] == PEOPLE
    assert client.get(link).status_code == 404
    assert EMAIL not in browser.get(PEOPLE).text


def test_role_is_changed(browser: Client, colleague: User) -> None:
    assert browser.post(path(colleague), {"role": "admin"})["Location"] == PEOPLE
    assert colleague.memberships.get().role == Role.ADMIN


def test_last_owner_stays_owner(browser: Client, person: User) -> None:
    answer = browser.post(path(person), {"role": "viewer"})
    assert answer.status_code == 409
    assert "needs an owner" in answer.text
    left = browser.post(path(person, "remove/"))
    assert left.status_code == 409
    assert "needs an owner" in left.text
    assert person.memberships.get().role == Role.OWNER


def test_removed_member_loses_the_workspace_at_the_next_request(
    browser: Client, colleague: User
) -> None:
    theirs = signed_in(colleague)
    assert theirs.get("/inbox/").status_code == 200
    assert "next request" in browser.get(path(colleague, "remove/")).text
    assert browser.post(path(colleague, "remove/"))["Location"] == PEOPLE
    assert theirs.get("/inbox/").status_code == 403


def test_anybody_may_leave(colleague: User, person: User) -> None:
    theirs = signed_in(colleague)
    assert theirs.post(path(colleague, "remove/"))["Location"] == "/inbox/"
    assert theirs.get("/inbox/").status_code == 403


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.VIEWER])
def test_other_roles_change_nobody(
    browser: Client, workspace: Workspace, colleague: User, role: Role
) -> None:
    invited(browser)
    row = Invitation.objects.get()
    member = signed_in(make_person(workspace, role))
    for where, fields in (
        (INVITE, {"email": "b@example.org", "role": "viewer"}),
        (path(colleague), {"role": "viewer"}),
        (path(colleague, "remove/"), {}),
        (f"{PEOPLE}invitations/{row.pk}/withdraw/", {}),
        ("/settings/workspace/", {"name": "Mine"}),
    ):
        answer = member.post(where, fields)
        assert answer.status_code == 403, where
        assert "Only owners and admins" in answer.text
    assert colleague.memberships.get().role == Role.REVIEWER
    assert EMAIL not in member.get(PEOPLE).text
    row.refresh_from_db()
    assert row.revoked_at is None


def test_stranger_finds_nobody(browser: Client, outsider: Client, colleague: User) -> None:
    invited(browser)
    row = Invitation.objects.get()
    assert colleague.email not in outsider.get(PEOPLE).text
    for where in (path(colleague), path(colleague, "remove/")):
        assert outsider.get(where).status_code == 404
        assert outsider.post(where, {"role": "viewer"}).status_code == 404
    assert outsider.post(f"{PEOPLE}invitations/{row.pk}/withdraw/").status_code == 404
    row.refresh_from_db()
    assert row.revoked_at is None
    assert colleague.memberships.get().role == Role.REVIEWER


def test_page_costs_the_same_for_any_number_of_people(
    browser: Client, workspace: Workspace
) -> None:
    invited(browser)
    few = statements(browser, PEOPLE)
    for number in range(15):
        make_person(workspace, Role.VIEWER)
        invited(browser, email=f"p{number}@example.org")
    assert statements(browser, PEOPLE) == few
    assert few <= 7


def test_workspace_is_renamed(browser: Client, workspace: Workspace) -> None:
    page = "/settings/workspace/"
    assert browser.post(page, {"name": "Southwind"})["Location"] == page
    assert "Southwind" in browser.get("/inbox/").text
    for name in ("", "x" * 101, "a\0b"):
        assert browser.post(page, {"name": name}).status_code == 422
    workspace.refresh_from_db()
    assert workspace.name == "Southwind"


@pytest.fixture
def second(person: User) -> Workspace:
    """Another workspace of the same person, who only looks there."""
    second = make_workspace("Second")
    Membership.objects.create(workspace=second, user=person, role=Role.VIEWER)
    return second


def switch(browser: Client, workspace: object) -> Any:
    return browser.post("/settings/workspace/switch/", {"workspace": str(workspace)})


def test_person_switches_between_workspaces(
    browser: Client, channel: object, second: Workspace
) -> None:
    make_channel(second, name="Nimbus")
    assert "Atlas" in browser.get("/channels/").text
    assert switch(browser, second.pk)["Location"] == "/inbox/"
    page = browser.get("/channels/").text
    assert "Nimbus" in page
    assert "Atlas" not in page
    assert browser.get("/settings/keys/").status_code == 403


def test_choice_ends_with_the_membership(browser: Client, second: Workspace) -> None:
    switch(browser, second.pk)
    Membership.objects.filter(workspace=second).delete()
    assert ">Northwind<" in browser.get("/inbox/").text


@pytest.mark.parametrize("wanted", ["", "x", "00000000-0000-0000-0000-000000000000", "a\0b"])
def test_workspace_that_is_not_theirs_cannot_be_chosen(
    browser: Client, second: Workspace, wanted: str
) -> None:
    foreign = make_workspace("Foreign")
    assert switch(browser, wanted).status_code == 404
    assert switch(browser, foreign.pk).status_code == 404
    assert ">Northwind<" in browser.get("/inbox/").text
