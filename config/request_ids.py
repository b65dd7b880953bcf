"""One name for each request: in the lines of its log, in `X-Request-ID`, and on pages of errors.

Whoever reports that something broke can say which request it was.
"""

import re
import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template.loader import render_to_string

from config.request_names import current

HEADER = "X-Request-ID"
META_NAME = "HTTP_X_REQUEST_ID"
GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")  # by a proxy or a client; anything else is replaced


class RequestIdMiddleware:
    """The first of all, so that what the others log has the id, too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get(META_NAME, "")
        name = given if GIVEN.fullmatch(given) else secrets.token_hex(8)
        outer = current.set(name)
        try:
            response = self.get_response(request)
        finally:
            current.reset(outer)
        response[HEADER] = name
        return response


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for what nobody foresaw. It asks neither the database nor the session."""
    return HttpResponseServerError(render_to_string("500.html", {"request_id": current.get()}))
