"""Links that open one file to whoever has them."""

from typing import Any

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import Role, User, Workspace
from api.throttling import AddressThrottle
from attachments.deleting import remove_objects
from attachments.models import Attachment, State
from attachments.sharing import LIVES_SECONDS, share_token
from attachments.storage import read, remove
from inbox.models import Channel
from tests.api.placet.test_bad_input import assert_refused
from tests.conftest import Agent, Caller, signed_in
from tests.factories import (
    make_file,
    make_key,
    make_person,
)

FILES = "/api/files"

pytestmark = pytest.mark.django_db


@pytest.fixture
def link(caller: Caller, channel: Channel) -> str:
    """The path of a link to an HTML file."""
    file = make_file(channel, filename="x.html", mime_type="text/html", content=b"<script>")
    answer = caller.get(f"{FILES}/{file.pk}/share")
    assert answer.json()["expiresIn"] == 3600
    url: str = answer.json()["url"]
    assert url.startswith("http://localhost:8000/api/share/")
    return url.removeprefix("http://localhost:8000")


def opened(path: str, method: str = "GET", **headers: str) -> Any:
    """Without any credential."""
    return Agent("").call(method, path, **headers)


def no_link(answer: Any) -> None:
    assert assert_refused(answer, 404)["message"] == "Invalid or expired share link"


def test_link_gives_the_file_to_be_saved(link: str) -> None:
    answer = opened(link)
    assert (answer.status_code, answer.body) == (200, b"<script>")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Security-Policy"].startswith("sandbox;")
    part = opened(link, range="bytes=1-3")
    assert (part.status_code, part.body) == (206, b"scr")
    assert opened(link, "HEAD")["Content-Length"] == "8"


def test_link_looks_at_no_session_and_sets_none(link: str, person: User) -> None:
    browser = Client()
    browser.force_login(person)
    answer: Any = browser.get(link)
    assert answer.getvalue() == b"<script>"
    assert not answer.cookies
    browser.cookies["access_token"] = "lp_nonsense"
    again: Any = browser.get(link)
    assert again.getvalue() == b"<script>"


def test_link_ends_after_an_hour(link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = signing.time.time  # type: ignore[attr-defined]
    monkeypatch.setattr(signing.time, "time", lambda: clock() + LIVES_SECONDS - 5)  # type: ignore[attr-defined]
    assert opened(link).status_code == 200
    monkeypatch.setattr(signing.time, "time", lambda: clock() + LIVES_SECONDS + 5)  # type: ignore[attr-defined]
    no_link(opened(link))


@pytest.mark.parametrize("state", [State.DRAFT, State.STAGED])
def test_link_ends_with_the_file(link: str, state: State) -> None:
    draft = {"edit_of": Attachment.objects.get()} if state == State.DRAFT else {}
    Attachment.objects.update(state=state, **draft)
    no_link(opened(link))


def test_link_to_lost_bytes_is_none(link: str) -> None:
    remove(Attachment.objects.get().storage_key)
    no_link(opened(link))


def test_link_cannot_be_made_by_anybody_else(link: str, channel: Channel) -> None:
    token = link.rpartition("/")[2]
    identity, stamp, signature = token.split(".")
    other = make_file(channel)
    forged = [
        f"{other.pk.hex}.{stamp}.{signature}",
        f"{identity}.zzzzzz.{signature}",
        f"{identity}.{stamp}.{signature[:-1]}",
        f"{identity}.{stamp}.",
        f"{identity}.{stamp}",
        identity,
        str(other.pk),
        signing.TimestampSigner(sep=".").sign(identity),
        signing.TimestampSigner(salt="accounts.tickets.socket", sep=".").sign(identity),
        signing.TimestampSigner(salt="attachments.sharing", sep=".").sign("no id"),
        "%00",
        "x" * 5000,
        "é",
    ]
    for each in forged:
        no_link(opened(f"/api/share/{each}"))
    assert opened(link).status_code == 200


def test_link_survives_a_new_secret_key_that_names_the_old_one(
    link: str, settings: Settings
) -> None:
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    no_link(opened(link))
    settings.SECRET_KEY_FALLBACKS = [old]
    assert opened(link).status_code == 200


def test_viewer_shares_nothing(workspace: Workspace, channel: Channel) -> None:
    viewer = signed_in(make_person(workspace, Role.VIEWER))
    file = make_file(channel)
    assert_refused(viewer.get(f"{FILES}/{file.pk}/share"), 403)
    assert opened(f"/api/share/{share_token(file)}").status_code == 200


def test_links_are_counted_for_an_address(link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> bool:
        return False

    monkeypatch.setattr(AddressThrottle, "allow_request", full)
    assert_refused(opened(link), 429)


def test_agents_key_opens_none_of_these(workspace: Workspace, channel: Channel) -> None:
    key, file = make_key(workspace).clear, make_file(channel)
    for path in (FILES, f"{FILES}/{file.pk}/download", f"{FILES}/{file.pk}/share"):
        for nobody in (Agent(key), Caller(key)):
            assert_refused(nobody.get(path), 401)


def test_deleted_file_is_gone_everywhere(
    caller: Caller, agent: Agent, channel: Channel, link: str
) -> None:
    (file,) = Attachment.objects.all()
    assert caller.delete(f"{FILES}/{file.pk}").json() == {"message": "Deleted"}
    assert (
        assert_refused(caller.delete(f"{FILES}/{file.pk}"), 404)["message"]
        == "Attachment not found"
    )
    for path in (f"{FILES}/{file.pk}/download", f"{FILES}/{file.pk}/share"):
        assert_refused(caller.get(path), 404)
    assert_refused(agent.get(f"/api/v1/files/{file.pk}/download"), 404)
    no_link(opened(link))
    remove_objects(now=timezone.now())
    assert read(file.storage_key, limit=9) is None
