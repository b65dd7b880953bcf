"""Every operation of the OpenAPI document, and how to call it with real rows.

The document is the list: a route that is added there is tested here, and one whose ids nobody
told apart makes the suite fail.
"""

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from drf_spectacular.generators import SchemaGenerator

from accounts.models import Workspace
from api.people import examples as people_examples
from api.placet import examples
from attachments.models import Attachment, State
from attachments.storage import put
from inbox.models import Channel
from reviews.models import Closer
from reviews.services import Answer, answer_review
from tests.conftest import Agent
from tests.factories import make_channel, make_message, make_person, make_review, make_thread

MISSING = "01a1fbfb-face-7572-91e0-670124d68395"

# What each id of a path, a query or a body names. A new one has to be put here.
IDS = {
    "agent_id": examples.AGENT_ID,
    "agentId": examples.AGENT_ID,
    "agent": examples.AGENT_ID,
    "channel": examples.AGENT_ID,
    "channelId": examples.AGENT_ID,
    "parentChannelId": examples.PARENT_ID,
    "message_id": examples.MESSAGE_ID,
    "iterationOf": examples.MESSAGE_ID,
    "replyTo": examples.MESSAGE_ID,
    "threadId": examples.THREAD_ID,
    "file_id": examples.FILE_ID,
    "attachmentIds": examples.FILE_ID,
    "ids": examples.FILE_ID,
    "token": people_examples.SHARE_TOKEN,
    "user_id": people_examples.PERSON_ID,
    "key_id": people_examples.KEY_ID,
    "log_id": people_examples.LOG_ID,
}
BODIES = examples.BODIES | people_examples.BODIES
# Chosen by the agent, and looked up inside its own channel.
OWN_NAMES = {
    "clientId": "mine",
    "streamId": "s-1",
    "stream_id": "s-1",
    "name": "status-badge",
    "plugin_name": "status-badge",
}
# Passed on to the agent as they are; it finds its own files only.
PASSED_ON = {"modifiedFileIds"}
# Whoever has it may use it, from whichever workspace.
OPEN_TO_ALL = {"token"}


@functools.cache
def document() -> dict[str, Any]:
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    whole: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return whole


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    about: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.about["operationId"])

    @property
    def content(self) -> dict[str, Any]:
        return dict(self.about.get("requestBody", {}).get("content", {}))

    @property
    def takes_json(self) -> bool:
        return "application/json" in self.content

    @property
    def takes_files(self) -> bool:
        return "multipart/form-data" in self.content

    @property
    def path_names(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    @property
    def query_names(self) -> list[str]:
        return [each["name"] for each in self.about.get("parameters", ()) if each["in"] == "query"]

    @property
    def fields(self) -> dict[str, Any]:
        """The properties of the body, by name."""
        for content in self.content.values():
            schema = content["schema"]
            if "$ref" in schema:
                schema = document()["components"]["schemas"][schema["$ref"].split("/")[-1]]
            return dict(schema["properties"])
        return {}

    @property
    def example(self) -> Any:
        """The documented body."""
        return BODIES[self.id] if self.content else None

    def answer_schema(self, status: int) -> dict[str, Any]:
        """A JSON Schema with its components, for what came with this status."""
        schema = self.about["responses"][str(status)]["content"]["application/json"]["schema"]
        return {**schema, "components": document()["components"]}

    def __str__(self) -> str:
        return self.id


def operations(*, agents: bool = True) -> Iterator[Operation]:
    """Those of agents in Placet's dialect, or those of people."""
    for path, methods in document()["paths"].items():
        others = not path.startswith("/api/") or path.startswith("/api/messaging/")
        if not others and path.startswith("/api/v1/") == agents:
            for method, about in methods.items():
                yield Operation(method.upper(), path, about)


OPERATIONS = list(operations())


@dataclass(frozen=True)
class World:
    """Rows of one workspace; `ids` maps the ids of the documented examples to theirs."""

    workspace: Workspace
    ids: dict[str, str]


def build_world(workspace: Workspace, channel: Channel | None = None) -> World:
    """A channel with a parent to be, a decided review, a draft, and a file that waits."""
    channel, parent = channel or make_channel(workspace), make_channel(workspace, name="Parent")
    review = make_review(channel=channel, payload=examples.PAYLOAD)
    answer = Answer(
        response={"selectedOption": "approve"}, by=make_person(workspace), via=Closer.PAGE
    )
    answer_review(review, answer=answer)
    make_message(channel, stream_id=OWN_NAMES["stream_id"], stream_state="streaming")
    file = _waiting_file(channel)
    ids = {
        examples.AGENT_ID: str(channel.pk),
        examples.PARENT_ID: str(parent.pk),
        examples.MESSAGE_ID: str(review.pk),
        examples.FILE_ID: str(file.pk),
        examples.THREAD_ID: str(make_thread(channel).pk),
    }
    return World(workspace, ids)


def _waiting_file(channel: Channel) -> Attachment:
    key = f"file-of-{channel.pk}"
    put(key, b"hello")
    return Attachment.objects.create(
        workspace=channel.workspace,
        channel=channel,
        state=State.READY,
        filename="a.txt",
        mime_type="text/plain",
        size=5,
        storage_key=key,
    )


@dataclass(frozen=True)
class Place:
    """Where an id goes into a call: `path`, `query` or `body`, and its name there."""

    where: str
    name: str


def id_places(operation: Operation) -> list[Place]:
    """Every place of a tenant's id.

    Raises: LookupError for one that is neither in IDS nor in OWN_NAMES.
    """
    found = [Place("path", name) for name in operation.path_names]
    found += [Place("query", name) for name in operation.query_names if name in IDS]
    found += [Place("body", name) for name in operation.fields if _looks_like_an_id(name)]
    for place in found:
        if place.name not in IDS.keys() | OWN_NAMES.keys() | PASSED_ON:
            raise LookupError(f"{operation}: say in IDS what {place.name} names")
    return [place for place in found if place.name in IDS.keys() - OPEN_TO_ALL]


def _looks_like_an_id(name: str) -> bool:
    return name in IDS or re.search(r"(Ids?|Of)$|^channel$", name) is not None


def call(
    agent: Agent,
    operation: Operation,
    world: World,
    *,
    at: Place | None = None,
    value: str = "",
    **headers: str,
) -> Any:
    """Make the documented call on the rows of a world, with another id in one place."""
    path = operation.path
    for name in operation.path_names:
        own = OWN_NAMES.get(name) or world.ids[IDS[name]]
        path = path.replace(f"{{{name}}}", value if at == Place("path", name) else own)
    if at is not None and at.where == "query":
        path += f"?{at.name}={value}"
    body = _body(operation, world)
    if at is not None and at.where == "body":
        body[at.name] = [value] if at.name.lower().endswith("ids") else value
    if operation.takes_files:
        return agent.send_form(path, body, **headers)
    return agent.call(operation.method, path, body, **headers)


def _body(operation: Operation, world: World) -> Any:
    text = json.dumps(operation.example)
    for documented, real in world.ids.items():
        text = text.replace(documented, real)
    return json.loads(text)
