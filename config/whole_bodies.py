"""A request's body that ends before its length is reached is no shorter body: its sender left.

Servers hand on what came as if it were everything, and half a form may be read as a whole one.
"""

from collections.abc import Callable, Iterable
from typing import Any

type Environ = dict[str, Any]
type Application = Callable[[Environ, Any], Iterable[bytes]]


class SenderLeftError(ConnectionError):
    """Django makes `UnreadablePostError` of it."""


class WholeBody:
    """Reads a body of a known length, and complains if there is less of it."""

    def __init__(self, stream: Any, length: int) -> None:
        self._stream, self._left = stream, length

    def read(self, size: int = -1) -> bytes:
        return self._counted(self._stream.read, size)

    def readline(self, size: int = -1) -> bytes:
        return self._counted(self._stream.readline, size)

    def _counted(self, read: Callable[[int], bytes], size: int) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        content = read(wanted) if wanted else b""
        if wanted and not content:
            raise SenderLeftError("the body ended early")
        self._left -= len(content)
        return content


def whole_bodies(application: Application) -> Application:
    """The same application, which reads no part of a body as if it were all of it."""

    def checking(environ: Environ, start_response: Any) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or ""
        if length.isdigit():
            environ["wsgi.input"] = WholeBody(environ["wsgi.input"], int(length))
        return application(environ, start_response)

    return checking
