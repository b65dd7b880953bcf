"""The web process: API, pages and admin."""

import io
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_wsgi_application()

from reviews.plugins import installed_plugins  # noqa: E402  # needs the settings

installed_plugins()  # a process with a plugin that cannot be used ends before anybody asks it


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Django reads bodies by their length only, so one that comes in chunks is measured first."""
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
        body = environ["wsgi.input"].read(settings.LARGEST_JSON_BODY + 1)
        environ |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    return _django(environ, start_response)
