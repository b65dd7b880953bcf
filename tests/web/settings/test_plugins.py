"""The settings of plugins: what they may do in plain words, a switch, and values."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import Role, Workspace
from reviews.models import PluginConfig
from tests.factories import make_person
from tests.plugins import write_plugin
from tests.web.conftest import signed_in

CARD = "/settings/plugins/card/"
ENV = [
    {"key": "TOKEN", "label": "Token", "secret": True, "required": True},
    {"key": "CITY", "label": "City", "default": "Ulm", "description": "Where it is."},
    {"key": "PIN", "label": "Pin", "secret": True},
]
CALLS = {"httpRequests": True, "maxHttpDomains": ["api.example.org"]}


@pytest.fixture(autouse=True)
def _card(tmp_path: Path, settings: Settings) -> None:
    write_plugin(tmp_path, env=ENV, permissions=CALLS, description="Shows <b>.")
    write_plugin(tmp_path, name="quiet", displayName="Quiet")
    write_plugin(tmp_path, name="loud", displayName="Loud", permissions={"httpRequests": True})
    settings.PLUGIN_FOLDERS = [tmp_path]


def values(workspace: Workspace) -> dict[str, str]:
    return PluginConfig.objects.get(workspace=workspace, name="card").values


def save(browser: Client, **fields: str) -> int:
    named = {f"value-{name}": value for name, value in fields.items() if name.isupper()}
    rest = {name.replace("_", "-"): value for name, value in fields.items() if not name.isupper()}
    return browser.post(CARD, named | {"enabled": "on"} | rest).status_code


def test_list_says_what_each_may_do(browser: Client, viewer: Client) -> None:
    page = browser.get("/settings/plugins/").content.decode()
    assert "Shows &lt;b&gt;." in page
    assert "May call through this server" in page
    assert "api.example.org" in page
    assert "May call any public address through this server" in page
    assert "Calls nobody" in page
    assert "Values are missing" in page
    assert CARD in page
    looked = viewer.get("/settings/plugins/").content.decode()
    assert CARD not in looked
    assert "Only owners and admins change them." in looked


def test_values_are_kept_and_secrets_not_shown(browser: Client, workspace: Workspace) -> None:
    assert save(browser, TOKEN="hush", CITY="Bonn") == 303
    assert values(workspace) == {"TOKEN": "hush", "CITY": "Bonn", "PIN": ""}
    page = browser.get(CARD).content.decode()
    assert "hush" not in page
    assert 'value="Bonn"' in page
    assert "One is set. Leave this empty to keep it." in page


def test_empty_secret_stays_until_it_is_forgotten(browser: Client, workspace: Workspace) -> None:
    save(browser, TOKEN="hush", PIN="1234")
    assert save(browser, TOKEN="", PIN="") == 303
    assert values(workspace)["PIN"] == "1234"
    assert save(browser, forget_PIN="on") == 303
    assert values(workspace)["PIN"] == ""
    assert values(workspace)["TOKEN"] == "hush"


def test_required_value_is_asked_for(browser: Client) -> None:
    answer = browser.post(CARD, {"enabled": "on", "value-CITY": "Bonn"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'href="#id_value-TOKEN"' in page
    assert 'value="Bonn"' in page
    assert not PluginConfig.objects.exists()


def test_character_that_is_not_text_is_refused(browser: Client) -> None:
    assert save(browser, TOKEN="a\0b") == 422


def test_switch_off_and_on(browser: Client, workspace: Workspace) -> None:
    assert browser.post("/settings/plugins/quiet/", {}).status_code == 303
    assert not PluginConfig.objects.get(workspace=workspace).enabled
    assert "Off" in browser.get("/settings/plugins/").content.decode()
    assert browser.post("/settings/plugins/quiet/", {"enabled": "on"}).status_code == 303
    assert PluginConfig.objects.get(workspace=workspace).enabled


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.VIEWER])
def test_only_those_who_manage_get_to_the_values(workspace: Workspace, role: Role) -> None:
    somebody = signed_in(make_person(workspace, role))
    assert somebody.get(CARD).status_code == 403
    assert somebody.post(CARD, {"value-TOKEN": "x"}).status_code == 403
    assert not PluginConfig.objects.exists()


def test_stranger_changes_their_own_workspace_only(
    browser: Client, outsider: Client, workspace: Workspace
) -> None:
    save(browser, TOKEN="hush")
    assert "One is set" not in outsider.get(CARD).content.decode()
    save(outsider, TOKEN="theirs")
    assert values(workspace)["TOKEN"] == "hush"


def test_plugin_that_is_not_installed_has_no_page(browser: Client) -> None:
    assert browser.get("/settings/plugins/none/").status_code == 404
