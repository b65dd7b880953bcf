"""What every test of the engine needs: decisions that call back, and time that passes at once."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import User
from delivery.engine import Engine
from delivery.models import Delivery, Lane, long_ago
from inbox.models import Channel
from reviews.models import Closer, ReviewRequest
from reviews.services import Answer, answer_review
from tests.factories import make_review
from tests.polling import happens_within
from tests.receiver import Received

LONG_PAST = timezone.now() - timedelta(days=30)


def decide(channel: Channel, person: User, count: int = 1) -> ReviewRequest:
    answer = Answer(response={"selectedOption": "approve"}, by=person, via=Closer.PAGE)
    for _ in range(count):
        review = answer_review(make_review(channel=channel), answer=answer)
    return review


def fails(_: Received) -> tuple[int, dict[str, str], bytes]:
    return 500, {}, b"no"


def let_time_come() -> None:
    """What waits is due, and breakers' pauses are over."""
    Delivery.objects.update(next_attempt_at=LONG_PAST)
    Lane.objects.update(open_until=long_ago())


def land(engine: Engine, count: int = 1) -> None:
    """Wait for flights to land, without the turn that records them."""
    assert happens_within(10, lambda: engine._calls.qsize() >= count)
    engine._await_calls(0)
