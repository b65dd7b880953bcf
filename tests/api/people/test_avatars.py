"""Pictures of agents: drawn anew, shown to their own people, and nowhere else."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from PIL import Image

from accounts.models import Role, User, Workspace
from attachments.workshop import FOLDER_PREFIX
from inbox.models import Channel, ChannelPicture
from tests.api.placet.forms import channel_part, send
from tests.api.placet.test_bad_input import assert_refused
from tests.api.placet.test_files import waiting_files
from tests.attachments import samples
from tests.conftest import Agent, Caller, signed_in
from tests.factories import make_channel, make_person, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(channel: Channel) -> str:
    return f"/api/agents/{channel.pk}/avatar"


def upload(caller: Agent, path: str, content: bytes, kind: str = "image/png") -> Any:
    return send(caller, path, ("file", "a.png", kind, content))


def test_picture_is_drawn_anew_and_named_by_the_agent(
    caller: Caller, agent: Agent, path: str
) -> None:
    answer = upload(caller, path, samples.photograph(), "image/jpeg")
    assert answer.status_code == 201
    address = answer.json()["avatarUrl"]
    assert address.startswith(f"http://localhost:8000{path}?v=")
    assert agent.get("/api/v1/agents").json()[0]["avatarUrl"] == address
    shown = caller.get(path)
    assert shown["Content-Type"] == "image/webp"
    assert shown["Cache-Control"] == "private, max-age=3600"
    assert shown["X-Content-Type-Options"] == "nosniff"
    picture = Image.open(io.BytesIO(shown.content))
    assert (picture.format, picture.size) == ("WEBP", (256, 256))
    assert not picture.getexif()
    assert b"secret camera" not in shown.content


def test_new_picture_has_a_new_address(caller: Caller, path: str) -> None:
    first = upload(caller, path, samples.picture("PNG", color="navy")).json()["avatarUrl"]
    second = upload(caller, path, samples.picture("GIF", color="red")).json()["avatarUrl"]
    assert first != second
    assert ChannelPicture.objects.count() == 1


def test_picture_goes_away(caller: Caller, path: str, channel: Channel) -> None:
    upload(caller, path, samples.picture())
    assert caller.delete(path).json()["avatarUrl"] is None
    assert assert_refused(caller.get(path), 404)["message"] == "No avatar set"
    assert caller.delete(path).status_code == 200, "twice is no failure"
    upload(caller, path, samples.picture())
    channel.delete()
    assert not ChannelPicture.objects.exists()


@pytest.mark.parametrize("address", ["https://example.com/a.png", None])
def test_address_elsewhere_takes_the_pictures_place(
    caller: Caller, agent: Agent, path: str, channel: Channel, address: str | None
) -> None:
    upload(caller, path, samples.picture())
    kept = agent.call("PATCH", f"/api/v1/agents/{channel.pk}", {"tag": "ops"}).json()
    assert "/avatar?v=" in kept["avatarUrl"]
    changed = agent.call("PATCH", f"/api/v1/agents/{channel.pk}", {"avatarUrl": address})
    assert changed.json()["avatarUrl"] == address
    assert not ChannelPicture.objects.exists()
    assert "/avatar?v=" in upload(caller, path, samples.picture()).json()["avatarUrl"]


SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
REFUSED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "no image": ("text/plain", samples.picture),
    "html": ("image/png", lambda: b"<script>alert(1)</script>"),
    "svg": ("image/svg+xml", lambda: SVG),
    "svg that claims": ("image/png", lambda: SVG),
    "ico": ("image/x-icon", lambda: samples.picture("ICO")),
    "bmp": ("image/bmp", lambda: samples.picture("BMP")),
    "postscript": ("image/png", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
    "pixels": ("image/png", lambda: samples.png_that_claims(20_000, 20_000)),
    "text bomb": ("image/png", samples.png_with_a_text_bomb),
    "half": ("image/jpeg", lambda: samples.picture("JPEG")[:900]),
    "empty": ("image/png", lambda: b""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_harmless_picture_is_refused(caller: Caller, path: str, name: str) -> None:
    kind, build = REFUSED[name]
    refused = assert_refused(upload(caller, path, build(), kind), 400)
    assert refused["errors"][0]["path"] == ["file"]
    assert not ChannelPicture.objects.exists()
    assert not [left for left in waiting_files() if left.name.startswith(FOLDER_PREFIX)]


def test_what_is_hidden_behind_a_picture_is_not_kept(caller: Caller, path: str) -> None:
    polyglot = samples.picture("GIF") + b"<script>alert(1)</script>"
    assert upload(caller, path, polyglot, "image/gif").status_code == 201
    assert b"script" not in caller.get(path).content


def test_large_picture_is_refused(caller: Caller, path: str, channel: Channel) -> None:
    assert_refused(upload(caller, path, bytes(5 * samples.MIB + 1)), 413)
    assert_refused(upload(caller, path, bytes(7 * samples.MIB)), 413)
    missing = assert_refused(send(caller, path, channel_part(channel)), 400)
    assert missing["message"] == "No file provided"


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.VIEWER])
def test_others_look_at_it_only(
    caller: Caller, path: str, workspace: Workspace, role: Role
) -> None:
    upload(caller, path, samples.picture())
    other = signed_in(make_person(workspace, role))
    assert other.get(path).status_code == 200
    assert_refused(upload(other, path, samples.picture()), 403)
    assert_refused(other.delete(path), 403)


# Pages


def test_pages_show_the_picture_in_place_of_initials(
    caller: Caller, path: str, channel: Channel, person: User
) -> None:
    browser = Client()
    browser.force_login(person)
    assert b"<img" not in browser.get("/channels/").content
    upload(caller, path, samples.picture())
    channel.refresh_from_db()
    address = f"/channels/{channel.pk}/picture/?v={channel.picture}"
    assert f'src="{address}"' in browser.get("/channels/").content.decode()
    answer = browser.get(address)
    assert answer["Content-Type"] == "image/webp"
    assert answer["Cache-Control"] == "private, max-age=3600"
    caller.delete(path)
    assert browser.get(address).status_code == 404


def test_stranger_sees_no_picture(caller: Caller, path: str, channel: Channel) -> None:
    upload(caller, path, samples.picture())
    stranger = Client()
    stranger.force_login(make_person(make_workspace("Elsewhere")))
    assert stranger.get(f"/channels/{channel.pk}/picture/").status_code == 404
    assert Client().get(f"/channels/{channel.pk}/picture/").status_code == 302
    assert make_channel(channel.workspace).picture == ""
