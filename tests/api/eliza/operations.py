"""Every operation of this dialect in the OpenAPI document, and how to call it with real rows."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from api.eliza import examples
from api.placet.examples import AGENT_ID, MESSAGE_ID
from tests.api.placet.operations import Operation, Place, World, document
from tests.conftest import Agent

# What each id of a path or a body names. A new one has to be put here, or below.
IDS = {
    "channel_id": AGENT_ID,
    "channelId": AGENT_ID,
    "agentId": AGENT_ID,
    "message_server_id": examples.SERVER_ID,
    "in_reply_to_message_id": MESSAGE_ID,
}
# Of another platform, and kept as they are.
THEIRS = {"author_id", "roomId", "userId", "sourceId"}


def operations() -> Iterator[Operation]:
    for path, methods in document()["paths"].items():
        if path.startswith("/api/messaging/"):
            for method, about in methods.items():
                yield Operation(method.upper(), path, about)


OPERATIONS = list(operations())


def world_in(world: World) -> World:
    """The same rows, with what only this dialect names."""
    return World(world.workspace, world.ids | {examples.SERVER_ID: str(world.workspace.pk)})


def id_places(operation: Operation) -> list[Place]:
    """Raises: LookupError for an id that is neither in IDS nor in THEIRS."""
    found = [Place("path", name) for name in operation.path_names]
    body = examples.BODIES.get(operation.id, {})
    found += [Place("body", name) for name in body if name.endswith(("Id", "_id"))]
    for place in found:
        if place.name not in IDS.keys() | THEIRS:
            raise LookupError(f"{operation}: say in IDS what {place.name} names")
    return [place for place in found if place.name in IDS]


@dataclass(frozen=True)
class Changed:
    """Another id in one place of the documented call."""

    place: Place
    value: str


def call(agent: Agent, operation: Operation, world: World, changed: Changed | None = None) -> Any:
    """Make the documented call on the rows of a world."""
    path = operation.path
    body: dict[str, Any] | None = None
    if operation.content:
        text = json.dumps(examples.BODIES[operation.id])
        for documented, real in world.ids.items():
            text = text.replace(documented, real)
        body = json.loads(text)
    if changed and changed.place.where == "path":
        path = path.replace(f"{{{changed.place.name}}}", changed.value)
    if body is not None and changed and changed.place.where == "body":
        body[changed.place.name] = changed.value
    for name in operation.path_names:
        path = path.replace(f"{{{name}}}", world.ids[IDS[name]])
    return agent.call(operation.method, path, body)
