"""Pages and their parts go out compressed, whatever stands before the application."""

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

COMPRESSED = frozenset({"text/html", "text/css", "text/javascript", "image/svg+xml"})


class CompressionMiddleware(GZipMiddleware):
    """Gzip for whole pages, fragments and static files; nothing for agents and for stored files.

    A secret beside text that somebody else chose could be guessed from lengths (BREACH). Every
    token in a page is new or masked anew in each rendering, and Django adds up to a hundred random
    bytes to what it compresses.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        static = request.path.startswith(settings.STATIC_URL)
        whole = response.status_code != HTTPStatus.PARTIAL_CONTENT
        if kind not in COMPRESSED or not whole or response.streaming != static:
            return response
        return super().process_response(request, response)
