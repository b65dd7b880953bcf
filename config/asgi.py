"""The realtime process: the routes that wait.

Alone it serves those and nothing else; the proxy splits by path. With `ONE_PORT=on`, as
`make serve` sets it, the web application answers everything else from a fixed pool of threads.
"""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from a2wsgi import WSGIMiddleware  # noqa: E402

from api.realtime.app import Realtime  # noqa: E402
from config.startup import keep_loaded  # noqa: E402
from config.wsgi import application as web  # noqa: E402
from web.stream.app import PATH, Streams  # noqa: E402

WEB_THREADS = 8


def _everything_else() -> Any:
    if os.environ.get("ONE_PORT", "off") != "on":
        return None
    return WSGIMiddleware(web, workers=WEB_THREADS)  # type: ignore[arg-type]  # its own names


application = Realtime(fallback=_everything_else(), neighbours={PATH: Streams()})

keep_loaded()
