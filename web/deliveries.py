"""What became of an answer on its way to the agent, in one line."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import Workspace
from delivery.models import Delivery, State
from delivery.queries import deliveries_about
from reviews.models import ReviewRequest


@dataclass(frozen=True)
class DeliveryLine:
    label: str
    tone: str
    icon: str
    reason: str = ""
    next_try_at: datetime | None = None
    may_repeat: bool = False


def delivery_line(workspace: Workspace, review: ReviewRequest) -> DeliveryLine | None:
    """None while nothing had to be sent: the agent asks by itself, or the review is open."""
    if review.is_pending:
        return None
    delivery = deliveries_about(workspace, str(review.pk)).first()
    return _line(delivery) if delivery else None


def _line(delivery: Delivery) -> DeliveryLine:
    match delivery.state:
        case State.DELIVERED:
            return DeliveryLine(_("Delivered to agent"), "ok", "check2")
        case State.SENDING:
            return DeliveryLine(_("Sending to agent"), "", "clock")
        case State.PENDING if not delivery.attempts:
            return DeliveryLine(_("Waiting to be sent"), "", "clock")
        case State.PENDING:
            reason = _reason(delivery)
            label = _("The agent has not received this yet")
            next_try = delivery.next_attempt_at
            return DeliveryLine(label, "bad", "warn", reason, next_try, may_repeat=True)
        case _ended:
            label = _("Failed: the agent has not received this")
            state = str(State(delivery.state).label)
            return DeliveryLine(label, "bad", "warn", _reason(delivery) or state, may_repeat=True)


def _reason(delivery: Delivery) -> str:
    if delivery.last_error:
        return delivery.last_error
    return f"HTTP {delivery.last_status}" if delivery.last_status else ""
