"""One scene: channels, receivers and people of its own on a shared stack, judged at its end."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from tests.chaos.checker import FINAL, Figures, Run, complaints_about, figures_of
from tests.chaos.history import Call, Entry, Ledger, read_ledger
from tests.chaos.people import Agent, Calls, Person
from tests.chaos.receiving import Behaviour, Receiver, ok
from tests.chaos.stack import KEYS, PASSWORD, WORKSPACES, Stack
from tests.polling import happens_within

PEOPLE = 4
HINT_SECONDS = 0.1


@dataclass(frozen=True)
class Channel:
    """A channel, its receiver, and the agent and the people that use it."""

    id: str
    secret: str
    path: str
    workspace: str
    receiver: Receiver


@dataclass
class Stage:
    """A stack with two workspaces and their people signed in; scenes follow each other on it."""

    stack: Stack
    say: Callable[[str], None]
    signed_in: dict[str, list[tuple[str, dict[str, str]]]] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)

    def populate(self) -> None:
        for name, key in zip(WORKSPACES, KEYS, strict=True):
            emails = self.stack.inside.make_workspace(name=name, key=key, people=PEOPLE)
            self.signed_in[name] = [(email, self._cookies(email)) for email in emails]
        self.secrets |= {*KEYS, PASSWORD}

    def _cookies(self, email: str) -> dict[str, str]:
        person = Person(self.stack.url, email, Calls())
        person.sign_in(PASSWORD)
        cookies = {cookie.name: cookie.value or "" for cookie in person.browser.cookies}
        person.close()
        return cookies


class Scene:
    """Use as a context manager. `end` waits for quiet, judges, and says the line."""

    def __init__(self, stage: Stage, name: str) -> None:
        self.stage, self.name, self.stack = stage, name, stage.stack
        self.stack.calm()
        self.calls = Calls()
        self.channels: list[Channel] = []
        self.receivers: list[Receiver] = []
        self.begun = datetime.now(UTC)
        self._people: list[Person] = []
        self._killed_before = self._deaths()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for person in self._people:
            person.close()
        for receiver in self.receivers:
            receiver.close()

    # The cast

    def receiver(self, behave: Behaviour = ok) -> Receiver:
        log = self.stack.folder / f"received-{self.name}-{len(self.receivers)}.jsonl"
        receiver = Receiver(log, behave)
        self.receivers.append(receiver)
        return receiver

    def channel(
        self, receiver: Receiver, workspace: str = WORKSPACES[0], word: str = "hook"
    ) -> Channel:
        path = f"/{self.name}/{word}/{len(self.channels)}"
        made = self.stack.inside.make_channel(
            workspace=workspace, name=f"{self.name} {len(self.channels)}", url=receiver.url + path
        )
        channel = Channel(made["id"], made["secret"], path, workspace, receiver)
        self.stage.secrets.add(channel.secret)
        self.channels.append(channel)
        return channel

    def person(self, number: int = 0, workspace: str = WORKSPACES[0]) -> Person:
        """A browser that is signed in."""
        email, cookies = self.stage.signed_in[workspace][number % PEOPLE]
        person = Person(self.stack.url, email, self.calls)
        person.browser.cookies.update(cookies)
        self._people.append(person)
        return person

    def agent(self, workspace: str = WORKSPACES[0]) -> Agent:
        return Agent(self.stack.url, KEYS[WORKSPACES.index(workspace)], self.calls)

    # What happens

    def decide(
        self, channel: Channel, count: int, person: Person | None = None, **review: object
    ) -> list[Call]:
        """Give the receiver so many decisions: an agent asks, a person answers."""
        agent, decider = self.agent(channel.workspace), person or self.person(0, channel.workspace)
        made = []
        for _ in range(count):
            asked = agent.ask(channel.id, f"{self.name}-{len(self.calls.all())}", **review)
            form = decider.open_form(asked.about)
            assert form, f"{asked} cannot be answered"
            made.append(decider.press(asked.about, form))
        return made

    @contextmanager
    def hurry(self) -> Iterator[None]:
        """Hints all the time: what is due is looked at within a tenth of a second."""
        over = threading.Event()

        def hint() -> None:
            while not over.wait(HINT_SECONDS):
                self.stack.inside.hint()

        thread = threading.Thread(target=hint, name="hurry")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def write(self, channel: Channel, count: int, person: Person | None = None) -> None:
        """Give the receiver so many events: a person writes to the agent."""
        writer = person or self.person(workspace=channel.workspace)
        for _ in range(count):
            writer.write(channel.id, f"{self.name} {len(self.calls.all())} {channel.path}")

    def ledger(self, *only: str) -> Ledger:
        channels = [channel.id for channel in self.channels]
        return read_ledger(self.stack.database_url, channels, only)

    def entries(self) -> list[Entry]:
        return [entry for receiver in self.receivers for entry in list(receiver.entries)]

    def is_quiet(self) -> bool:
        """Nothing waits, nothing is sent, and no lane is held."""
        ledger = self.ledger("deliveries", "lanes")
        now = datetime.now(UTC)
        busy = [row for row in ledger.deliveries if row["state"] not in FINAL]
        held = [row for row in ledger.lanes if row["lease_token"] and row["lease_until"] > now]
        return not busy and not held

    def _deaths(self) -> int:
        return sum(process.killed for process in self.stack.processes)

    def end(
        self, *, within: float = 30, note: str = "", quiet: Callable[[], bool] | None = None
    ) -> Figures:
        """Wait until all is quiet, judge everything, and say the line."""
        calm = happens_within(within, quiet or self.is_quiet)
        run = self.run()
        complaints = complaints_about(run) + ([] if calm else [f"not quiet within {within} s"])
        figures = figures_of(run)
        self.say(figures, note)
        assert not complaints, "\n".join(complaints[:20])
        assert figures.lost == 0
        return figures

    def run(self) -> Run:
        return Run(
            calls=self.calls.all(),
            entries=self.entries(),
            ledger=self.ledger(),
            owners={channel.path: channel.id for channel in self.channels},
            secrets={channel.id: channel.secret for channel in self.channels},
            checked_at=datetime.now(UTC),
        )

    def say(self, figures: Figures, note: str) -> None:
        numbers = (
            f"acked={figures.acked} distinct={figures.distinct} dup={figures.dup} "
            f"lost={figures.lost} killed={self._deaths() - self._killed_before} "
            f"unknown={figures.unknown}"
        )
        self.stage.say(f"{self.name} {self.stack.database}: {numbers} ({note})")


def at_once[T](calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run all at the same time; results in their order."""
    with ThreadPoolExecutor(max(1, len(calls))) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def tries(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Requests by event, in the order they came."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: entry.at):
        found[entry.event_id].append(entry)
    return found
