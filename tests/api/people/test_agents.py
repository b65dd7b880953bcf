"""Agents over the people's JSON API: what is unread, and who may change them."""

from typing import Any

import pytest

from accounts.models import Role, User, Workspace
from api.models import ChannelRead
from inbox.models import Channel, Sender
from tests.conftest import Caller, signed_in
from tests.factories import make_channel, make_message, make_person

AGENTS = "/api/agents"

pytestmark = pytest.mark.django_db


def unread(caller: Caller) -> dict[str, int]:
    return {each["id"]: each["unreadCount"] for each in caller.get(AGENTS).json()}


def test_agents_messages_are_unread_until_marked_read(
    caller: Caller, channel: Channel, person: User, workspace: Workspace
) -> None:
    here, other = str(channel.pk), make_channel(workspace)
    for _ in range(2):
        make_message(channel)
    make_message(channel, sender=Sender.USER, author=person)
    make_message(other)
    assert unread(caller) == {here: 2, str(other.pk): 1}
    answer = caller.call("POST", f"{AGENTS}/{here}/read")
    assert (answer.status_code, answer.content) == (201, b"")
    assert unread(caller) == {here: 0, str(other.pk): 1}
    make_message(channel)
    assert unread(caller)[here] == 1
    colleague = signed_in(make_person(workspace, Role.VIEWER))
    assert unread(colleague)[here] == 3, "everybody reads for themselves"
    caller.call("POST", f"{AGENTS}/{here}/read")
    assert (unread(caller)[here], ChannelRead.objects.count()) == (0, 1)


def test_mark_outlives_the_message_it_was_set_at(caller: Caller, channel: Channel) -> None:
    make_message(channel)
    newest = make_message(channel)
    caller.call("POST", f"{AGENTS}/{channel.pk}/read")
    newest.delete()
    assert unread(caller) == {str(channel.pk): 0}


def test_last_message_is_shown(caller: Caller, channel: Channel) -> None:
    (empty,) = caller.get(AGENTS).json()
    assert not {"lastMessage", "lastMessageTime"} & empty.keys()
    assert caller.call("POST", f"{AGENTS}/{channel.pk}/read").status_code == 201
    make_message(channel, text="first")
    make_message(channel, text="last")
    (shown,) = caller.get(AGENTS).json()
    assert shown["lastMessage"] == "last"
    assert shown["lastMessageTime"].endswith("Z")
    make_message(channel, text=None, status="info")
    (wordless,) = caller.get(AGENTS).json()
    assert "lastMessage" not in wordless
    assert wordless["lastMessageTime"] >= shown["lastMessageTime"]


def test_agents_take_as_many_statements_for_many_as_for_few(
    caller: Caller, workspace: Workspace, django_assert_num_queries: Any
) -> None:
    caller.get(AGENTS)
    for count in (2, 12):
        for _ in range(count):
            make_message(make_channel(workspace))
        with django_assert_num_queries(3):
            caller.get(AGENTS)


def test_where_an_agent_listens_is_shown_to_who_may_change_it(
    caller: Caller, workspace: Workspace
) -> None:
    address = "http://127.0.0.1:8999/hook?token=1"
    made = caller.post(AGENTS, {"name": "Atlas", "webhookUrl": address})
    assert (made.status_code, made.json()["webhookUrl"]) == (201, address)
    assert caller.get(AGENTS).json()[0]["webhookUrl"] == address
    reviewer = signed_in(make_person(workspace, Role.REVIEWER))
    (shown,) = reviewer.get(AGENTS).json()
    assert (shown["name"], shown["webhookUrl"]) == ("Atlas", None)
    for answer in (
        reviewer.post(AGENTS, {"name": "Mine"}),
        reviewer.call("PATCH", f"{AGENTS}/{shown['id']}", {"name": "Mine"}),
        reviewer.delete(f"{AGENTS}/{shown['id']}"),
    ):
        assert answer.status_code == 403
    assert Channel.objects.get().name == "Atlas"


def test_agent_is_changed_and_deleted(caller: Caller, channel: Channel) -> None:
    path = f"{AGENTS}/{channel.pk}"
    changed = caller.call("PATCH", path, {"name": "Bo", "tag": "ops"}).json()
    assert (changed["name"], changed["tag"]) == ("Bo", "ops")
    assert caller.call("PATCH", path, {"tag": None}).json()["tag"] is None
    assert caller.call("PATCH", path, {"webhookUrl": "http://10.0.0.1/"}).status_code == 400
    make_message(channel)
    caller.call("POST", f"{path}/read")
    assert caller.delete(path).json() == {"deleted": True}
    assert not Channel.objects.exists()
