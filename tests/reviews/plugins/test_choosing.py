"""Which plugin shows which message, and with what."""

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Workspace
from inbox.models import Channel
from reviews.models import ReviewRequest
from reviews.plugins import find_plugin
from reviews.plugins.choosing import Chooser
from reviews.plugins.configuration import configure
from tests.factories import make_message, make_review

pytestmark = pytest.mark.django_db

BADGE = {"label": "Ready", "variant": "success"}
IN_METADATA: dict[str, Any] = {
    "metadata": {"plugin": "status-badge", "webhookUrl": "https://a.org/", **BADGE}
}
NAMES_IT = BADGE | {"plugin": "status-badge"}


def shown(channel: Channel, review: ReviewRequest | None = None, **message: Any) -> Any:
    row = review.message if review else make_message(channel, **message)
    chosen = Chooser(channel.workspace).choose(row, review)
    return None if chosen is None else (chosen.plugin.name, dict(chosen.data))


def test_metadata_names_it_and_is_its_data(channel: Channel) -> None:
    assert shown(channel, **IN_METADATA) == ("status-badge", BADGE)
    review = make_review("approval", {"options": ["a"]}, channel=channel, **IN_METADATA)
    assert shown(channel, review) == ("status-badge", BADGE)


def test_freeform_names_it_in_its_payload(channel: Channel) -> None:
    """The server copies the name, which `POST /api/v1/messages` does."""
    metadata = {"plugin": "status-badge"}
    review = make_review("freeform", NAMES_IT, channel=channel, metadata=metadata)
    assert shown(channel, review) == ("status-badge", NAMES_IT)


def test_type_of_the_review_is_its_name(channel: Channel) -> None:
    assert shown(channel, make_review("status-badge", BADGE, channel=channel)) == (
        "status-badge",
        BADGE,
    )


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"metadata": {"plugin": "unknown"}},
        {"metadata": {"plugin": ["status-badge"]}},
        {"metadata": {"plugin": None}},
        {"metadata": {"Plugin": "status-badge"}},
    ],
    ids=str,
)
def test_other_messages_are_shown_as_ever(channel: Channel, message: dict[str, Any]) -> None:
    assert shown(channel, **message) is None


@pytest.mark.parametrize("payload", [None, [1], "text", 7], ids=str)
def test_payload_that_is_no_object_is_no_data(channel: Channel, payload: Any) -> None:
    review = make_review("status-badge", payload, channel=channel)
    assert shown(channel, review) == ("status-badge", {})


def test_what_is_switched_off_is_not_shown(
    channel: Channel, workspace: Workspace, now: datetime
) -> None:
    plugin = find_plugin("status-badge")
    configure(workspace, plugin, values={}, enabled=False, now=now)
    assert shown(channel, **IN_METADATA) is None


def test_page_asks_once_and_only_if_there_is_something_to_show(channel: Channel) -> None:
    plain, badges = make_message(channel), [make_message(channel, **IN_METADATA) for _ in range(3)]
    chooser = Chooser(channel.workspace)
    with CaptureQueriesContext(connection) as asked:
        chooser.choose(plain, None)
    assert not asked
    with CaptureQueriesContext(connection) as asked:
        assert all(chooser.choose(message, None) for message in badges)
    assert len(asked) == 1
