"""Parameters and error answers that many operations share in the OpenAPI document."""

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from msgspec import Struct

from api.placet.serializers.base import ErrorOut
from api.schema import REFERENCE

CHANNEL = OpenApiParameter(
    "channel", str, description="Id of an agent; left out, all agents of the key are meant."
)
LIMIT = OpenApiParameter("limit", int, description="1 to 100; 50 by default.")
CURSOR = OpenApiParameter("cursor", str, description="`nextCursor` of the page before.")

MEANINGS = {
    400: "Something in the request is wrong; `errors` says what and where.",
    401: "No API key, or not a valid one.",
    403: "Not your agent.",
    404: "Not found.",
    413: "The body is larger than 1 MiB.",
    415: "The body is not JSON.",
    429: "Too many requests; `Retry-After` says when to come back.",
}


def array_of(struct: type[Struct]) -> OpenApiResponse:
    """An answer that is a bare array."""
    items = {"$ref": REFERENCE.format(name=struct.__name__)}
    return OpenApiResponse({"type": "array", "items": items})


class _Errors:
    """`ERRORS[400, 401]`: the documented answers for these statuses."""

    def __getitem__(self, statuses: tuple[int, ...]) -> dict[int, OpenApiResponse]:
        return {
            status: OpenApiResponse(ErrorOut, description=MEANINGS[status]) for status in statuses
        }


ERRORS = _Errors()
