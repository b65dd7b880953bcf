"""The operations of this dialect in the OpenAPI document, and rows to call them on."""

import json
import re
from dataclasses import dataclass
from typing import Any

from accounts.models import Workspace
from api.conversations.examples import BODIES, CONVERSATION_ID, QUESTION_ID
from api.conversations.ids import CONVERSATION, MESSAGE, shown_id
from api.placet.examples import AGENT_ID
from inbox.models import Message
from tests.api.placet.operations import Operation, document
from tests.conftest import Agent
from tests.factories import make_channel, make_message, make_thread

MISSING = "01a1fbfbface757291e0670124d68395"
TAG = "Conversations"
# What each id of a path, a query or a body names; a cursor is no row of anybody.
IDS = {
    "conversation_id": CONVERSATION_ID,
    "reply_to_message_id": QUESTION_ID,
    "channel": AGENT_ID,
}
NO_ROW = {"sender_id", "cursor", "after", "limit"}


def operations() -> list[Operation]:
    return [
        Operation(method.upper(), path, about)
        for path, methods in document()["paths"].items()
        for method, about in methods.items()
        if about["tags"] == [TAG]
    ]


OPERATIONS = operations()


@dataclass(frozen=True)
class World:
    """Rows of one workspace; `ids` maps the ids of the documented examples to theirs."""

    workspace: Workspace
    ids: dict[str, str]


def build_world(workspace: Workspace) -> World:
    """A conversation with a question in it."""
    channel = make_channel(workspace)
    thread = make_thread(channel)
    question = make_message(channel, thread=thread, text=f"Hello {workspace.name}")
    ids = {
        CONVERSATION_ID: shown_id(CONVERSATION, thread.pk),
        QUESTION_ID: shown_id(MESSAGE, question.pk),
        AGENT_ID: str(channel.pk),
    }
    return World(workspace, ids)


def id_places(operation: Operation) -> list[tuple[str, str]]:
    """Where a call names a row: `path`, `query` or `body`, and the name there.

    Raises: LookupError for a name of which nobody said whether it does.
    """
    named = [("path", name) for name in operation.path_names]
    named += [("query", name) for name in operation.query_names]
    named += [("body", name) for name in operation.fields if name.endswith("_id")]
    for _, name in named:
        if name not in IDS.keys() | NO_ROW:
            raise LookupError(f"{operation}: say in IDS what {name} names")
    return [place for place in named if place[1] in IDS]


def call(
    agent: Agent,
    operation: Operation,
    world: World,
    *,
    at: tuple[str, str] = ("", ""),
    value: str = "",
) -> Any:
    """Make the documented call on the rows of a world, with another id in one place."""
    where, name = at
    path = re.sub(
        r"{(\w+)}",
        lambda m: value if at == ("path", m[1]) else world.ids[IDS[m[1]]],
        operation.path,
    )
    if where == "query":
        path += f"?{name}={value}"
    body = body_of(operation, world)
    if where == "body":
        body[name] = value
    return agent.call(operation.method, path, body)


def body_of(operation: Operation, world: World) -> Any:
    text = json.dumps(BODIES.get(operation.id))
    for documented, real in world.ids.items():
        text = text.replace(documented, real)
    return json.loads(text)


def messages_of(world: World) -> list[Any]:
    return list(Message.objects.filter(workspace=world.workspace).order_by("pk").values())
