"""Decides reviews named on standard input: `python -m bench.decide A_SECOND`, 0 for no pause.

Prints when each was committed, as JSON: review id to CLOCK_MONOTONIC in nanoseconds.
"""

import json
import sys
import time
import uuid
from functools import partial


def main() -> None:
    import django

    django.setup()
    from django.db import transaction

    from accounts.models import User
    from reviews.models import Closer, ReviewRequest
    from reviews.services import Answer, answer_review

    ids, a_second = sys.stdin.read().split(), int(sys.argv[1])
    rows = ReviewRequest.objects.select_related("message", "channel")
    reviews = [rows.get(pk=uuid.UUID(review_id)) for review_id in ids]
    person = User.objects.earliest("created_at")
    committed: dict[str, int] = {}
    started = time.monotonic()
    for number, review in enumerate(reviews):
        if a_second:
            time.sleep(max(0.0, started + number / a_second - time.monotonic()))
        answer = Answer(response={"selectedOption": "approve"}, by=person, via=Closer.PAGE)
        with transaction.atomic():
            # Before the hooks that publish: the notice must not be out before the time is taken.
            transaction.on_commit(partial(note, committed, str(review.pk)))
            answer_review(review, answer=answer)
    print(json.dumps(committed))


def note(committed: dict[str, int], review_id: str) -> None:
    committed[review_id] = time.monotonic_ns()


if __name__ == "__main__":
    main()
