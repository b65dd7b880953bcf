"""Messages and answers, as people send and see them (Placet contract 3.4)."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from api.people.serializers.agents import MessageAgentOut
from api.placet.serializers.base import ChannelId, ClientId, Text, WireStruct
from api.placet.serializers.messages import MessageOut

LONGEST_TEXT = 20_000
LONGEST_FEEDBACK = 20_000


class PersonMessageIn(WireStruct):
    """A message to an agent: text, files, or both."""

    channel_id: ChannelId
    text: Annotated[str, Meta(max_length=LONGEST_TEXT)] | UnsetType = UNSET
    attachment_ids: Annotated[list[Text], Meta(max_length=100)] = []
    client_id: ClientId | UnsetType = UNSET


class RespondIn(WireStruct):
    """An answer. It has to fit the question; what it looks like goes by the review's type."""

    response: dict[str, Any]
    feedback: Annotated[str, Meta(max_length=LONGEST_FEEDBACK)] | UnsetType = UNSET
    modified_file_ids: (
        Annotated[
            dict[str, Annotated[str, Meta(max_length=100)]],
            Meta(max_length=100, description="Id of a file of the message: id of its new version."),
        ]
        | UnsetType
    ) = UNSET


class PersonMessageOut(MessageOut, kw_only=True):
    """A message and its agent."""

    agent: MessageAgentOut


class RetriedOut(WireStruct):
    retried: bool
