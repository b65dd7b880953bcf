"""API keys: made, shown once, rotated and revoked by owners and admins."""

import re
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey, Role, User, Workspace
from accounts.services import issue_key
from tests.conftest import Agent
from tests.factories import make_key, make_person, make_workspace
from tests.web.conftest import signed_in
from tests.web.test_query_counts import statements

KEYS = "/settings/keys/"


def fields(**over: str) -> dict[str, str]:
    return {"form_id": str(uuid.uuid4()), "label": "Atlas", "expires": "0"} | over


def shown(page: str) -> list[str]:
    return re.findall(r'value="(hp_\w+)"', page)


def test_new_key_works_and_is_shown_once(browser: Client, person: User) -> None:
    answer = browser.post(KEYS, fields())
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    (clear,) = shown(answer.text)
    assert Agent(clear).get("/api/v1/agents").status_code == 200
    key = ApiKey.objects.get()
    assert (key.label, key.created_by, key.expires_at) == ("Atlas", person, None)
    page = browser.get(KEYS).text
    assert shown(page) == []
    assert f"<code>{key.key_prefix}…</code>" in page


def test_form_that_is_sent_twice_makes_one_key(browser: Client) -> None:
    sent = fields()
    browser.post(KEYS, sent)
    assert browser.post(KEYS, sent)["Location"] == KEYS
    assert "made already" in browser.get(KEYS).text
    assert ApiKey.objects.count() == 1


def test_key_expires_when_it_was_told_to(browser: Client) -> None:
    browser.post(KEYS, fields(expires="30"))
    left = ApiKey.objects.get().expires_at - timezone.now()  # type: ignore[operator]
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)


@pytest.mark.parametrize(
    "wrong",
    [
        {"label": ""},
        {"label": "x" * 65},
        {"label": "a\0b"},
        {"expires": "x"},
        {"expires": "-1"},
        {"expires": ""},
        {"form_id": "x"},
        {"form_id": ""},
    ],
)
def test_nonsense_makes_no_key(browser: Client, wrong: dict[str, str]) -> None:
    answer = browser.post(KEYS, fields(**wrong))
    assert answer.status_code == 422
    assert "cannot be saved yet" in answer.text
    assert not ApiKey.objects.exists()


def test_rotation_shows_the_new_key_once(browser: Client, workspace: Workspace) -> None:
    old = make_key(workspace)
    path = f"{KEYS}{old.row.pk}/rotate/"
    assert "Test" in browser.get(path).text
    (clear,) = shown(browser.post(path, {"overlap": "24"}).text)
    for key in (old.clear, clear):
        assert Agent(key).get("/api/v1/agents").status_code == 200
    again = browser.post(path, {"overlap": "24"})
    assert again.status_code == 409
    assert shown(again.text) == []
    assert "replaced" in again.text
    assert ApiKey.objects.count() == 2


def test_rotation_without_overlap_ends_the_old_key(browser: Client, workspace: Workspace) -> None:
    old = make_key(workspace)
    browser.post(f"{KEYS}{old.row.pk}/rotate/", {"overlap": "0"})
    assert Agent(old.clear).get("/api/v1/agents").status_code == 401


@pytest.mark.parametrize("overlap", ["", "5", "-1", "x"])
def test_other_overlaps_are_refused(browser: Client, workspace: Workspace, overlap: str) -> None:
    path = f"{KEYS}{make_key(workspace).row.pk}/rotate/"
    assert browser.post(path, {"overlap": overlap}).status_code == 422
    assert ApiKey.objects.count() == 1


def test_revoking_asks_first(browser: Client, workspace: Workspace) -> None:
    key = make_key(workspace)
    path = f"{KEYS}{key.row.pk}/revoke/"
    assert "cannot be undone" in browser.get(path).text
    assert Agent(key.clear).get("/api/v1/agents").status_code == 200
    assert browser.post(path)["Location"] == KEYS
    assert Agent(key.clear).get("/api/v1/agents").status_code == 401
    assert "Revoked" in browser.get(KEYS).text


def test_labels_reveal_hidden_characters(browser: Client, workspace: Workspace) -> None:
    issue_key(workspace=workspace, created_by=None, label="At\u202elas")
    assert "U+202E" in browser.get(KEYS).text


def test_admin_may_manage_keys(workspace: Workspace) -> None:
    admin = signed_in(make_person(workspace, Role.ADMIN))
    assert len(shown(admin.post(KEYS, fields()).text)) == 1


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.VIEWER])
def test_other_roles_are_told_why_not(workspace: Workspace, role: Role) -> None:
    member, key = signed_in(make_person(workspace, role)), make_key(workspace).row
    for path in (KEYS, f"{KEYS}{key.pk}/rotate/", f"{KEYS}{key.pk}/revoke/"):
        for answer in (member.get(path), member.post(path, fields(overlap="0"))):
            assert answer.status_code == 403
            assert "Only owners and admins" in answer.text
            assert key.key_prefix not in answer.text
    key.refresh_from_db()
    assert key.revoked_at is None
    assert ApiKey.objects.count() == 1


def test_stranger_finds_no_key(outsider: Client, workspace: Workspace) -> None:
    key = make_key(workspace).row
    assert key.key_prefix not in outsider.get(KEYS).text
    for action in ("rotate", "revoke"):
        path = f"{KEYS}{key.pk}/{action}/"
        assert outsider.get(path).status_code == 404
        assert outsider.post(path, {"overlap": "0"}).status_code == 404
    key.refresh_from_db()
    assert key.revoked_at is None


def test_page_costs_the_same_for_any_number_of_keys(browser: Client, workspace: Workspace) -> None:
    make_key(workspace)
    few = statements(browser, KEYS)
    for number in range(20):
        issue_key(workspace=workspace, created_by=make_person(make_workspace()), label=f"{number}")
    assert statements(browser, KEYS) == few
    assert few <= 6
