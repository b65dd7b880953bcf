"""How an operation stands in the OpenAPI document: parameters, example, answers and errors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from msgspec import Struct

from api.placet.examples import ANSWERS, BODIES, error_example
from api.placet.serializers.base import ErrorOut
from api.schema import OPTIONAL_BODY, REFERENCE

type Answer = type[Struct] | OpenApiResponse

CHANNEL = OpenApiParameter(
    "channel", str, description="Id of an agent; left out, all agents of the key are meant."
)
LIMIT = OpenApiParameter(
    "limit",
    {"type": "integer", "minimum": 1},
    description="50 by default; what is above 100 is cut to 100.",
)
CURSOR = OpenApiParameter("cursor", str, description="`nextCursor` of the page before.")

MEANINGS = {
    400: "Something in the request is wrong; `errors` says what and where.",
    401: "No API key, or not a valid one.",
    403: "Not your agent.",
    404: "Not found, or not yours.",
    413: "The body is too large.",
    415: "The body is of another type than this operation takes.",
    429: "Too many requests; `Retry-After` says when to come back.",
    503: "Something behind this service cannot be reached; `Retry-After` says when to come back.",
}
UNKNOWN_CALLER = 401
ALWAYS = (429, 503)
WITH_BODY = (400, 413, 415)


@dataclass(frozen=True)
class Book:
    """Examples by operation, and what errors mean and look like in a dialect."""

    bodies: Mapping[str, Any]
    answers: Mapping[str, Any]
    meanings: Mapping[int, str]
    error_example: Callable[[int], dict[str, Any]]
    error: type[Struct] = ErrorOut


AGENTS = Book(BODIES, ANSWERS, MEANINGS, error_example)


def array_of(struct: type[Struct]) -> OpenApiResponse:
    """An answer that is a bare array."""
    items = {"$ref": REFERENCE.format(name=struct.__name__)}
    return OpenApiResponse({"type": "array", "items": items})


def operation(
    name: str,
    *,
    tag: str,
    answers: Mapping[int | tuple[int, str], Answer],
    body: type[Struct] | dict[str, Any] | None = None,
    errors: Sequence[int] = (),
    parameters: Sequence[OpenApiParameter] = (),
    body_required: bool = True,
    needs_key: bool = True,
    book: Book = AGENTS,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Document a view's method as the operation `name`, with its examples.

    Every operation can answer 401 (unless it needs no key), 429 and 503, one with a body also 400,
    413 and 415; `errors` names what else it can answer.
    """
    wrong = {*ALWAYS, *errors, *(WITH_BODY if body is not None else ())}
    if needs_key:
        wrong.add(UNKNOWN_CALLER)
    if parameters:
        wrong.add(WITH_BODY[0])  # a query that cannot be read
    return extend_schema(
        operation_id=name,
        tags=[tag],
        parameters=list(parameters),
        request=body,
        responses={**answers, **{status: _error(status, book) for status in sorted(wrong)}},
        examples=_examples(name, body, answers, book),
        extensions=None if body_required else {OPTIONAL_BODY: True},
    )


def _error(status: int, book: Book) -> OpenApiResponse:
    example = OpenApiExample(str(status), book.error_example(status), status_codes=[str(status)])
    return OpenApiResponse(book.error, description=book.meanings[status], examples=[example])


def _examples(
    name: str, body: Any, answers: Mapping[Any, Answer], book: Book
) -> list[OpenApiExample]:
    found = []
    if body is not None:
        found.append(OpenApiExample("request", book.bodies[name], request_only=True))
    if name in book.answers:
        codes = [str(status) for status in answers]
        found.append(
            OpenApiExample("answer", book.answers[name], response_only=True, status_codes=codes)
        )
    return found
