"""Looking at reviews for waiting calls: in few statements for all that are looked at together."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from accounts.ids import parse_uuid
from accounts.models import Workspace
from api.placet.views.reviews import current_review, is_near, outcomes
from inbox.errors import DomainError
from inbox.models import Channel
from inbox.queries import messages_in
from reviews.queries import standings

type Place = tuple[Workspace, Channel | None]


@dataclass(frozen=True, slots=True)
class Target:
    """What is waited for, by whom."""

    place: Place
    message_id: str


@dataclass(frozen=True, slots=True)
class Closed:
    """The outcome to answer with."""

    outcome: bytes


@dataclass(frozen=True, slots=True)
class Open:
    """The deadline to look again at."""

    expires_at: datetime


type Look = Closed | Open
type Found = Look | Exception


def look(targets: Sequence[Target]) -> list[Found]:
    """How each of them stands; for some an error, MessageNotFoundError or NoReviewError.

    When a call comes most reviews are open, and one short statement says so.
    """
    found = {place: _look_in(place, wanted) for place, wanted in _by_place(targets).items()}
    return [found[each.place][each.message_id] for each in targets]


def look_again(targets: Sequence[Target]) -> list[Found]:
    """The same once something happened: most reviews are closed, so outcomes are loaded first."""
    closed = {
        place: _outcomes(place, [pk for each in wanted if (pk := parse_uuid(each))])
        for place, wanted in _by_place(targets).items()
    }
    known = [closed[each.place].get(parse_uuid(each.message_id)) for each in targets]
    pairs = list(zip(targets, known, strict=True))
    others = iter(look([target for target, outcome in pairs if outcome is None]))
    return [next(others) if outcome is None else outcome for _, outcome in pairs]


def _by_place(targets: Sequence[Target]) -> dict[Place, set[str]]:
    places: defaultdict[Place, set[str]] = defaultdict(set)
    for target in targets:
        places[target.place].add(target.message_id)
    return places


def _look_in(place: Place, wanted: Collection[str]) -> dict[str, Found]:
    ids = {spelled: parse_uuid(spelled) for spelled in wanted}
    known = standings(place[0], [each for each in ids.values() if each], place[1])
    closed = _outcomes(place, [pk for pk, each in known.items() if not each.is_pending])
    found: dict[str, Found] = {}
    for spelled, pk in ids.items():
        standing = known.get(pk) if pk else None
        if pk in closed:
            found[spelled] = closed[pk]
        elif standing is None or is_near(standing.expires_at):
            found[spelled] = _close_look(place, spelled)
        else:
            found[spelled] = Open(standing.expires_at)
    return found


def _close_look(place: Place, spelled: str) -> Found:
    """At one that is missing, or about to expire."""
    try:
        review = current_review(place[0], spelled, place[1])
    except DomainError as failure:
        return failure
    closed = {} if review.is_pending else _outcomes(place, [review.pk])
    return closed.get(review.pk) or Open(review.expires_at)


def _outcomes(place: Place, ids: Collection[uuid.UUID]) -> dict[uuid.UUID | None, Closed]:
    if not ids:
        return {}
    found = outcomes(messages_in(*place).filter(pk__in=ids).order_by())
    return {pk: Closed(orjson.dumps(body)) for pk, body in found.items()}
