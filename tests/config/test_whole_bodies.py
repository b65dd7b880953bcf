"""A body that ends early is read by nobody as if it were whole."""

import io
import json
from typing import Any

import pytest
from django.test import RequestFactory
from django.test.client import ClientHandler

from accounts.models import User
from attachments.models import Attachment
from config import wsgi
from config.whole_bodies import SenderLeftError, WholeBody, whole_bodies
from inbox.models import Channel, Message
from tests.api.placet.forms import BOUNDARY, Part, channel_part, file_part, form
from tests.api.placet.test_bad_input import assert_refused
from tests.api.placet.test_files import waiting_files
from tests.conftest import Agent, signed_in

FORM = f"multipart/form-data; boundary={BOUNDARY}"
JSON = "application/json"


def served(environ: Any, _start_response: object) -> Any:
    """Like the WSGI handler; connections to the database stay open."""
    response: Any = ClientHandler()(environ)
    response.json = lambda: json.loads(response.content)
    return response


def answer(path: str, body: bytes, *, kind: str, missing: int, **headers: str) -> Any:
    """What the server says to a body of which `missing` bytes never come."""
    environ = RequestFactory().post(path, content_type=kind, headers=headers).environ
    environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body) + missing)}
    return whole_bodies(served)(environ, None)


def parts(channel: Channel) -> tuple[Part, ...]:
    return channel_part(channel), ("text", None, "", b"words"), file_part(b"x" * 100_000)


@pytest.mark.parametrize("cut", [1, 30, 50_000, 99_999])
@pytest.mark.parametrize("path", ["/api/v1/files/upload", "/api/files/upload", "/api/files/store"])
def test_upload_whose_sender_leaves_stores_nothing(
    agent: Agent, person: User, channel: Channel, path: str, cut: int
) -> None:
    caller = agent if "v1" in path else signed_in(person)
    body = form(*parts(channel))[:-cut]
    refused = answer(path, body, kind=FORM, missing=cut, **caller.credentials)
    assert "ended before" in assert_refused(refused, 400)["errors"][0]["message"]
    assert not Attachment.objects.exists()
    assert not Message.objects.exists()
    assert waiting_files() == []


def test_whole_upload_is_stored(agent: Agent, channel: Channel) -> None:
    body = form(*parts(channel))
    path = "/api/v1/files/upload"
    stored = answer(path, body, kind=FORM, missing=0, **agent.credentials)
    assert (stored.status_code, stored.json()["size"]) == (201, 100_000)


def test_json_that_ends_early_is_refused(agent: Agent, channel: Channel) -> None:
    body = json.dumps({"channelId": str(channel.pk), "text": "x"}).encode()
    path = "/api/v1/messages"
    assert_refused(answer(path, body[:-1], kind=JSON, missing=1, **agent.credentials), 400)
    assert not Message.objects.exists()
    assert answer(path, body, kind=JSON, missing=0, **agent.credentials).status_code == 201


def test_body_in_chunks_that_goes_on_is_not_taken_for_whole(
    agent: Agent, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wsgi, "_django", whole_bodies(served))
    body = form(channel_part(channel), file_part(b"x" * 3_000_000))
    request = RequestFactory().post(
        "/api/v1/files/store", content_type=FORM, headers=agent.credentials
    )
    chunks = {"wsgi.input": io.BytesIO(body), "HTTP_TRANSFER_ENCODING": "chunked"}
    assert_refused(wsgi.application(request.environ | chunks, lambda *_: None), 400)
    assert not Attachment.objects.exists()


def test_part_of_a_body_is_read_as_long_as_it_comes() -> None:
    body = WholeBody(io.BytesIO(b"ab\ncd"), 7)
    assert [body.readline(), body.read(1), body.read(0), body.read(5)] == [b"ab\n", b"c", b"", b"d"]
    with pytest.raises(SenderLeftError):
        body.read()
    with pytest.raises(SenderLeftError):
        body.readline()
