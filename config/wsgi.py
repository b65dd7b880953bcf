"""The web process: API, pages and admin."""

import io
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config.startup import keep_loaded
from config.whole_bodies import whole_bodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = whole_bodies(get_wsgi_application())

from reviews.plugins import installed_plugins  # noqa: E402  # needs the settings

installed_plugins()  # a process with a plugin that cannot be used ends before anybody asks it


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Django reads bodies by their length only, so one that comes in chunks is measured first."""
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
        body = environ["wsgi.input"].read(settings.LARGEST_JSON_BODY + 1)
        # One that goes on counts as longer than what was read of it: nobody takes it for whole.
        length = len(body) + (len(body) > settings.LARGEST_JSON_BODY)
        environ |= {"CONTENT_LENGTH": str(length), "wsgi.input": io.BytesIO(body)}
    return _django(environ, start_response)


keep_loaded()
