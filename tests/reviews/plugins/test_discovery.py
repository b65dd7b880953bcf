"""Which plugins a server has, and what it does about one that is wrong."""

import io
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from reviews.checks import plugins_are_valid
from reviews.plugins import PluginNotFoundError, find_plugin, installed_plugins
from reviews.plugins.discovery import look
from tests.plugins import write_plugin

OURS = {"diagram", "form-submit", "status-badge"}


def test_ours_are_there() -> None:
    assert set(installed_plugins()) == OURS
    assert not any(plugin.may_call for plugin in installed_plugins().values())
    assert all(plugin.icon for plugin in installed_plugins().values())
    with pytest.raises(PluginNotFoundError, match='Plugin "none" not found'):
        find_plugin("none")


def test_operator_s_join_ours_and_may_take_their_place(tmp_path: Path, settings: Settings) -> None:
    write_plugin(tmp_path)
    write_plugin(tmp_path, name="diagram", version="9.9.9")
    (tmp_path / "README.md").write_text("Not a plugin.")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / ".git").mkdir()
    settings.PLUGIN_FOLDERS = [*settings.PLUGIN_FOLDERS, tmp_path]
    assert set(installed_plugins()) == OURS | {"card"}
    assert find_plugin("diagram").version == "9.9.9"


def test_wrong_ones_are_told_one_by_one(tmp_path: Path, settings: Settings) -> None:
    write_plugin(tmp_path, version="1")
    write_plugin(tmp_path, name="other", env=7)
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "render.html").touch()
    settings.PLUGIN_FOLDERS = [tmp_path]
    told = [str(problem.msg) for problem in plugins_are_valid()]
    assert [text.removeprefix(f"{tmp_path}/").split(":")[0] for text in told] == [
        "card/plugin.json",
        "half/plugin.json",
        "other/plugin.json",
    ]
    with pytest.raises(ImproperlyConfigured, match=r"must begin with n\.n\.n"):
        installed_plugins()


def test_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    _found, problems = look([tmp_path / "none"])
    assert problems == [f"{tmp_path / 'none'}: cannot be read: No such file or directory"]


@pytest.mark.django_db
def test_server_does_not_start_with_a_wrong_one(tmp_path: Path, settings: Settings) -> None:
    write_plugin(tmp_path, version="1")
    settings.PLUGIN_FOLDERS = [tmp_path]
    with pytest.raises(CommandError, match=r'plugin\.json: "version" must begin') as refusal:
        call_command("setup")
    assert refusal.value.returncode == 2
    assert "\n" not in str(refusal.value)


def test_command_writes_a_plugin_that_is_found(tmp_path: Path, settings: Settings) -> None:
    settings.PLUGINS_DIR = str(tmp_path)
    said = io.StringIO()
    call_command("create_plugin", "release-notes", stdout=said)
    assert said.getvalue().startswith(f"{tmp_path / 'release-notes'} is there.")
    found, problems = look([tmp_path])
    assert not problems
    assert found["release-notes"].display_name == "Release notes"
    assert found["release-notes"].icon


def test_command_writes_where_it_is_told(tmp_path: Path) -> None:
    call_command("create_plugin", "a_b", str(tmp_path / "deep"), stdout=io.StringIO())
    assert look([tmp_path / "deep"])[0]["a_b"].version == "0.1.0"


@pytest.mark.parametrize(
    ("name", "folder", "said"),
    [
        ("../up", "here", "is no name"),
        ("taken", "here", "exists already"),
        ("fine", "taken/plugin.json", "cannot be written"),
        ("fine", "", "set PLUGINS_DIR"),
    ],
)
def test_command_says_why_it_wrote_nothing(
    tmp_path: Path, settings: Settings, name: str, folder: str, said: str
) -> None:
    write_plugin(tmp_path / "here", name="taken")
    write_plugin(tmp_path, name="taken")
    settings.PLUGINS_DIR = ""
    place = [str(tmp_path / folder)] if folder else []
    with pytest.raises(CommandError, match=said):
        call_command("create_plugin", name, *place)
