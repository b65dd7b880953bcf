"""How these operations stand in the OpenAPI document, beside Placet's and people's."""

from functools import partial

from api.eliza.examples import ANSWERS, BODIES, error_example
from api.eliza.serializers import ElizaErrorOut
from api.placet.documentation import MEANINGS, Book
from api.placet.documentation import operation as placet_operation

ELIZA = Book(
    BODIES,
    ANSWERS,
    MEANINGS
    | {
        400: "Fields are missing or malformed; `details` names every one of them.",
        403: "`message_server_id` is not the server of this channel.",
        404: "No such channel, or not yours.",
        408: "The body did not arrive in time.",
        503: "This cannot be served now; `Retry-After` says when to come back.",
    },
    error_example,
    error=ElizaErrorOut,
)
operation = partial(placet_operation, tag="ElizaOS", book=ELIZA)
