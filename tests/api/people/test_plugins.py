"""Plugins by people's API: values, secrets, and calls."""

from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import Role, Workspace
from tests.api.placet.test_bad_input import assert_refused
from tests.conftest import Agent, Caller, signed_in
from tests.factories import make_person
from tests.plugins import write_plugin
from tests.receiver import Receiver

CARD = "/api/plugins/card"
KEPT = "***REDACTED***"
ENV = [
    {"key": "TOKEN", "label": "Token", "secret": True, "required": True, "default": "hush-1"},
    {"key": "CITY", "label": "City", "default": "Ulm"},
]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _card(tmp_path: Path, settings: Settings) -> None:
    permissions = {"httpRequests": True, "maxHttpDomains": ["127.0.0.1"]}
    write_plugin(tmp_path, "<p>{{secret:TOKEN}}</p>", env=ENV, permissions=permissions)
    settings.PLUGIN_FOLDERS, settings.EGRESS_ALLOW = [tmp_path], "127.0.0.1"


@pytest.fixture
def owner(workspace: Workspace) -> Caller:
    return signed_in(make_person(workspace))


def put(caller: Caller, **values: str) -> Any:
    return caller.call("PUT", f"{CARD}/config", {"envValues": values})


def test_secret_is_in_no_answer(owner: Caller, agent: Agent) -> None:
    assert put(owner, TOKEN="hush-2", CITY="Bonn").json() == {
        "envValues": {"TOKEN": KEPT, "CITY": "Bonn"},
        "enabled": True,
    }
    answers = [owner.get(f"{CARD}{part}") for part in ("", "/render", "/config")]
    answers += [owner.get("/api/plugins"), agent.get("/api/v1/plugins/card")]
    for answer in answers:
        assert answer.status_code == 200
        assert b"hush" not in answer.content
    assert answers[1].json()["env"] == {"TOKEN": "{{secret:TOKEN}}", "CITY": "Bonn"}


def test_values_are_replaced_and_a_shown_secret_stays(owner: Caller, receiver: Receiver) -> None:
    put(owner, TOKEN="hush-2", CITY="Bonn")
    assert put(owner, TOKEN=KEPT).json()["envValues"] == {"TOKEN": KEPT, "CITY": "Ulm"}
    asked = {"url": receiver.url, "headers": {"X-Token": "{{secret:TOKEN}}"}}
    assert owner.post(f"{CARD}/fetch", asked).json()["ok"]
    assert receiver.received[0].headers["x-token"] == "hush-2"


def test_what_does_not_fit_is_refused(owner: Caller) -> None:
    refused = assert_refused(put(owner, TOKEN="x", OTHER="y"), 400)
    assert "OTHER" in refused["message"]
    assert_refused(put(owner, TOKEN=""), 400)
    assert_refused(owner.call("PUT", f"{CARD}/config", {"envValues": {"TOKEN": 7}}), 400)


def test_switched_off_plugin_is_still_listed(owner: Caller) -> None:
    body = {"envValues": {}, "enabled": False}
    assert owner.call("PUT", f"{CARD}/config", body).json()["enabled"] is False
    assert [each["name"] for each in owner.get("/api/plugins").json()] == ["card"]


def test_refused_call_is_an_answer(owner: Caller) -> None:
    answer = owner.post(f"{CARD}/fetch", {"url": "https://elsewhere.example/"})
    assert answer.status_code == 200
    assert answer.json()["ok"] is False
    assert answer.json()["status"] == 0
    assert "maxHttpDomains" in answer.json()["error"]


def test_viewer_s_call_only_reads(workspace: Workspace, receiver: Receiver) -> None:
    viewer = signed_in(make_person(workspace, Role.VIEWER))
    assert viewer.post(f"{CARD}/fetch", {"url": receiver.url}).json()["ok"]
    asked = {"url": receiver.url, "method": "DELETE"}
    assert not viewer.post(f"{CARD}/fetch", asked).json()["ok"]
    assert len(receiver.received) == 1


def test_unknown_plugin_and_missing_icon_are_not_found(owner: Caller) -> None:
    assert_refused(owner.get("/api/plugins/none/icon"), 404)
    refused = assert_refused(owner.get(f"{CARD}/icon"), 404)
    assert refused["message"] == 'Plugin "card" has no icon'


def test_other_workspace_has_values_of_its_own(owner: Caller, receiver: Receiver) -> None:
    put(owner, TOKEN="hush-2")
    stranger = signed_in(make_person())
    shown = stranger.get(f"{CARD}/config").json()["envValues"]
    assert shown["CITY"] == "Ulm"
    asked = {"url": receiver.url, "headers": {"X-Token": "{{secret:TOKEN}}"}}
    stranger.post(f"{CARD}/fetch", asked)
    assert receiver.received[0].headers["x-token"] == "hush-1"
