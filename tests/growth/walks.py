"""Every statement of the product, called once: routes with rows of the past, and ticks.

Documented calls come from the OpenAPI document, so a new one is here by itself; pages are listed,
and a test holds the list against the addresses.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.tickets import issue_ticket
from delivery.push.queue import claim
from delivery.retention import clean_up
from reviews.models import ReviewRequest
from tests.api.people.world import decided
from tests.api.placet.operations import Operation, call, operations
from tests.growth.scene import Scene
from tests.web.card import open_form

type Walker = Callable[[Scene], Any]


def _nothing(scene: Scene) -> None:
    """What most walks need beforehand."""


@dataclass(frozen=True)
class Walk:
    """`prepare` comes first and is no part of it."""

    name: str
    call: Walker
    prepare: Walker = _nothing

    def __str__(self) -> str:
        return self.name


LIST, DETAIL, NEWS = "section#list", "article#detail", "div#new-bar"
# An address, and the fragment that is wanted of it.
PAGES = [
    ("/inbox/", ""),
    ("/inbox/", LIST),
    ("/inbox/", DETAIL),
    *((f"/inbox/?status={status}", LIST) for status in ("done", "expired", "all")),
    *((f"/inbox/?status={each}&channel={{channel}}", LIST) for each in ("done", "expired", "all")),
    ("/inbox/?channel={channel}", LIST),
    ("/inbox/?cursor={old_pending}", LIST),
    ("/inbox/?status=all&cursor={done}", LIST),
    ("/inbox/?q=canary", LIST),
    ("/inbox/?since={old_pending}", NEWS),
    ("/inbox/?status=all&since={done}", NEWS),
    ("/ui/counts/", ""),
    ("/inbox/together/?review={other}&review={old_pending}", ""),
    ("/inbox/{pending}/", ""),
    ("/inbox/{pending}/", DETAIL),
    ("/inbox/{done}/", DETAIL),
    ("/inbox/{pending}/row/", ""),
    ("/inbox/{told}/delivery/", ""),
    ("/channels/", ""),
    ("/channels/", LIST),
    ("/channels/new/", ""),
    ("/channels/{channel}/", ""),
    ("/channels/{channel}/", DETAIL),
    ("/channels/{channel}/?m={message}", DETAIL),
    ("/channels/{channel}/?before={message}", "div#earlier"),
    ("/channels/{channel}/?after={message}", "div#log-tail"),
    ("/channels/{channel}/?after={message}", "div#unseen"),
    ("/channels/{channel}/?thread={thread}", ""),
    ("/channels/{channel}/?thread={thread}", DETAIL),
    ("/channels/{channel}/?thread={thread}", "div#pending"),
    ("/channels/{channel}/?thread={thread}&after={begun}", "div#log-tail"),
    ("/channels/{channel}/", "div#head"),
    ("/channels/{channel}/", "div#pending"),
    ("/channels/{channel}/", "div#log-items"),
    ("/channels/{channel}/", "a#channel-{channel}"),
    ("/channels/{channel}/delivery/", ""),
    ("/channels/{channel}/settings/", ""),
    ("/channels/{channel}/picture/", ""),
    ("/messages/{message}/", ""),
    ("/messages/{written}/", ""),
    ("/search/?q=canary", ""),
    ("/files/", ""),
    ("/files/?channel={channel}", ""),
    ("/files/?cursor={listed}", ""),
    ("/files/{file}/", ""),
    ("/files/{file}/raw/", ""),
    ("/files/{picture}/thumb/96/", ""),
    *((f"/activity/?span={span}", "") for span in ("hour", "day", "week")),
    *((f"/activity/?state={state}&span=week", "") for state in ("delivered", "waiting", "failed")),
    ("/activity/?channel={channel}&span=week", ""),
    ("/activity/?show=expired&span=week", ""),
    ("/activity/?show=expired&span=week&channel={channel}", ""),
    ("/activity/?show=calls&span=week", ""),
    ("/activity/?show=calls&span=week&direction=outbound", ""),
    ("/activity/?show=calls&span=week&status=5", ""),
    ("/activity/calls/{call}/", ""),
    *((f"/activity/health/?period={period}", "") for period in ("day", "week", "month")),
    ("/settings/sessions/", ""),
    ("/settings/keys/", ""),
    ("/settings/people/", ""),
    ("/settings/workspace/", ""),
    ("/settings/notifications/", ""),
    ("/settings/plugins/", ""),
    ("/push/", ""),
]
POSTS: list[tuple[str, dict[str, str]]] = [
    ("/inbox/{pending}/read/", {}),
    ("/inbox/{pending}/card/", {}),
    ("/inbox/{newest_done}/send-again/", {}),
    ("/inbox/{told}/delivery/try-now/", {}),
    ("/inbox/together/answer/", {"review": "{pending}", "option": "approve"}),
    ("/messages/{written}/try-now/", {}),
    ("/channels/{channel}/messages/", {"text": "Hello"}),
    ("/channels/{channel}/delivery/test/", {}),
    ("/channels/{channel}/delivery/replay/", {"since": "1"}),
    ("/channels/{channel}/delivery/switch-on/", {}),
    ("/channels/{channel}/mute/", {}),
    ("/settings/sessions/end-others/", {}),
]
# Lists of the API with what narrows them; the documented calls leave that out.
AGENTS_QUERIES = [
    "/api/v1/messages?channel={channel}",
    "/api/v1/messages?channel={channel}&cursor={message}",
    "/api/v1/messages?cursor={message}",
    "/api/v1/messages?search=canary",
    "/api/v1/messages?has_attachments=true",
    "/api/v1/messages?has_attachments=true&channel={channel}",
    "/api/v1/messages/{message}",
    "/api/v1/messages/iterations/{revised}",
    "/api/v1/reviews/pending",
    "/api/v1/reviews/pending?channel={channel}",
    "/api/v1/reviews/{pending}",
    "/api/v1/reviews/{done}",
    "/api/v1/reviews/{done}/wait",
    "/v1/events?channel={channel}",
    "/v1/conversations/{thread}/messages",
    "/api/messaging/channels/{channel}/messages",
    "/api/v1/events",
    "/api/v1/events?channel={channel}",
    "/api/v1/files?channel={channel}",
]
PEOPLES_QUERIES = [
    "/api/messages?channel={channel}",
    "/api/messages?cursor={message}",
    *(f"/api/messages/reviews?status={each}" for each in ("pending", "completed", "expired")),
    "/api/messages/reviews?status=pending&channel={channel}",
    "/api/messages/reviews?cursor={done}",
    "/api/messages/{revised}/iterations",
    "/api/files?type=text/",
    "/api/files?agent={channel}",
    "/api/files?cursor={listed}",
    "/api/logs?direction=inbound",
    "/api/logs?direction=outbound",
    "/api/logs?agent={channel}",
    "/api/agents/{channel}/stats",
]


def pages() -> list[Walk]:
    return [
        *(Walk(f"GET {path} {part}".strip(), _look(path, part)) for path, part in PAGES),
        *(Walk(f"POST {path}", _send(path, fields)) for path, fields in POSTS),
        Walk("POST /inbox/{pending}/respond/", _answer),
    ]


def _answer(scene: Scene) -> Any:
    """The form of the page, filled in; the page is walked elsewhere."""
    review = ReviewRequest.objects.get(pk=UUID(scene.ids["pending"]))
    fields = open_form(scene.browser, review) | {"option": "approve"}
    return scene.browser.post(f"/inbox/{review.pk}/respond/", fields)


def _look(path: str, part: str) -> Walker:
    def look(scene: Scene) -> Any:
        headers = {"HX-Request": "true", "HX-Target": part.format(**scene.ids)} if part else {}
        answer: Any = scene.browser.get(path.format(**scene.ids), headers=headers)
        if answer.streaming:
            b"".join(answer)  # at its end the file is closed
        return answer

    return look


def _send(path: str, fields: dict[str, str]) -> Walker:
    def send(scene: Scene) -> Any:
        filled = {name: value.format(**scene.ids) for name, value in fields.items()}
        return scene.browser.post(path.format(**scene.ids), filled)

    return send


PREPARATIONS: dict[str, Walker] = {"sendAgain": lambda scene: decided(scene.world)}


def documented() -> list[Walk]:
    """Every operation of agents and of people, with the documented body."""
    return [Walk(f"agents {each}", _as_agent(each)) for each in operations()] + [
        Walk(f"people {each}", _as_person(each), PREPARATIONS.get(each.id, _nothing))
        for each in operations(agents=False)
    ]


def _as_agent(operation: Operation) -> Walker:
    return lambda scene: call(scene.agent, operation, scene.world)


def _as_person(operation: Operation) -> Walker:
    return lambda scene: call(scene.caller, operation, scene.world)


def queries() -> list[Walk]:
    return [
        *(Walk(f"agents GET {path}", _ask_as_agent(path)) for path in AGENTS_QUERIES),
        *(Walk(f"people GET {path}", _ask_as_person(path)) for path in PEOPLES_QUERIES),
    ]


def _ask_as_agent(path: str) -> Walker:
    return lambda scene: scene.agent.get(path.format(**scene.ids))


def _ask_as_person(path: str) -> Walker:
    return lambda scene: scene.caller.get(path.format(**scene.ids))


def waiting() -> list[Walk]:
    """What the process reads in which agents, scripts and pages wait."""
    from api.placet.events import payload_of
    from api.realtime import callers, looks
    from web.stream import admission

    def target(scene: Scene, name: str) -> looks.Target:
        return looks.Target((scene.workspace, scene.channel), scene.ids[name])

    def agent(scene: Scene) -> callers.Caller | None:
        shown = {"apiKey": scene.agent.key}
        return callers.admit(shown, address="127.0.0.1", now=timezone.now())

    def person(scene: Scene) -> callers.Caller | None:
        shown = {"token": issue_ticket(scene.person, UUID(scene.ids["session"]))}
        return callers.admit(shown, address="127.0.0.1", now=timezone.now())

    def visitor(scene: Scene) -> admission.Visitor | None:
        return admission.visitor_of(scene.browser.cookies.output(header="", sep=";").strip())

    def everybody(scene: Scene) -> set[callers.Caller]:
        return {each for each in (agent(scene), person(scene)) if each}

    named: dict[str, Walker] = {
        "look at a review that waits": lambda scene: looks.look([target(scene, "pending")]),
        "look at a review that is done": lambda scene: looks.look([target(scene, "done")]),
        "look again at a review that is done": lambda scene: looks.look_again(
            [target(scene, "done")]
        ),
        "let an agent in": agent,
        "let a person in": person,
        "find a channel of a socket": lambda scene: callers.reachable(
            callers.Caller(frozenset({scene.workspace.pk})), scene.ids["channel"]
        ),
        "let both in and turn them away": lambda scene: callers.turned_away(
            everybody(scene), now=timezone.now()
        ),
        "tell of a message": lambda scene: payload_of("message:created", scene.ids["message"]),
        "tell of an answer": lambda scene: payload_of("review:responded", scene.ids["done"]),
        "let a page listen": visitor,
        "turn pages away": lambda scene: admission.turned_away({found(visitor(scene))}),
    }
    return [Walk(f"realtime: {name}", act) for name, act in named.items()]


def found[T](thing: T | None) -> T:
    assert thing is not None
    return thing


def ticks() -> list[Walk]:
    """What workers do by themselves."""
    from accounts.sessions import forget_expired
    from api.calls import forget_calls
    from api.people.tokens import forget_tokens
    from attachments.edits import discard_unsent_edits
    from attachments.previews import make_next_preview
    from attachments.sweeping import sweep
    from delivery.queries import engine_problem, overview
    from inbox.retention import forget_old
    from inbox.services.streams import give_up_stale_streams
    from reviews.services import expire_due
    from web.notifying import tell_devices

    named: dict[str, Callable[[], Any]] = {
        "expire reviews": lambda: expire_due(limit=50),
        "end stale drafts": lambda: give_up_stale_streams(now=timezone.now(), limit=200),
        "keep the outbox small": clean_up,
        "claim lanes and take deliveries": _engine_turn,
        "claim pushes": lambda: claim(limit=20),
        "tell devices": lambda: tell_devices(now=timezone.now()),
        "make previews": lambda: make_next_preview(now=timezone.now()),
        "discard drawings": lambda: discard_unsent_edits(now=timezone.now()),
        "forget steps and changes": lambda: forget_old(now=timezone.now()),
        "archive messages": _archive,
        "sweep files": lambda: sweep(now=timezone.now()),
        "forget calls": lambda: forget_calls(timezone.now()),
        "forget tokens": lambda: forget_tokens(timezone.now()),
        "forget sessions": lambda: forget_expired(timezone.now()),
        "ask for the engine's problems": lambda: engine_problem(timezone.now()),
        "overview for operators": lambda: overview(timezone.now()),
    }
    return [Walk(f"tick: {name}", _alone(act)) for name, act in named.items()]


def _alone(act: Callable[[], Any]) -> Walker:
    return lambda _scene: act()


def _archive() -> None:
    """One batch; the files go with the folder."""
    import tempfile
    from datetime import timedelta
    from pathlib import Path

    from api.archiving import BATCH, remove_messages

    now = timezone.now()
    with tempfile.TemporaryDirectory() as folder:
        before = now - timedelta(days=300)
        remove_messages(before=before, now=now, folder=Path(folder), most=BATCH)


def _engine_turn() -> None:
    """What one turn of the engine reads and writes; nothing is sent."""
    import uuid

    from delivery import statements
    from delivery.sending import Flight

    token, now = uuid.uuid4(), timezone.now()
    lanes = statements.claim_lanes(token, most=20)
    taken = statements.take_next(token, [lane.pk for lane in lanes] or [token])
    ids = [delivery.pk for delivery in taken] or [token]
    statements.begin_attempts(token, ids, now=now)
    statements.signing_keys([delivery.signing_scope for delivery in taken] or ["none"], [token])
    statements.still_ours(token, ids)
    statements.end_attempts([Flight(delivery, now).ended() for delivery in taken], now=now)


WALKS = [*pages(), *documented(), *queries(), *waiting(), *ticks()]
