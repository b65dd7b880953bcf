"""Who gets to the settings, what they cost, and which methods they take."""

import pytest
from django.test import Client

from inbox.models import Channel
from tests.web.test_query_counts import statements
from web.views.settings.page import PARTS

PAGES = ["/settings/", *(f"/settings/{part.name}/" for part in PARTS), "/settings/password/"]
POSTS = [
    "/settings/sign-out-everywhere/",
    "/settings/people/invite/",
    "/settings/workspace/switch/",
]


@pytest.mark.parametrize("path", [*PAGES, *POSTS])
def test_signed_out_person_is_led_to_the_door(client: Client, db: None, path: str) -> None:
    for answer in (client.post(path), client.get(path)):
        if answer.status_code != 405:
            assert answer["Location"].startswith("/sign-in/?next=")


@pytest.mark.parametrize("path", POSTS)
def test_what_changes_something_takes_a_post(browser: Client, path: str) -> None:
    assert browser.get(path).status_code == 405


@pytest.mark.parametrize("path", PAGES)
def test_page_is_private_and_cheap(browser: Client, channel: Channel, path: str) -> None:
    assert "no-store" in browser.get(path)["Cache-Control"]
    assert statements(browser, path) <= 7


@pytest.mark.parametrize("path", [*PAGES, "/channels/{channel}/settings/"])
def test_page_has_one_first_heading(browser: Client, channel: Channel, path: str) -> None:
    assert browser.get(path.format(channel=channel.pk)).text.count("<h1") == 1


def test_choices_cost_agents_nothing(client: Client, db: None) -> None:
    """No session is looked for where no cookie was sent."""
    answer = client.get("/health")
    assert "Cookie" not in answer.get("Vary", "")


def test_channel_page_is_cheap(browser: Client, channel: Channel) -> None:
    assert statements(browser, f"/channels/{channel.pk}/settings/") <= 8


def test_every_section_has_its_icon(browser: Client) -> None:
    from pathlib import Path

    from django.conf import settings

    sprite = Path(settings.ASSETS, "static/vendor/icons.svg").read_text()
    for part in PARTS:
        assert f'id="i-{part.icon}"' in sprite
