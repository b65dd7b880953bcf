"""A channel made by a person."""

import pytest
from django.test import Client

from accounts.models import Workspace
from inbox.models import Channel

PATH = "/channels/new/"


def test_channel_is_made_and_opened(browser: Client, workspace: Workspace) -> None:
    assert b"New channel" in browser.get(PATH).content
    done = browser.post(PATH, {"name": "Atlas · releases", "description": ""})
    made = Channel.objects.get()
    assert (done.status_code, done["Location"]) == (303, f"/channels/{made.pk}/")
    assert (made.workspace, made.name, made.description) == (workspace, "Atlas · releases", None)


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\0b"])
def test_bad_name_is_refused_at_its_field(browser: Client, name: str) -> None:
    page = browser.post(PATH, {"name": name})
    assert page.status_code == 422
    assert b'href="#id_name"' in page.content
    assert not Channel.objects.exists()


def test_only_managers_may(viewer: Client) -> None:
    assert viewer.get(PATH).status_code == 403
    assert viewer.post(PATH, {"name": "Mine"}).status_code == 403


def test_first_run_leads_to_it(browser: Client, workspace: Workspace) -> None:
    assert PATH.encode() in browser.get("/inbox/").content
