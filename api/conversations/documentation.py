"""How conversation operations stand in the OpenAPI document, beside the agents'."""

from functools import partial

from drf_spectacular.utils import OpenApiParameter

from api.conversations.examples import ANSWERS, BODIES, error_example
from api.conversations.serializers import ConversationErrorOut
from api.placet.documentation import MEANINGS, Book
from api.placet.documentation import operation as placet_operation

BOOK = Book(
    BODIES,
    ANSWERS,
    MEANINGS | {400: "Something in the request is wrong; `message` says what."},
    error_example,
    ConversationErrorOut,
)
operation = partial(placet_operation, tag="Conversations", book=BOOK)

CHANNEL = OpenApiParameter(
    "channel", str, description="Id of an agent, `agt_…`; left out, all agents are meant."
)
