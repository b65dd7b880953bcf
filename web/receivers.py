"""How a channel's receiver does, in a sentence, and what can be chosen about it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.ids import parse_uuid
from accounts.models import Membership, Workspace
from delivery.addresses import shown_address
from delivery.models import Delivery, Lane
from delivery.queries import Health, deliveries_of, log_about, receivers_off
from inbox.models import Channel, Message
from inbox.queries import channels_of
from reviews.resending import TEST
from web.deliveries import Entry, entry_of, reason_of, state_of
from web.looks import Look
from web.times import clock_text

SHOWN = 50
NOTICES = 5
TEST_SHOWN = timedelta(days=1)


@dataclass(frozen=True)
class Standing:
    """A receiver's health: one sentence under a headline. `off`: somebody has to switch it on."""

    tone: str
    icon: str
    headline: str
    text: str
    off: bool = False


def standing_of(channel: Channel, health: Health, now: datetime) -> Standing:
    lane = health.lane
    if health.off:
        return _off(health, now)
    if health.gone_since:
        text = _(
            "At %(time)s it answered 410: gone. Nothing is sent there until it is switched on."
        )
        told = text % {"time": clock_text(health.gone_since)}
        return Standing("bad", "off", _("Switched off by the receiver"), told, off=True)
    if not channel.webhook_url:
        text = _("The agent asks for answers by itself, or names an address in each request.")
        return Standing("", "clock", _("No webhook is set"), text)
    if lane is None or not (health.last_success_at or lane.fail_streak):
        text = _("Nothing was delivered there yet. A test shows whether it answers.")
        return Standing("", "clock", _("Not used yet"), text)
    if lane.fail_streak:
        return _failing(lane, now)
    text = _("The last event arrived at %(time)s.")
    told = text % {"time": clock_text(health.last_success_at or now)}
    return Standing("ok", "check", _("Works"), told)


def _off(health: Health, now: datetime) -> Standing:
    lane = health.off[0]
    text = _("%(receiver)s only failed since %(begin)s. Nothing is sent there since %(end)s.") % {
        "receiver": ", ".join(dict.fromkeys(row.origin for row in health.off)),
        "begin": clock_text(lane.failing_since or now),
        "end": clock_text(lane.disabled_at or now),
    }
    return Standing("bad", "off", _("Switched off"), text, off=True)


def _failing(lane: Lane, now: datetime) -> Standing:
    number = lane.fail_streak
    told = ngettext("The last call failed.", "The last %(number)d calls failed.", number)
    told %= {"number": number}
    if lane.open_until > now:
        until = clock_text(lane.open_until)
        then = _("It is left alone until %(time)s, then tried again.") % {"time": until}
        return Standing("warn", "clock", _("Left alone for now"), f"{told} {then}")
    then = _("What failed is tried again by itself.")
    return Standing("warn", "warn", _("Failing"), f"{told} {then}")


@dataclass(frozen=True)
class Notice:
    """A receiver that is switched off, and the channel that used it last."""

    origin: str
    channel: Channel | None


def notices_for(membership: Membership) -> list[Notice]:
    """What owners and admins have to know; one statement while everything works."""
    if not membership.may_manage:
        return []
    off: dict[str, UUID | None] = {}
    for origin, scope in receivers_off(membership.workspace):
        off.setdefault(origin, parse_uuid(scope))
    ids = [scope for scope in off.values() if scope]
    channels = channels_of(membership.workspace).in_bulk(ids) if ids else {}
    return [Notice(origin, channels.get(scope)) for origin, scope in off.items() if scope][:NOTICES]


def figures_of(health: Health, now: datetime) -> list[tuple[str, str]]:
    """A label and a value each."""
    lane, last = health.lane, health.last_success_at
    figures = [
        (_("Last success"), clock_text(last) if last else _("None yet")),
        (_("Failures in a row"), str(lane.fail_streak if lane else 0)),
        (_("Waiting"), str(health.waiting)),
        (_("Failed in 7 days"), str(health.failed)),
    ]
    if health.off:
        figures.append((_("Switched off since"), clock_text(health.off[0].disabled_at or now)))
    elif lane is not None and lane.open_until > now:
        figures.append((_("Left alone until"), clock_text(lane.open_until)))
    return figures


def last_test(
    workspace: Workspace, channel: Channel, now: datetime, *, operator: bool
) -> Entry | None:
    """The test that was sent in the last day, with its attempts. Tests are about their channel."""
    log = log_about(workspace, str(channel.pk), most=1)
    recent = [row for row in log if row.created_at > now - TEST_SHOWN]
    return entry_of(recent[0], operator=operator) if recent else None


@dataclass(frozen=True)
class Sent:
    """One delivery in the list. `message_id` is set where its message has a page."""

    delivery: Delivery
    state: Look
    address: str
    answer: str
    message_id: str


def sent_lately(workspace: Workspace, channel: Channel, *, operator: bool) -> list[Sent]:
    rows = list(deliveries_of(workspace, str(channel.pk))[:SHOWN])
    references = {row.event.reference for row in rows if row.event.type != TEST}
    ids = [found for reference in references if (found := parse_uuid(reference))]
    messages = Message.objects.filter(workspace=workspace, pk__in=ids)
    known = {str(key) for key in messages.values_list("pk", flat=True)}
    return [
        Sent(
            delivery=row,
            state=state_of(row),
            address=shown_address(row.url),
            answer=_answer(row, operator=operator),
            message_id=row.event.reference if row.event.reference in known else "",
        )
        for row in rows
    ]


def _answer(delivery: Delivery, *, operator: bool) -> str:
    reason = reason_of(delivery, operator=operator)
    return reason or (f"HTTP {delivery.last_status}" if delivery.last_status else "")
