"""Appearance, keys and notifications: saved for one person, in force at once."""

import re

import pytest
from django.test import Client

from accounts.models import AfterAnswer, Density, Theme, User
from web.shortcuts import SHORTCUTS, Shortcut, keys_for, problems_of

APPEARANCE, KEYS = "/settings/appearance/", "/settings/shortcuts/"
LOOKS = {"theme": "dark", "density": "compact", "after_answer": "stay"}
WRITING = {"single_keys": "on", "enter_sends": "on"}


def root(browser: Client, path: str = "/inbox/") -> str:
    return str(re.search("<html[^>]*>", browser.get(path).text)[0])  # type: ignore[index]


def test_appearance_is_saved(browser: Client, person: User) -> None:
    assert browser.post(APPEARANCE, LOOKS)["Location"] == APPEARANCE
    person.refresh_from_db()
    assert person.theme == Theme.DARK
    assert person.density == Density.COMPACT
    assert person.after_answer == AfterAnswer.STAY
    page = browser.get(APPEARANCE).text
    assert page.count(" checked") == 3


def test_theme_is_in_the_page_itself(browser: Client) -> None:
    assert "data-theme" not in root(browser)
    browser.post(APPEARANCE, LOOKS)
    assert 'data-theme="dark"' in root(browser)
    assert 'data-density="compact"' in root(browser)
    browser.post(APPEARANCE, LOOKS | {"theme": "system", "density": "comfortable"})
    assert "data-" not in root(browser)


def test_sign_in_page_remembers_the_theme(browser: Client) -> None:
    browser.post(APPEARANCE, LOOKS)
    browser.post("/sign-out/")
    assert 'data-theme="dark"' in root(browser, "/sign-in/")
    assert "data-theme" not in root(Client(), "/sign-in/")


def test_theme_cookie_is_not_believed(client: Client) -> None:
    client.cookies["theme"] = 'x" onload="alert(1)'
    assert "data-theme" not in root(client, "/sign-in/")
    client.cookies["theme"] = "light"
    assert 'data-theme="light"' in root(client, "/sign-in/")


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("value", ["", "x", "a\0b"])
def test_unknown_appearance_is_refused(
    browser: Client, person: User, name: str, value: str
) -> None:
    answer = browser.post(APPEARANCE, LOOKS | {name: value})
    assert answer.status_code == 422
    assert f'id="id_{name}_error"' in answer.text
    person.refresh_from_db()
    assert person.theme == Theme.SYSTEM


def test_own_keys_are_saved_and_used(browser: Client, person: User) -> None:
    fields = WRITING | {"key-next": "N", "key-go-inbox": " g  b ", "key-previous": "k"}
    assert browser.post(KEYS, fields)["Location"] == KEYS
    person.refresh_from_db()
    assert person.own_keys == {"next": "n", "go-inbox": "g b"}
    keys = keys_for(person)
    assert (keys["next"], keys["go-inbox"], keys["previous"]) == ("n", "g b", "k")
    assert 'name="key-next" value="n"' in browser.get(KEYS).text


def test_empty_field_brings_our_key_back(browser: Client, person: User) -> None:
    browser.post(KEYS, WRITING | {"key-next": "n"})
    browser.post(KEYS, WRITING)
    person.refresh_from_db()
    assert (person.own_keys, keys_for(person)["next"]) == ({}, "j")


def test_keys_may_be_exchanged(browser: Client, person: User) -> None:
    assert browser.post(KEYS, WRITING | {"key-next": "k", "key-previous": "j"}).status_code == 303
    person.refresh_from_db()
    assert (keys_for(person)["next"], keys_for(person)["previous"]) == ("k", "j")


@pytest.mark.parametrize("taken", ["k", "K", "7", "g", "g i", "?", "k x"])
def test_key_that_is_taken_is_refused_at_the_field(
    browser: Client, person: User, taken: str
) -> None:
    answer = browser.post(KEYS, WRITING | {"key-next": taken})
    assert answer.status_code == 422
    assert 'id="id_key-next_error"' in answer.text
    assert "This key is taken" in answer.text
    person.refresh_from_db()
    assert person.own_keys == {}


@pytest.mark.parametrize("wrong", ["ab", "a b c", "Enter", "mod+j", "x" * 9, "a\0"])
def test_what_is_no_key_is_refused_at_the_field(browser: Client, wrong: str) -> None:
    answer = browser.post(KEYS, WRITING | {"key-next": wrong})
    assert answer.status_code == 422
    assert 'id="id_key-next_error"' in answer.text


def test_switching_off_leaves_no_key_made_of_characters(browser: Client, person: User) -> None:
    browser.post(KEYS, {})
    person.refresh_from_db()
    assert not person.single_keys
    assert not person.enter_sends
    assert set(keys_for(person)) == {
        "list-next",
        "list-previous",
        "list-open",
        "send",
        "palette",
        "back",
    }


def test_notifications_are_of_the_own_devices(browser: Client, person: User) -> None:
    assert b'id="devices"' in browser.get("/settings/notifications/").content


def test_our_own_keys_do_not_collide() -> None:
    assert problems_of({s.name: s.keys for s in SHORTCUTS if s.changeable}) == {}


def test_every_key_of_characters_can_be_changed_or_switched_off() -> None:
    (fixed,) = [s for s in SHORTCUTS if s.is_character and not s.changeable]
    assert fixed == Shortcut("answer", "1-9", fixed.label, fixed.group)


@pytest.mark.parametrize("stored", [{"next": 7}, {"next": "Enter"}, {"send": "x"}, ["x"], None])
def test_stored_nonsense_never_becomes_a_key(person: User, stored: object) -> None:
    person.own_keys = stored
    keys = keys_for(person)
    assert (keys["next"], keys["send"]) == ("j", "mod+Enter")
