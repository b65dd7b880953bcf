"""People, keys and preferences over the JSON API."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import ApiKey, Membership, Role, User, Workspace
from tests.api.placet.test_bad_input import assert_refused
from tests.conftest import Agent, Caller, signed_in
from tests.factories import make_key, make_person, make_workspace

USERS, KEYS, PREFERENCES = "/api/users", "/api/api-keys", "/api/preferences"
GRACE = {"email": "Grace@example.org", "displayName": "Grace", "password": "a first password"}

pytestmark = pytest.mark.django_db


def test_new_person_can_sign_in_and_has_to_change_the_password(
    caller: Caller, workspace: Workspace
) -> None:
    answer = caller.post(USERS, GRACE | {"role": "member"})
    made = answer.json()
    assert answer.status_code == 201
    assert (made["email"], made["role"]) == ("grace@example.org", "reviewer")
    assert made["mustChangePassword"] is True
    grace = User.objects.get(pk=made["id"])
    assert grace.check_password(GRACE["password"])
    assert grace.memberships.get().workspace == workspace
    assert [each["id"] for each in caller.get(USERS).json()][-1] == made["id"]


def test_address_has_one_account(caller: Caller, person: User) -> None:
    elsewhere = make_person(make_workspace("Elsewhere"))
    for email in (person.email, elsewhere.email.upper()):
        refused = assert_refused(caller.post(USERS, GRACE | {"email": email}), 409)
        assert refused["message"] == "Email already in use"
    assert User.objects.count() == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nonsense"},
        {"email": "a@b"},
        {"email": "a..b@example.org"},
        {"email": "a@" + "İ" * 60 + "." + "İ" * 60 + ".com"},
        {"displayName": ""},
        {"password": "short"},
        {"password": "password123"},
        {"role": "king"},
        {"displayName": None},
    ],
)
def test_new_person_has_to_be_described(caller: Caller, wrong: dict[str, Any]) -> None:
    refused = assert_refused(caller.post(USERS, GRACE | wrong), 400)
    assert refused["errors"][0]["path"] == list(wrong)
    assert User.objects.count() == 1


def test_admin_neither_makes_nor_changes_owners(workspace: Workspace, person: User) -> None:
    admin = signed_in(make_person(workspace, Role.ADMIN))
    assert_refused(admin.post(USERS, GRACE | {"role": "owner"}), 403)
    assert not User.objects.filter(email="grace@example.org").exists()
    assert_refused(admin.call("PATCH", f"{USERS}/{person.pk}", {"role": "viewer"}), 403)
    assert_refused(admin.delete(f"{USERS}/{person.pk}"), 403)
    assert Membership.objects.get(user=person).role == "owner"


def test_role_of_a_colleague_is_changed_but_not_their_name(
    caller: Caller, workspace: Workspace
) -> None:
    colleague = make_person(workspace, Role.VIEWER, display_name="Bo")
    path = f"{USERS}/{colleague.pk}"
    assert caller.call("PATCH", path, {"role": "admin"}).json()["role"] == "admin"
    refused = caller.call("PATCH", path, {"displayName": "Bob", "role": "viewer"})
    assert_refused(refused, 403)
    colleague.refresh_from_db()
    assert (colleague.display_name, colleague.memberships.get().role) == ("Bo", "admin")


def test_last_owner_stays_one(caller: Caller, person: User) -> None:
    path = f"{USERS}/{person.pk}"
    assert_refused(caller.call("PATCH", path, {"role": "admin"}), 409)
    refused = assert_refused(caller.delete(path), 403)
    assert refused["message"] == "Cannot delete your own account"
    assert caller.call("PATCH", path, {"displayName": "Me"}).json()["displayName"] == "Me"


def test_removed_person_reaches_nothing_and_keeps_the_account(
    caller: Caller, workspace: Workspace
) -> None:
    colleague = make_person(workspace, Role.ADMIN)
    theirs = signed_in(colleague)
    assert theirs.get(KEYS).status_code == 200
    assert caller.delete(f"{USERS}/{colleague.pk}").json() == {"deleted": True}
    assert_refused(theirs.get(KEYS), 403)
    assert User.objects.filter(pk=colleague.pk).exists()
    assert_refused(caller.delete(f"{USERS}/{colleague.pk}"), 404)


def test_key_is_shown_once_and_works_until_it_is_deleted(caller: Caller) -> None:
    made = caller.post(KEYS, {"label": "ci"}).json()
    shown = {name: value for name, value in made.items() if name != "key"}
    assert caller.get(KEYS).json() == [shown]
    assert Agent(made["key"]).get("/api/v1/agents").status_code == 200
    assert caller.delete(f"{KEYS}/{made['id']}").json() == {"deleted": True}
    assert_refused(Agent(made["key"]).get("/api/v1/agents"), 401)
    assert caller.get(KEYS).json() == []
    assert_refused(caller.delete(f"{KEYS}/{made['id']}"), 404)


def test_key_has_a_label_without_being_asked_for_one(caller: Caller) -> None:
    made = caller.call("POST", KEYS)
    assert (made.status_code, made.json()["label"]) == (201, "Default")
    for label in ("", "x" * 65, 7, None):
        assert_refused(caller.post(KEYS, {"label": label}), 400)
    assert ApiKey.objects.count() == 1


def test_rotated_key_ends_at_once(caller: Caller) -> None:
    old = caller.post(KEYS, {"label": "ci"}).json()
    fresh = caller.call("POST", f"{KEYS}/{old['id']}/rotate").json()
    assert (fresh["label"], fresh["lastUsedAt"]) == ("ci", None)
    assert_refused(Agent(old["key"]).get("/api/v1/agents"), 401)
    assert Agent(fresh["key"]).get("/api/v1/agents").status_code == 200
    assert [each["id"] for each in caller.get(KEYS).json()] == [fresh["id"]]
    assert_refused(caller.call("POST", f"{KEYS}/{old['id']}/rotate"), 404)


def test_expired_key_is_not_listed(caller: Caller, workspace: Workspace) -> None:
    key = make_key(workspace).row
    assert [each["id"] for each in caller.get(KEYS).json()] == [str(key.pk)]
    past = timezone.now() - timedelta(seconds=1)
    ApiKey.objects.filter(pk=key.pk).update(expires_at=past)
    assert caller.get(KEYS).json() == []


@pytest.mark.parametrize("path", [USERS, KEYS])
def test_lists_take_as_many_statements_for_many_as_for_few(
    caller: Caller, workspace: Workspace, path: str, django_assert_num_queries: Any
) -> None:
    caller.get(path)
    for count in (2, 10):
        for _ in range(count):
            make_person(workspace)
            make_key(workspace)
        with django_assert_num_queries(3):
            assert len(caller.get(path).json()) >= count


def test_preferences_are_a_persons_own(caller: Caller, person: User, workspace: Workspace) -> None:
    first = caller.get(PREFERENCES).json()
    assert (first["theme"], first["managementDashboard"]) == ("system", False)
    changed = caller.call("PATCH", PREFERENCES, {"managementDashboard": True}).json()
    assert (changed["theme"], changed["managementDashboard"]) == ("system", True)
    both = caller.call("PATCH", PREFERENCES, {"theme": "dark"}).json()
    assert (both["theme"], both["managementDashboard"]) == ("dark", True)
    assert caller.get(PREFERENCES).json() == both
    assert both["updatedAt"] >= changed["updatedAt"] > first["updatedAt"]
    person.refresh_from_db()
    assert person.theme == "dark", "pages look the same"
    other = signed_in(make_person(workspace)).get(PREFERENCES).json()
    assert (other["theme"], other["managementDashboard"]) == ("system", False)


@pytest.mark.parametrize("wrong", [{"theme": "pink"}, {"managementDashboard": "yes"}])
def test_unknown_preference_is_refused(caller: Caller, wrong: dict[str, Any]) -> None:
    assert_refused(caller.call("PATCH", PREFERENCES, wrong), 400)
