"""The values of a workspace: kept encrypted, and never shown where they are secret."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from django.db import connection

from accounts.models import Workspace
from reviews.models import PluginConfig
from reviews.plugins import Plugin
from reviews.plugins.configuration import (
    KEPT,
    Configured,
    InvalidPluginValuesError,
    all_configured,
    configure,
    configured,
    switched_off,
)
from reviews.plugins.manifest import read_plugin
from tests.factories import make_workspace
from tests.plugins import write_plugin

ENV = [
    {"key": "URL", "label": "Address", "default": "https://a.example"},
    {"key": "TOKEN", "label": "Token", "secret": True, "required": True},
]
SECRET = "hush-hush"

pytestmark = pytest.mark.django_db
type Set = Callable[..., Configured]


@pytest.fixture
def plugin(tmp_path: Path) -> Plugin:
    return read_plugin(write_plugin(tmp_path, env=ENV))


@pytest.fixture
def put(workspace: Workspace, plugin: Plugin, now: datetime) -> Set:
    def put(*, enabled: bool | None = None, **values: str) -> Configured:
        return configure(workspace, plugin, values=values, enabled=enabled, now=now)

    return put


def test_without_a_row_the_defaults_hold(workspace: Workspace, plugin: Plugin) -> None:
    used = configured(workspace, plugin)
    assert used.enabled
    assert used.values == {"URL": "https://a.example", "TOKEN": ""}
    assert used.missing == ["Token"]


def test_secret_is_kept_encrypted_and_shown_to_nobody(
    workspace: Workspace, plugin: Plugin, put: Set
) -> None:
    put(TOKEN=SECRET)
    with connection.cursor() as cursor:
        cursor.execute("SELECT values_json FROM reviews_pluginconfig")
        stored = bytes(cursor.fetchone()[0])
    assert SECRET.encode() not in stored
    used = configured(workspace, plugin)
    assert used.secrets == {"TOKEN": SECRET}
    assert used.shown_values == {"URL": "https://a.example", "TOKEN": KEPT}
    assert used.frame_env == {"URL": "https://a.example", "TOKEN": "{{secret:TOKEN}}"}
    assert not used.missing


def test_secret_given_back_as_shown_stays(put: Set) -> None:
    put(TOKEN=SECRET, URL="https://b.example")
    used = put(TOKEN=KEPT)
    assert used.secrets == {"TOKEN": SECRET}
    assert used.values["URL"] == "https://a.example"


def test_another_version_and_another_workspace_begin_anew(
    workspace: Workspace, tmp_path: Path, put: Set
) -> None:
    put(TOKEN=SECRET)
    newer = read_plugin(write_plugin(tmp_path, env=ENV, version="1.1.0"))
    assert not configured(workspace, newer).secrets
    older = read_plugin(write_plugin(tmp_path, env=ENV))
    assert not configured(make_workspace("Elsewhere"), older).secrets
    assert configured(workspace, older).secrets


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"TOKEN": SECRET, "OTHER": "x"}, "OTHER"),
        ({"TOKEN": "x" * 4097}, "TOKEN"),
        ({"TOKEN": "a\0b"}, "TOKEN"),
        ({"TOKEN": " "}, "TOKEN"),
        ({}, "TOKEN"),
        ({"TOKEN": KEPT}, "TOKEN"),
    ],
)
def test_values_that_do_not_fit_are_refused(put: Set, values: dict[str, str], wrong: str) -> None:
    with pytest.raises(InvalidPluginValuesError) as refusal:
        put(**values)
    assert set(refusal.value.errors) == {wrong}
    assert not PluginConfig.objects.exists()


def test_what_is_off_needs_no_values(put: Set) -> None:
    assert not put(enabled=False).enabled
    assert not put().enabled  # the switch stays


def test_switch_is_one_workspace_s(workspace: Workspace, now: datetime) -> None:
    badge = next(one for one in all_configured(workspace) if one.plugin.name == "status-badge")
    configure(workspace, badge.plugin, values={}, enabled=False, now=now)
    assert switched_off(workspace) == {"status-badge"}
    assert switched_off(make_workspace("Elsewhere")) == set()
    states = {one.plugin.name: one.enabled for one in all_configured(workspace)}
    assert states == {"diagram": True, "form-submit": True, "status-badge": False}
