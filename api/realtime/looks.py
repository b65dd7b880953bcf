"""Looking at reviews for waiting calls: in few statements for all that are looked at together."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from accounts.ids import parse_uuid
from accounts.models import Workspace
from api.placet.views.reviews import current_review, is_near, outcome_body
from api.placet.wire import loaded
from inbox.errors import DomainError
from inbox.models import Channel, Message
from reviews.models import Status
from reviews.queries import standings


@dataclass(frozen=True, slots=True)
class Target:
    """What is waited for, by whom."""

    workspace: Workspace
    channel: Channel | None
    message_id: str


@dataclass(frozen=True, slots=True)
class Look:
    """What a look found: an outcome to answer with, or the deadline to look again at."""

    outcome: bytes | None
    expires_at: datetime


type Found = Look | Exception


def look(targets: Sequence[Target]) -> list[Found]:
    """What each of them waits for, and for some an error: MessageNotFoundError, NoReviewError."""
    places = defaultdict(list)
    for target in targets:
        places[target.workspace, target.channel].append(target.message_id)
    found = {place: _look_in(*place, set(wanted)) for place, wanted in places.items()}
    return [found[each.workspace, each.channel][each.message_id] for each in targets]


def _look_in(
    workspace: Workspace, channel: Channel | None, wanted: Collection[str]
) -> Mapping[str, Found]:
    ids = {spelled: parse_uuid(spelled) for spelled in wanted}
    known = standings(workspace, [each for each in ids.values() if each], channel)
    outcomes = _outcomes(pk for pk, each in known.items() if each.status != Status.PENDING)
    found: dict[str, Found] = {}
    for spelled, pk in ids.items():
        standing = known.get(pk) if pk else None
        if standing is None or (standing.is_pending and is_near(standing.expires_at)):
            found[spelled] = _close_look(workspace, channel, spelled)
        else:
            found[spelled] = Look(outcomes.get(pk), standing.expires_at)
    return found


def _close_look(workspace: Workspace, channel: Channel | None, spelled: str) -> Found:
    """At one that is missing, or about to expire."""
    try:
        review = current_review(workspace, spelled, channel)
    except DomainError as failure:
        return failure
    outcome = None if review.is_pending else _outcomes([review.pk])[review.pk]
    return Look(outcome, review.expires_at)


def _outcomes(closed: Iterable[uuid.UUID]) -> dict[uuid.UUID, bytes]:
    """What calls get that wait for these reviews."""
    ids = list(closed)
    if not ids:
        return {}
    whole = loaded(Message.objects.filter(pk__in=ids))
    return {message.pk: orjson.dumps(outcome_body(message)) for message in whole}
