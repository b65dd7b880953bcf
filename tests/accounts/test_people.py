"""Roles: who may change whom, and the owner that a workspace always has."""

from typing import Any

import pytest

from accounts.models import Membership, Role, User, Workspace
from accounts.services.people import (
    LastOwnerError,
    NoMemberError,
    NotYoursToChangeError,
    change_role,
    remove_member,
    rename_workspace,
)
from tests.factories import make_person, make_workspace

OWNER, ADMIN, REVIEWER, VIEWER = Role.OWNER, Role.ADMIN, Role.REVIEWER, Role.VIEWER
ALLOWED = {
    (OWNER, ADMIN, OWNER),
    (OWNER, REVIEWER, ADMIN),
    (OWNER, OWNER, VIEWER),
    (ADMIN, REVIEWER, ADMIN),
    (ADMIN, ADMIN, VIEWER),
}
REFUSED = {
    (ADMIN, OWNER, VIEWER),
    (ADMIN, REVIEWER, OWNER),
    (REVIEWER, VIEWER, REVIEWER),
    (REVIEWER, REVIEWER, ADMIN),
    (VIEWER, REVIEWER, VIEWER),
}


def member(user: User) -> Membership:
    return user.memberships.select_related("workspace", "user").get()


@pytest.fixture
def owner(workspace: Workspace) -> User:
    """Somebody else owns the workspace, too."""
    return make_person(workspace)


@pytest.mark.parametrize(("actor", "before", "after"), sorted(ALLOWED))
def test_role_is_changed(
    workspace: Workspace, owner: User, actor: Role, before: Role, after: Role
) -> None:
    by, who = make_person(workspace, actor), make_person(workspace, before)
    change_role(member(who), role=after, by=by)
    assert member(who).role == after


@pytest.mark.parametrize(("actor", "before", "after"), sorted(REFUSED))
def test_role_stays(
    workspace: Workspace, owner: User, actor: Role, before: Role, after: Role
) -> None:
    by, who = make_person(workspace, actor), make_person(workspace, before)
    with pytest.raises(NotYoursToChangeError):
        change_role(member(who), role=after, by=by)
    assert member(who).role == before


def test_stranger_changes_nothing(workspace: Workspace, owner: User) -> None:
    stranger, who = make_person(make_workspace("Elsewhere")), make_person(workspace, VIEWER)
    for change in (
        lambda: change_role(member(who), role=ADMIN, by=stranger),
        lambda: remove_member(member(who), by=stranger),
        lambda: rename_workspace(workspace, name="Mine", by=stranger),
    ):
        with pytest.raises(NotYoursToChangeError):
            change()
    assert member(who).role == VIEWER
    workspace.refresh_from_db()
    assert workspace.name == "Northwind"


def test_last_owner_cannot_be_demoted_or_leave(owner: User, workspace: Workspace) -> None:
    change: Any
    for change in (
        lambda: change_role(member(owner), role=ADMIN, by=owner),
        lambda: remove_member(member(owner), by=owner),
    ):
        with pytest.raises(LastOwnerError):
            change()
    make_person(workspace)
    remove_member(member(owner), by=owner)
    assert not owner.memberships.exists()


def test_owner_elsewhere_does_not_count(owner: User) -> None:
    make_person(make_workspace("Elsewhere"))
    with pytest.raises(LastOwnerError):
        remove_member(member(owner), by=owner)


@pytest.mark.parametrize("role", [ADMIN, REVIEWER, VIEWER])
def test_anybody_else_may_leave(workspace: Workspace, owner: User, role: Role) -> None:
    leaving = make_person(workspace, role)
    remove_member(member(leaving), by=leaving)
    assert not leaving.memberships.exists()


def test_admin_removes_reviewers_but_not_owners(workspace: Workspace, owner: User) -> None:
    admin, reviewer = make_person(workspace, ADMIN), make_person(workspace, REVIEWER)
    make_person(workspace)
    remove_member(member(reviewer), by=admin)
    with pytest.raises(NotYoursToChangeError):
        remove_member(member(owner), by=admin)
    assert not reviewer.memberships.exists()


def test_rights_count_as_they_are_now(workspace: Workspace, owner: User) -> None:
    """A page that was opened as an admin gives no rights to who is none any more."""
    demoted, who = make_person(workspace, ADMIN), make_person(workspace, VIEWER)
    change_role(member(demoted), role=VIEWER, by=owner)
    with pytest.raises(NotYoursToChangeError):
        change_role(member(who), role=ADMIN, by=demoted)


def test_member_who_is_gone_cannot_be_changed(workspace: Workspace, owner: User) -> None:
    gone = member(make_person(workspace, VIEWER))
    remove_member(gone, by=owner)
    with pytest.raises(NoMemberError):
        change_role(gone, role=ADMIN, by=owner)
    with pytest.raises(NoMemberError):
        remove_member(gone, by=owner)
