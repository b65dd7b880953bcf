"""What was rendered lately, so that the same text is not rendered for every look at it."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from django.utils.translation import get_language


class RenderedTexts:
    """HTML by the hash of its text and the reader's language; the oldest go when it is full."""

    def __init__(self, room: int) -> None:
        """`room` is in characters of HTML, over all texts."""
        self.room = room
        self.taken = 0
        self._kept: OrderedDict[bytes, str] = OrderedDict()
        self._lock = Lock()

    def get(self, text: str, render: Callable[[str], str]) -> str:
        key = self._key(text)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        html = render(text)
        self._keep(key, html)
        return html

    def _keep(self, key: bytes, html: str) -> None:
        with self._lock:
            if key in self._kept or len(html) > self.room:
                return
            self._kept[key] = html
            self.taken += len(html)
            while self.taken > self.room:
                _oldest, gone = self._kept.popitem(last=False)
                self.taken -= len(gone)

    @staticmethod
    def _key(text: str) -> bytes:
        named = f"{get_language()} {text}".encode("utf-8", "surrogatepass")
        return hashlib.sha256(named).digest()
