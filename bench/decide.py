"""Decides the reviews that a line of standard input names: `python -m bench.decide A_SECOND`.

Once it has loaded them it waits for another line, or the end of its input. Then it decides them at
that pace; with 0 all of them in one transaction, which is made ready before that line comes. Prints
when each was committed, as JSON: review id to CLOCK_MONOTONIC in nanoseconds.
"""

import json
import sys
import time
import uuid
from collections.abc import Sequence
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING

RESPONSE_JSON = '{"selectedOption": "approve"}'
BATCH = 500

if TYPE_CHECKING:
    from accounts.models import User
    from reviews.models import ReviewRequest


def main() -> None:
    import django

    django.setup()

    from accounts.models import User
    from reviews.models import ReviewRequest

    ids, a_second = [uuid.UUID(each) for each in sys.stdin.readline().split()], int(sys.argv[1])
    rows = ReviewRequest.objects.select_related("message", "channel")
    found = rows.in_bulk(ids)
    reviews = [found[each] for each in ids]
    person = User.objects.earliest("created_at")
    if a_second:
        sys.stdin.readline()
        committed = one_by_one(reviews, person, a_second)
    else:
        committed = all_at_once(reviews, person)
    print(json.dumps(committed))


def one_by_one(reviews: Sequence["ReviewRequest"], person: "User", a_second: int) -> dict[str, int]:
    from django.db import transaction

    committed: dict[str, int] = {}
    started = time.monotonic()
    for number, review in enumerate(reviews):
        time.sleep(max(0.0, started + number / a_second - time.monotonic()))
        with transaction.atomic():
            decide(review, person, committed)
    return committed


def all_at_once(reviews: Sequence["ReviewRequest"], person: "User") -> dict[str, int]:
    """Only what follows the commit is measured: rows are closed by the batch, and announced."""
    from django.db import transaction
    from django.utils import timezone

    from reviews.models import Closer, ReviewRequest, Status
    from reviews.signals import reviews_closed

    committed: dict[str, int] = {}
    decision = {
        "status": Status.COMPLETED,
        "response_json": RESPONSE_JSON,
        "decided_at": timezone.now(),
        "decided_by": person,
        "decided_via": Closer.PAGE,
    }
    with transaction.atomic():
        for some in batched(reviews, BATCH):
            ids = [review.pk for review in some]
            ReviewRequest.objects.filter(pk__in=ids).update(**decision)
            for review in some:
                vars(review).update(status=Status.COMPLETED, response_json=RESPONSE_JSON)
                transaction.on_commit(partial(note, committed, str(review.pk)))
            reviews_closed.send(sender=ReviewRequest, reviews=list(some))
        sys.stdin.readline()
    return committed


def decide(review: "ReviewRequest", person: "User", committed: dict[str, int]) -> None:
    from django.db import transaction

    from reviews.models import Closer
    from reviews.services import Answer, answer_review

    answer = Answer(response=json.loads(RESPONSE_JSON), by=person, via=Closer.PAGE)
    # Before the hooks that publish: the notice must not be out before the time is taken.
    transaction.on_commit(partial(note, committed, str(review.pk)))
    answer_review(review, answer=answer)


def note(committed: dict[str, int], review_id: str) -> None:
    committed[review_id] = time.monotonic_ns()


if __name__ == "__main__":
    main()
