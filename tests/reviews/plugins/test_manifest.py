"""What a plugin's directory must hold, and what its author is told otherwise."""

import json
from pathlib import Path
from typing import Any

import pytest

from reviews.plugins.manifest import InvalidPluginError, Variable, read_plugin, sample_data
from tests.plugins import write_plugin

ENV = {"key": "TOKEN", "label": "Token"}


def test_whole_manifest_is_read(tmp_path: Path) -> None:
    place = write_plugin(
        tmp_path,
        description="Says it.",
        author="Ada",
        icon="./icon.svg",
        permissions={"httpRequests": True, "maxHttpDomains": ["API.example.org", "*.example.net"]},
        env=[ENV | {"required": True, "secret": True, "default": "x", "description": "Where"}],
        futureField=[1],
    )
    (place / "icon.svg").write_text("<svg/>")
    plugin = read_plugin(place)
    assert (plugin.name, plugin.display_name, plugin.version) == ("card", "Card", "1.0.0")
    assert (plugin.description, plugin.author, plugin.html) == ("Says it.", "Ada", "<p>Card</p>")
    assert plugin.icon == place / "icon.svg"
    assert plugin.may_call
    assert plugin.domains == ("api.example.org", "*.example.net")
    wanted = Variable("TOKEN", "Token", True, "x", True, "Where")  # noqa: FBT003  # its fields
    assert plugin.variables == (wanted,)
    assert plugin.public_manifest["futureField"] == [1]


def test_least_manifest_calls_nobody(tmp_path: Path) -> None:
    plugin = read_plugin(write_plugin(tmp_path))
    assert not plugin.may_call
    assert plugin.domains == ("*",)
    assert plugin.icon is None
    assert read_plugin(write_plugin(tmp_path, icon="badge-check")).icon is None


def test_default_of_a_secret_is_not_shown(tmp_path: Path) -> None:
    env = [ENV | {"secret": True, "default": "hush"}, {"key": "A", "label": "A", "default": "b"}]
    shown = read_plugin(write_plugin(tmp_path, env=env)).public_manifest
    assert "hush" not in json.dumps(shown)
    assert shown["env"][1]["default"] == "b"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": None}, '"name" is missing'),
        ({"name": 7}, '"name" must be text'),
        ({"displayName": None}, '"displayName" is missing'),
        ({"displayName": " "}, '"displayName" is missing'),
        ({"displayName": "x" * 101}, '"displayName" has more than 100 characters'),
        ({"version": None}, '"version" is missing'),
        ({"version": "1.0"}, "\"version\" must begin with n.n.n, not '1.0'"),
        ({"version": "v1.0.0"}, '"version" must begin with n.n.n'),
        ({"description": 1}, '"description" must be text'),
        ({"icon": "../icon.svg"}, '"icon" must be a name, or a file as ./icon.svg'),
        ({"icon": "./../../etc/passwd.svg"}, '"icon" must be a name, or a file'),
        ({"icon": "./icon.gif"}, '"icon" must end with .svg, .png, .jpg, .webp'),
        ({"icon": "./none.svg"}, '"icon" names ./none.svg, which does not exist'),
        ({"inputSchema": []}, '"inputSchema" must be an object'),
        ({"permissions": True}, '"permissions" must be an object'),
        ({"permissions": {"httpRequests": "yes"}}, '"permissions.httpRequests" must be true or'),
        ({"permissions": {"maxHttpDomains": "a.org"}}, '"permissions.maxHttpDomains" must be a'),
        (
            {"permissions": {"maxHttpDomains": ["a.org", "https://b.org/"]}},
            '"permissions.maxHttpDomains[1]" must be "*", a host',
        ),
        ({"env": {}}, '"env" must be a list'),
        ({"env": ["TOKEN"]}, '"env[0]" must be an object'),
        ({"env": [{"label": "Token"}]}, '"env[0].key" is missing'),
        ({"env": [ENV | {"key": "a-b"}]}, '"env[0].key" takes letters, digits and _'),
        ({"env": [{"key": "TOKEN"}]}, '"env[0].label" is missing'),
        ({"env": [ENV, ENV]}, "\"env[1].key\" 'TOKEN' is there twice"),
        ({"env": [ENV | {"default": 5}]}, '"env[0].default" must be text'),
        ({"env": [ENV | {"secret": "no"}]}, '"env[0].secret" must be true or false'),
    ],
)
def test_what_is_wrong_is_said_with_file_and_field(
    tmp_path: Path, wrong: dict[str, Any], said: str
) -> None:
    place = write_plugin(tmp_path, **wrong)
    if place.name == "7":
        place = place.rename(tmp_path / "card")
    with pytest.raises(InvalidPluginError) as refusal:
        read_plugin(place)
    assert str(refusal.value).startswith(f"{place / 'plugin.json'}: {said}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "plugin.json: line 1, column 2:"),
        (b"[]", "plugin.json: must be a JSON object"),
        (b"\xff", "plugin.json: is not UTF-8"),
        (b"[" * 60_000, "plugin.json: "),
        (b" " * 70_000, "plugin.json: has more than 65536 bytes"),
    ],
)
def test_broken_manifest_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    place = write_plugin(tmp_path)
    (place / "plugin.json").write_bytes(content)
    with pytest.raises(InvalidPluginError, match=said):
        read_plugin(place)


def test_name_is_the_directory_s(tmp_path: Path) -> None:
    place = write_plugin(tmp_path).rename(tmp_path / "other")
    with pytest.raises(InvalidPluginError, match="must equal the directory's name 'other'"):
        read_plugin(place)


def test_page_is_needed(tmp_path: Path) -> None:
    place = write_plugin(tmp_path)
    (place / "render.html").unlink()
    with pytest.raises(InvalidPluginError, match=r"render.html: cannot be read: No such file"):
        read_plugin(place)


def test_icon_behind_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.svg").write_text("<svg/>")
    place = write_plugin(tmp_path, icon="./icon.svg")
    (place / "icon.svg").symlink_to(tmp_path / "secret.svg")
    with pytest.raises(InvalidPluginError, match="in this directory"):
        read_plugin(place)


def test_preview_shows_the_example_or_makes_one_up(tmp_path: Path) -> None:
    properties = {
        "label": {"type": "string"},
        "tone": {"enum": ["ok", "bad"]},
        "count": {"type": "integer", "default": 4},
        "items": {"type": "array"},
        "odd": True,
    }
    made_up = read_plugin(write_plugin(tmp_path, inputSchema={"properties": properties}))
    assert sample_data(made_up) == {
        "label": "label",
        "tone": "ok",
        "count": 4,
        "items": [],
        "odd": "odd",
    }
    schema = {"properties": properties, "examples": [{"label": "Hi"}]}
    assert sample_data(read_plugin(write_plugin(tmp_path, inputSchema=schema))) == {"label": "Hi"}
    assert sample_data(read_plugin(write_plugin(tmp_path))) == {}
