"""What the views of this dialect share."""

import time
from typing import Any, cast

import msgspec
from django.http.request import QueryDict
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.status import HTTP_400_BAD_REQUEST
from rest_framework.views import APIView

from accounts.models import ApiKey, Workspace
from api import call_log
from api.authentication import ApiKeyAuthentication
from api.bodies import BodyError, decode_object, has_body, read_json_body
from api.placet.errors import INVALID, InvalidBodyError, explain, fault, handle
from api.renderers import FastJSONRenderer
from api.throttling import CallThrottle
from delivery.egress import EgressRefusedError, check_headers, check_method, check_url
from inbox.models import Channel
from inbox.queries import require_channel

ANYTHING = "*/*"
NOTHING = "default-src 'none'; frame-ancestors 'none'"
TAKE_JSON = frozenset({ANYTHING, "application/json", "application/json, text/plain, */*"})


class PlacetView(APIView):
    """JSON in and out, and Placet's errors."""

    renderer_classes = [FastJSONRenderer]
    parser_classes = [JSONParser]  # for the OpenAPI document; `read_body` does the work

    def get_exception_handler(self) -> Any:
        return handle

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: FBT001, FBT002  # DRF's own
        """There is one choice; only who cannot take that needs to be looked at more closely."""
        if request.META.get("HTTP_ACCEPT", ANYTHING) in TAKE_JSON and not request.META.get(
            "QUERY_STRING"
        ):
            renderer = FastJSONRenderer()
            return renderer, renderer.media_type
        return super().perform_content_negotiation(request, force)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.setdefault("Cache-Control", "no-store")
        response.setdefault(
            "Content-Security-Policy", NOTHING
        )  # JSON loads nothing, wherever shown
        for name, value in getattr(request, "limit_headers", {}).items():
            response[name] = value
        return response


class AgentView(PlacetView):
    """A route for agents: API key in, and every call goes into the log."""

    authentication_classes = [ApiKeyAuthentication]
    throttle_classes = [CallThrottle]

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        response: Any = super().dispatch(request, *args, **kwargs)
        call_log.note(self.request, response, started=started)
        return response


class UnknownRoute(AgentView):
    """Any other path below /api/: the same envelope, without asking for a key."""

    authentication_classes = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise InvalidRouteError


class InvalidRouteError(InvalidBodyError):
    status_code = 404

    def __init__(self) -> None:
        super().__init__(message="There is no such route. See /api/docs for those there are.")


def workspace_of(request: Request) -> Workspace:
    return key_of(request).workspace


def key_of(request: Request) -> ApiKey:
    return cast("ApiKey", request.auth)


def read_body[T](request: Request, into: type[T]) -> T:
    """Decode the body.

    Raises: InvalidBodyError with the status that fits.
    """
    try:
        return decode_object(read_json_body(request._request), into)  # noqa: SLF001  # DRF would parse it first
    except BodyError as error:
        raise unreadable(error) from error
    except msgspec.ValidationError as error:
        raise InvalidBodyError(explain(error)) from error


def read_optional_body[T](request: Request, into: type[T]) -> T:
    """The same where the whole body may be left out: then every field has its default."""
    return read_body(request, into) if has_body(request._request) else into()  # noqa: SLF001  # as above


def unreadable(error: BodyError) -> InvalidBodyError:
    """What an agent is told about a body that could not be read."""
    refusal = InvalidBodyError(
        fault("invalid_body", error.message),
        message=INVALID if error.status == HTTP_400_BAD_REQUEST else error.message,
    )
    refusal.status_code = error.status
    return refusal


def in_query(query: QueryDict, name: str) -> str | None:
    """A value of the query string; None where it is left out.

    Raises: InvalidBodyError for one that is given twice.
    """
    values = query.getlist(name)
    if len(values) > 1:
        raise InvalidBodyError(fault("repeated", f"give {name} once", name))
    return values[0] if values else None


def channel_in_query(request: Request) -> Channel | None:
    """The channel that `?channel=` names; without it, all channels of the key are meant."""
    wanted = in_query(request.GET, "channel")
    return None if wanted is None else require_channel(workspace_of(request), wanted)


LONGEST_STREAM_ID = 255


def checked_stream_id(stream_id: str) -> str:
    """A stream id in a path.

    Raises: InvalidBodyError.
    """
    if len(stream_id) > LONGEST_STREAM_ID or "\0" in stream_id:
        problem = f"a stream id has up to {LONGEST_STREAM_ID} characters, without NUL"
        raise InvalidBodyError(fault("invalid_stream_id", problem, "streamId"))
    return stream_id


DEFAULT_LIMIT, LARGEST_LIMIT = 50, 100


def limit_in_query(query: QueryDict, default: int = DEFAULT_LIMIT) -> int:
    """`limit`, cut to 100.

    Raises: InvalidBodyError for anything that is not a positive integer.
    """
    text = in_query(query, "limit")
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and int(text[:10]) > 0):
        raise InvalidBodyError(
            fault("invalid_limit", "limit must be a whole number above 0", "limit")
        )
    return min(int(text[:10]), LARGEST_LIMIT)


def checked_url(url: str, *path: str) -> str:
    """An address that may be called later.

    Raises: InvalidBodyError. An agent learns that it was refused, not which rule did it.
    """
    try:
        check_url(url)
    except EgressRefusedError:
        raise InvalidBodyError(
            fault(
                "target_refused",
                "not an address that this server may call: it must be http or https and public, "
                "or named by the operator in EGRESS_ALLOW",
                *path,
            )
        ) from None
    return url


def checked_headers(headers: dict[str, str], *path: str) -> dict[str, str]:
    """Raises: InvalidBodyError."""
    try:
        check_headers(headers)
    except EgressRefusedError as refused:
        raise InvalidBodyError(fault("header_refused", str(refused), *path)) from None
    return headers


def checked_method(method: str, *path: str) -> str:
    """Raises: InvalidBodyError."""
    try:
        return check_method(method)
    except EgressRefusedError as refused:
        raise InvalidBodyError(fault("method_refused", str(refused), *path)) from None


def given[T](value: T | msgspec.UnsetType) -> T | None:
    """A field's value, or None where the caller left it out."""
    return None if isinstance(value, msgspec.UnsetType) else value
