"""Settings in a browser without JavaScript: the theme, an invited colleague, a new key."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.people import sign_in
from tests.e2e.stack import EMAIL, PASSWORD, Stack

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.parametrize("stack", ["serve"], indirect=True),
]


def choose_theme(stack: Stack, page: Page, name: str) -> None:
    page.goto(f"{stack.url}/settings/appearance/")
    page.get_by_label(name).check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()


def test_theme_colours_the_page_and_the_door(stack: Stack, page: Page) -> None:
    page.context.clear_cookies()  # a session of its own, which it ends
    sign_in(page, stack.url)
    choose_theme(stack, page, "Dark")
    scheme = "getComputedStyle(document.documentElement).colorScheme"
    assert page.evaluate(scheme) == "dark"
    page.get_by_role("button", name="Sign out").first.click()
    expect(page.get_by_label("E-mail")).to_be_visible()
    assert page.evaluate(scheme) == "dark"
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    choose_theme(stack, page, "As the system")
    assert page.evaluate(scheme) == "light dark"


def test_invited_person_joins_and_is_removed(stack: Stack, page: Page, browser: Browser) -> None:
    page.goto(f"{stack.url}/settings/people/")
    page.get_by_role("textbox", name="E-mail").fill("ines@example.org")
    page.get_by_label("Role").select_option("viewer")
    page.get_by_role("button", name="Make the link").click()
    link = page.get_by_label("Link").input_value()
    theirs = browser.new_page(java_script_enabled=False)
    theirs.goto(link)
    theirs.get_by_label("Your name").fill("Ines")
    theirs.get_by_label("Password").fill("a long enough passphrase")
    theirs.get_by_role("button", name="Create account and join").click()
    expect(theirs.get_by_role("heading", name="Inbox")).to_be_visible()
    page.goto(f"{stack.url}/settings/people/")
    page.get_by_role("link", name="Change Ines").click()
    page.get_by_role("link", name="Remove from the workspace").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Removed.")).to_be_visible()
    theirs.reload()
    expect(theirs.get_by_role("heading", name="Not allowed")).to_be_visible()
    theirs.close()


def test_new_key_calls_until_it_is_revoked(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/settings/keys/")
    page.get_by_label("Label").fill("Nimbus")
    page.get_by_role("button", name="Create key").click()
    key = page.get_by_label("API key", exact=True).input_value()

    def status() -> int:
        answer = page.request.get(f"{stack.url}/api/v1/agents", headers={"x-api-key": key})
        return answer.status

    assert status() == 200
    page.get_by_role("link", name="Revoke Nimbus").click()
    page.get_by_role("button", name="Revoke the key").click()
    expect(page.get_by_text("The key is revoked.")).to_be_visible()
    assert status() == 401


def test_phone_shows_one_pane_at_a_time(stack: Stack, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{stack.url}/settings/")
    expect(page.get_by_text(EMAIL).first).to_be_hidden()
    page.get_by_role("link", name="Profile").click()
    expect(page.get_by_role("main").get_by_text(EMAIL)).to_be_visible()
    expect(page.get_by_role("link", name="Appearance")).to_be_hidden()
    page.get_by_role("link", name="Back to the settings").click()
    expect(page.get_by_role("link", name="Appearance")).to_be_visible()
