"""What became of an event on its way to the agent: in one line, and with every attempt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.models import Workspace
from delivery.addresses import shown_address, shown_reason
from delivery.models import Attempt, Delivery, State
from delivery.queries import deliveries_about
from inbox.errors import DomainError
from reviews.models import ReviewRequest
from reviews.resending import NoReceiverError
from web.looks import Look


@dataclass(frozen=True)
class DeliveryLine:
    label: str
    tone: str
    icon: str
    reason: str = ""
    next_try_at: datetime | None = None
    may_repeat: bool = False


def delivery_line(
    workspace: Workspace, review: ReviewRequest, *, operator: bool = False
) -> DeliveryLine | None:
    """None while nothing had to be sent: the agent asks by itself, or the review is open."""
    if review.is_pending:
        return None
    delivery = deliveries_about(workspace, str(review.pk)).first()
    return line_of(delivery, operator=operator) if delivery else None


def line_of(delivery: Delivery, *, operator: bool) -> DeliveryLine:
    """How it stands with one delivery, in one line."""
    match delivery.state:
        case State.DELIVERED:
            return DeliveryLine(_("Delivered to agent"), "ok", "check2")
        case State.SENDING:
            return DeliveryLine(_("Sending to agent"), "", "clock")
        case State.PENDING if delivery.lane.disabled_at is not None:
            label = _("Held back: the receiver is switched off")
            return DeliveryLine(label, "warn", "off", may_repeat=True)
        case State.PENDING if not delivery.attempts:
            return DeliveryLine(_("Waiting to be sent"), "", "clock")
        case State.PENDING:
            reason = reason_of(delivery, operator=operator)
            label = _("The agent has not received this yet")
            next_try = next_try_of(delivery)
            return DeliveryLine(label, "bad", "warn", reason, next_try, may_repeat=True)
        case _ended:
            label = _("Failed: the agent has not received this")
            reason = reason_of(delivery, operator=operator) or str(State(delivery.state).label)
            return DeliveryLine(label, "bad", "warn", reason, may_repeat=True)


def next_try_of(delivery: Delivery) -> datetime:
    """What is due while its receiver is left alone has to wait for that to end."""
    return max(delivery.next_attempt_at, delivery.lane.open_until)


def reason_of(delivery: Delivery, *, operator: bool) -> str:
    """Why it has not arrived. What this server refuses to call, only its operators learn."""
    if delivery.state == State.BLOCKED and not operator:
        return _("This server does not send to that address; its operator can see why.")
    if delivery.last_error:
        return shown_reason(delivery.last_error)
    return f"HTTP {delivery.last_status}" if delivery.last_status else ""


def state_of(delivery: Delivery) -> Look:
    """A delivery's state as a chip."""
    match delivery.state:
        case State.DELIVERED:
            return Look("check2", _("Delivered"), "ok")
        case State.SENDING:
            return Look("send", _("Sending"), "info")
        case State.PENDING:
            return _waiting(delivery)
        case State.CANCELLED:
            return Look("x", _("Cancelled"))
        case failed:
            return Look("warn", str(State(failed).label), "bad")


def _waiting(delivery: Delivery) -> Look:
    if delivery.lane.disabled_at is not None:
        return Look("off", _("Held back"), "warn")
    if delivery.attempts:
        return Look("redo", _("Waiting for the next try"), "warn")
    return Look("clock", _("Waiting to be sent"), "warn")


@dataclass(frozen=True)
class Try:
    """One attempt. `answer` are the first bytes that the receiver said."""

    number: int
    started_at: datetime
    look: Look
    duration: str
    answer: str
    error: str
    ip: str | None


@dataclass(frozen=True)
class Entry:
    """One delivery. `held_back` says that its receiver is switched off."""

    delivery: Delivery
    state: Look
    address: str
    reason: str
    next_try_at: datetime | None
    held_back: bool
    tries: Sequence[Try]

    @property
    def arrived(self) -> bool:
        return self.delivery.state == State.DELIVERED

    @property
    def waits(self) -> bool:
        return self.delivery.state == State.PENDING

    @property
    def may_send(self) -> bool:
        """What is on its way right now cannot be sent a second time."""
        return self.delivery.state != State.SENDING


def entry_of(delivery: Delivery, *, operator: bool) -> Entry:
    waits = delivery.state == State.PENDING
    held_back = waits and delivery.lane.disabled_at is not None
    return Entry(
        delivery=delivery,
        state=state_of(delivery),
        address=shown_address(delivery.url),
        reason=_reason(delivery, operator=operator),
        next_try_at=next_try_of(delivery) if waits and not held_back else None,
        held_back=held_back,
        tries=[_try(row, delivery, operator=operator) for row in delivery.attempt_log.all()],
    )


def _reason(delivery: Delivery, *, operator: bool) -> str:
    """Nothing has to be explained about an answer with 2xx."""
    if delivery.state == State.DELIVERED and not delivery.last_error:
        return ""
    return reason_of(delivery, operator=operator)


def _try(row: Attempt, delivery: Delivery, *, operator: bool) -> Try:
    return Try(
        number=row.number,
        started_at=row.started_at,
        look=look_of_attempt(row, delivery),
        duration=duration_text(row.duration_ms) if row.ended_at else "",
        answer=row.response_head,
        error=reason_of_attempt(row, delivery, operator=operator),
        ip=row.ip if operator else None,
    )


def reason_of_attempt(row: Attempt, delivery: Delivery, *, operator: bool) -> str:
    """Why one attempt failed; what this server refuses to call, only its operators learn."""
    refused = delivery.state == State.BLOCKED and row.number == delivery.attempts
    return reason_of(delivery, operator=operator) if refused else shown_reason(row.error)


def look_of_attempt(row: Attempt, delivery: Delivery) -> Look:
    if row.ended_at is None:
        now = delivery.state == State.SENDING and row.number == delivery.attempts
        return Look("send", _("On its way"), "info") if now else _unknown()
    if row.http_status is None:
        return Look("x", _("No answer"), "bad")
    good = 200 <= row.http_status < 300  # noqa: PLR2004
    label = f"HTTP {row.http_status}"
    return Look("check", label, "ok") if good else Look("x", label, "bad")


def _unknown() -> Look:
    return Look("warn", _("Outcome unknown"), "warn")


def duration_text(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    if milliseconds < 1000:  # noqa: PLR2004
        return _("%(number)d ms") % {"number": milliseconds}
    return _("%(number)s s") % {"number": number_format(milliseconds / 1000, decimal_pos=1)}


def why_not_sent(refusal: DomainError) -> str:
    """The refusal's own text is the API's, in English."""
    if isinstance(refusal, NoReceiverError):
        return _("No webhook is set, so there is no address to send to.")
    return _("Nothing was sent about this that could be sent again.")
