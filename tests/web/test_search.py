"""Search and the command palette: what is found, for whom, and what it costs."""

import pytest
from django.test import Client

from accounts.models import User, Workspace
from attachments.models import Attachment, State
from inbox.models import Channel
from reviews.models import ReviewRequest, Status
from tests.factories import make_channel, make_message, make_review
from tests.web.test_query_counts import statements
from web.search import excerpt

PALETTE = {"HX-Request": "true", "HX-Target": "div#palette-results"}
PART_OF_PAGE = {"HX-Request": "true", "HX-Target": "div#results"}
SESSION_USER_MEMBERSHIP = 3
MOST_STATEMENTS = 6


def found(browser: Client, text: str, headers: dict[str, str] | None = None) -> str:
    answer = browser.get("/search/", {"q": text}, headers=headers or {})
    assert answer.status_code == 200
    return answer.content.decode()


def make_file(channel: Channel, filename: str) -> Attachment:
    return Attachment.objects.create(
        workspace=channel.workspace,
        channel=channel,
        message=make_message(channel, text="With a file"),
        state=State.READY,
        filename=filename,
        mime_type="text/plain",
        storage_key=filename,
    )


@pytest.fixture
def ledger(workspace: Workspace) -> Channel:
    """A channel, a review, a message and a file that all mention the same word."""
    channel = make_channel(workspace, name="Ledger bot")
    make_review(channel=channel, text="Close the ledger?")
    make_message(channel, text="The LEDGER is balanced")
    make_file(channel, "ledger-2026.csv")
    return channel


def test_everything_that_mentions_a_word_is_found(browser: Client, ledger: Channel) -> None:
    text = found(browser, "ledger")
    for expected in ("Ledger bot", "Close the ledger?", "The LEDGER is balanced", "ledger-2026"):
        assert expected in text
    for group in ("Channels", "Reviews", "Messages", "Files"):
        assert f">{group}</h2>" in text


def test_review_is_found_in_every_state(browser: Client, channel: Channel) -> None:
    review = make_review(channel=channel, text="Deploy tonight?")
    ReviewRequest.objects.filter(pk=review.pk).update(
        status=Status.EXPIRED, decided_at=review.created_at
    )
    text = found(browser, "tonight")
    assert f"/inbox/{review.pk}/" in text
    assert "Expired" in text


def test_review_is_found_once_and_not_as_a_message_too(browser: Client, channel: Channel) -> None:
    make_review(channel=channel, text="Deploy tonight?")
    assert found(browser, "tonight").count("Deploy tonight?") == 1


@pytest.mark.parametrize("typed", ["überprüfung", "ÜBERPRÜFUNG", "Überprüfung"])
@pytest.mark.parametrize("written", ["Überprüfung", "überprüfung"])
def test_case_of_any_letter_does_not_matter(
    browser: Client, channel: Channel, typed: str, written: str
) -> None:
    make_message(channel, text=f"Die {written} ist fertig")
    assert written in found(browser, typed)


@pytest.mark.parametrize("typed", ["Grüße", 'say "yes"'])
def test_question_is_found_however_the_agent_escaped_it(
    browser: Client, channel: Channel, typed: str
) -> None:
    review = make_review("text-input", {"prompt": f"Please: {typed}"}, channel=channel, text=None)
    assert f"/inbox/{review.pk}/" in found(browser, typed)
    assert f"row-{review.pk}" in browser.get("/inbox/", {"q": typed}).content.decode()


def test_wildcards_are_letters_like_others(browser: Client, channel: Channel) -> None:
    make_message(channel, text="Done")
    assert "Nothing matches" in found(browser, "%")
    assert "Nothing matches" in found(browser, "D_ne")


def test_each_kind_shows_six_at_most(browser: Client, workspace: Workspace) -> None:
    for number in range(8):
        make_message(make_channel(workspace, name=f"Many {number}"), text=f"Many words {number}")
    text = found(browser, "many")
    assert text.count('class="hit" href="/channels/') == 6 + 6


@pytest.mark.parametrize("typed", ["", "   ", "\0", "x" * 5000, "\ud83d", "'; --", "%" * 300])
def test_any_input_is_answered(browser: Client, ledger: Channel, typed: str) -> None:
    text = found(browser, typed.encode("utf-8", "surrogatepass").decode("utf-8", "replace"))
    assert "x" * 201 not in text


def test_without_a_text_the_latest_channels_are_offered(
    browser: Client, workspace: Workspace
) -> None:
    busy = make_channel(workspace, name="Busy")
    for number in range(7):
        make_channel(workspace, name=f"Quiet {number}")
    make_message(busy)
    text = found(browser, "", PALETTE)
    assert "Recent channels" in text
    assert text.index("Busy") < text.index("Quiet 6") < text.index("Quiet 2")
    assert "Quiet 1" not in text


def test_agents_text_cannot_pose_as_ours(browser: Client, workspace: Workspace) -> None:
    make_channel(workspace, name="<b>Inbox</b>\u202e")
    text = found(browser, "inbox", PALETTE)
    assert "&lt;b&gt;Inbox&lt;/b&gt;" in text
    assert "U+202E" in text


def test_palette_gets_options_that_teach_their_keys(browser: Client, ledger: Channel) -> None:
    text = found(browser, "", PALETTE)
    assert text.lstrip().startswith('<div id="palette-results"')
    assert "<html" not in text
    assert "<title>" not in text
    assert 'role="option"' in text
    assert '<kbd data-of="go-inbox">' in text


def test_page_of_results_comes_alone(browser: Client, ledger: Channel) -> None:
    text = found(browser, "ledger", PART_OF_PAGE)
    assert text.startswith('<div class="measure hits" id="results">')


def test_signing_out_from_the_results_is_a_form(browser: Client) -> None:
    page = found(browser, "sign out")
    assert '<form method="post" action="/sign-out/">' in page
    assert 'form="palette-sign-out"' in found(browser, "sign out", PALETTE)


def test_outsider_finds_nothing_of_others(outsider: Client, ledger: Channel) -> None:
    for headers in ({}, PALETTE):
        text = found(outsider, "ledger", headers)
        assert "Nothing matches" in text
        assert "Ledger bot" not in text
        assert "Ledger bot" not in found(outsider, "", headers)


@pytest.mark.parametrize("path", ["/search/", "/shortcuts/"])
def test_signed_out_person_is_led_to_the_door(client: Client, path: str) -> None:
    assert client.get(path)["Location"] == f"/sign-in/?next={path}"
    assert client.get(path, headers=PALETTE).status_code == 401


def test_search_is_only_read(browser: Client) -> None:
    assert browser.post("/search/").status_code == 405


@pytest.mark.parametrize("typed", ["", "ledger"])
def test_palette_is_cheap(browser: Client, ledger: Channel, typed: str) -> None:
    cost = statements(browser, f"/search/?q={typed}", PALETTE)
    assert cost <= MOST_STATEMENTS + SESSION_USER_MEMBERSHIP


def test_excerpt_shows_the_words_that_were_looked_for() -> None:
    text = "Everything is fine. " + "padding " * 30 + "the needle is here " + "padding " * 30
    assert "needle" in excerpt(text, "NEEDLE")
    assert excerpt(text, "everything") == "Everything is fine."


class TestSheet:
    def test_page_lists_every_key(self, browser: Client) -> None:
        text = browser.get("/shortcuts/").content.decode()
        assert text.startswith("<!doctype html>")
        for expected in ("Answer with feedback", "<kbd>R</kbd>", "<kbd data-mod>Ctrl</kbd>"):
            assert expected in text

    def test_dialog_gets_the_tables_alone(self, browser: Client) -> None:
        headers = {"HX-Request": "true", "HX-Target": "div#sheet-keys"}
        answer = browser.get("/shortcuts/", headers=headers)
        assert answer.content.decode().startswith('<div class="sheet-keys" id="sheet-keys">')

    def test_shows_the_persons_own_keys(self, browser: Client, person: User) -> None:
        person.own_keys = {"next": "<"}
        person.save()
        text = browser.get("/shortcuts/").content.decode()
        assert "<kbd>&lt;</kbd>" in text
        assert "&quot;next&quot;: &quot;&lt;&quot;" in text

    def test_says_that_keys_are_off(self, browser: Client, person: User) -> None:
        person.single_keys = False
        person.save()
        text = browser.get("/shortcuts/").content.decode()
        assert "switched off" in text
        assert "<kbd>J</kbd>" not in text
        assert "<kbd data-mod>Ctrl</kbd>" in text
