"""Going on after a break: with what was missed, or with the word that something was."""

import pytest

from accounts.models import User, Workspace
from delivery.bus import client
from delivery.journal import key_of
from inbox.models import Channel
from tests.factories import make_channel, make_message, make_person
from tests.web.stream.conftest import Server
from tests.web.stream.listening import Heard, Tab, cookie_of
from web.stream.rooms import MOST_REPLAYED

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cookie(person: User) -> str:
    return cookie_of(person)


def first_id(server: Server, cookie: str) -> str:
    """Where a tab was that then went away."""
    with Tab(server.url, cookie) as tab:
        assert tab.first.name == "hello"
        return tab.last


def ids_of(heard: list[Heard]) -> list[str]:
    return [each.data["id"] for each in heard]


def test_what_was_missed_comes_first(server: Server, cookie: str, channel: Channel) -> None:
    last = first_id(server, cookie)
    with Tab(server.url, cookie) as other:
        missed = [str(make_message(channel).pk) for _ in range(3)]
        assert ids_of([other.next() for _ in missed]) == missed
        with Tab(server.url, cookie, last=last) as again:
            assert (again.first.name, again.first.id) == ("hello", last)
            later = str(make_message(channel).pk)
            heard = [again.next() for _ in range(4)]
        assert ids_of(heard) == [*missed, later]
        with Tab(server.url, cookie, last=heard[1].id) as third:
            assert ids_of([third.next(), third.next()]) == [missed[2], later]


def test_new_tab_hears_nothing_of_before(server: Server, cookie: str, channel: Channel) -> None:
    with Tab(server.url, cookie) as other:
        make_message(channel)
        other.next()
        with Tab(server.url, cookie) as new:
            later = make_message(channel)
            assert ids_of([new.next()]) == [str(later.pk)]


@pytest.mark.parametrize(
    "last", ["1-1", "0-0", "99999999999999-0", "x", "-", "+", "(1-1", "1" * 400, "1-1; DROP"]
)
def test_place_that_is_not_known_means_look_at_everything(
    server: Server, cookie: str, channel: Channel, last: str
) -> None:
    with Tab(server.url, cookie, last=last) as tab:
        assert tab.first.name == "resync"
        later = make_message(channel)
        assert ids_of([tab.next()]) == [str(later.pk)]
        known = tab.last
    with Tab(server.url, cookie, last=known) as again:
        assert again.first.name == "hello"


def test_place_that_was_trimmed_away_means_look_at_everything(
    server: Server, cookie: str, workspace: Workspace, channel: Channel
) -> None:
    last = first_id(server, cookie)
    with Tab(server.url, cookie) as other:
        for _ in range(3):
            make_message(channel)
            other.next()
    client().xtrim(key_of(workspace.pk), maxlen=1, approximate=False)
    with Tab(server.url, cookie, last=last) as again:
        assert again.first.name == "resync"
        assert again.first.id == other.last


def test_journal_that_is_gone_means_look_at_everything(
    server: Server, tab: Tab, cookie: str, workspace: Workspace, channel: Channel
) -> None:
    client().delete(key_of(workspace.pk))
    make_message(channel)
    resync = tab.next()
    assert resync.name == "resync"
    with Tab(server.url, cookie, last=resync.id) as again:
        assert again.first.name == "hello"


def test_much_that_was_missed_is_not_told_one_by_one(
    server: Server, cookie: str, channel: Channel
) -> None:
    last = first_id(server, cookie)
    with Tab(server.url, cookie) as other:
        for _ in range(MOST_REPLAYED + 1):
            make_message(channel)
        for _ in range(MOST_REPLAYED + 1):
            other.next()
    with Tab(server.url, cookie, last=last) as again:
        assert again.first.name == "resync"


def test_place_in_another_workspace_tells_nothing(server: Server, channel: Channel) -> None:
    stranger = make_person()
    home = make_channel(stranger.memberships.get().workspace)
    member = cookie_of(make_person(channel.workspace))
    last = first_id(server, member)
    with Tab(server.url, member) as other:
        make_message(channel)
        other.next()
    with Tab(server.url, cookie_of(stranger), last=last) as theirs:
        assert theirs.first.name == "resync"
        own = make_message(home)
        assert ids_of([theirs.next()]) == [str(own.pk)]
