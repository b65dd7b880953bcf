"""The first minutes with a new installation: a channel, a key, one command, and a review."""

import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.people import DESK, listening, new_channel, person
from tests.e2e.stack import KEY, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def test_command_that_the_page_shows_brings_the_first_review(
    browser: Browser, tmp_path: Path
) -> None:
    with Stack(tmp_path) as stack, person(browser, stack, **DESK) as owner:
        page = owner.open()
        expect(page.get_by_role("heading", name="Ask your first question")).to_be_visible()
        new_channel(page, stack.url, "Nimbus")
        page.goto(f"{stack.url}/inbox/")
        steps = page.locator("#first-run")
        expect(steps).to_contain_text("Nimbus is there.")
        listening(page)
        command = steps.locator("#curl").inner_text().replace("YOUR_API_KEY", KEY)
        subprocess.run(["bash", "-c", command], check=True, capture_output=True, timeout=20)  # noqa: S607
        expect(page.locator("#detail-title")).to_have_text("Deploy version 1.0 to production?")
        expect(page.locator("#rows a.row")).to_have_count(1)
        page.get_by_role("button", name="Approve").click()
        expect(page.locator("#toasts")).to_contain_text("sent.")
        expect(page.locator("#rows")).to_contain_text("All caught up")
