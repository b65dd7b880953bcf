"""The name of the request that is served, for the lines of the log.

Apart from what names requests: a process that serves none has lines, too.
"""

import logging
from contextvars import ContextVar

current: ContextVar[str] = ContextVar("request id", default="")


class RequestIdFilter(logging.Filter):
    """Gives each record `request_id`: " [<id>]" while a request is served, else nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = f" [{name}]" if (name := current.get()) else ""
        return True
