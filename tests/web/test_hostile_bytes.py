"""How files that want to act are served, at every address: as what cannot run."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from attachments.models import Attachment
from attachments.sharing import share_token
from inbox.models import Channel
from tests.attachments.hostile import FILES
from tests.conftest import Agent, signed_in
from tests.factories import make_file

SAVED = "application/octet-stream"
PASSIVE = {"text/plain; charset=utf-8", "image/png", "image/gif", "application/pdf"}
# Only ever in an <img>, where nothing of it runs; opened by itself it is saved.
PICTURE_ONLY = "image/svg+xml"
# What a browser makes of each on the pages, where it is opened by itself.
ON_PAGES = {
    "html": "text/plain; charset=utf-8",
    "html that claims to be text": "text/plain; charset=utf-8",
    "html of no known type": "text/plain; charset=utf-8",
    "html that claims to be a picture": "image/png",
    "html of many words": "text/plain; charset=utf-8",
    "xhtml": "text/plain; charset=utf-8",
    "svg with script": PICTURE_ONLY,
    "svg that claims to be a png": "image/png",
    "xml": "text/plain; charset=utf-8",
    "xml as text": "text/plain; charset=utf-8",
    "script": "text/plain; charset=utf-8",
    "style": "text/plain; charset=utf-8",
    "pdf with script": "application/pdf",
    "gif and script": "image/gif",
    "png and html": "image/png",
    "png and html by name": "image/png",
    "pdf and html": "application/pdf",
}


@pytest.fixture(params=FILES)
def hostile(request: pytest.FixtureRequest, channel: Channel) -> tuple[str, Attachment]:
    file = FILES[request.param]
    about = {"filename": file.filename, "mime_type": file.kind.lower().partition(";")[0]}
    return request.param, make_file(channel, content=file.content, **about)  # type: ignore[arg-type]


def check(answer: Any) -> Any:
    """What holds for every answer with bytes of a file."""
    assert answer.status_code == 200
    answer.body = answer.getvalue()
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Referrer-Policy"] == "no-referrer"
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    sandboxed = policy.startswith("sandbox;")
    assert sandboxed or answer["Content-Type"] == "application/pdf"
    return answer


def test_pages_show_what_is_passive_and_text(
    browser: Client, hostile: tuple[str, Attachment]
) -> None:
    name, file = hostile
    answer = check(browser.get(f"/files/{file.pk}/raw/"))
    assert answer["Content-Type"] == ON_PAGES[name]
    inline = answer["Content-Disposition"].startswith("inline;")
    assert inline is (answer["Content-Type"] in PASSIVE)


def test_page_of_an_agent_is_rendered_in_a_sandbox_alone(
    browser: Client, hostile: tuple[str, Attachment]
) -> None:
    _name, file = hostile
    answer = check(browser.get(f"/files/{file.pk}/raw/?render=1"))
    if answer["Content-Type"].startswith("text/html"):
        assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    else:
        assert answer["Content-Type"] in PASSIVE | {PICTURE_ONLY, SAVED}


def test_what_is_saved_has_no_type(browser: Client, hostile: tuple[str, Attachment]) -> None:
    _name, file = hostile
    for path in (f"/files/{file.pk}/raw/?download=1", f"/api/share/{share_token(file)}"):
        answer = check(browser.get(path))
        assert answer["Content-Type"] == SAVED
        assert answer["Content-Disposition"].startswith("attachment;")


def test_people_get_what_is_passive_from_the_api(
    person: User, hostile: tuple[str, Attachment]
) -> None:
    _name, file = hostile
    client = Client(headers=signed_in(person).credentials)
    answer = check(client.get(f"/api/files/{file.pk}/download"))
    assert answer["Content-Type"] in PASSIVE | {SAVED}
    inline = answer["Content-Disposition"].startswith("inline;")
    assert inline is (answer["Content-Type"] in PASSIVE)


def test_agents_get_the_claimed_type_in_a_sandbox(
    agent: Agent, hostile: tuple[str, Attachment]
) -> None:
    _name, file = hostile
    client = Client(headers=agent.credentials)
    answer = check(client.get(f"/api/v1/files/{file.pk}/download"))
    assert answer["Content-Type"].partition(";")[0] == file.mime_type
    inline = answer["Content-Disposition"].startswith("inline;")
    assert inline is (answer["Content-Type"] in PASSIVE)
