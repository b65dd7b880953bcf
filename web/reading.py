"""Everything of a request that a person reads before deciding, and what to know about it."""

from collections.abc import Iterable, Iterator
from typing import Any

from attachments.models import Attachment
from reviews.models import ReviewRequest
from web.text.hidden import warnings_in

MOST_TEXTS = 2_000


def reading_warnings(review: ReviewRequest, files: Iterable[Attachment]) -> list[str]:
    """Sentences about hidden and look-alike characters anywhere in the request."""
    message = review.message
    given = [review.payload, message.metadata, review.kind, message.text, review.channel.name]
    return warnings_in(*_strings([*given, *(file.filename for file in files)]))


def _strings(value: Any) -> Iterator[str]:
    """The texts inside of JSON, names and values, without going down by recursion."""
    waiting, found = [value], 0
    while waiting and found < MOST_TEXTS:
        match waiting.pop():
            case str(text):
                found += 1
                yield text
            case dict(pairs):
                waiting += [*pairs.keys(), *pairs.values()]
            case list(items):
                waiting += items
            case _:
                pass
