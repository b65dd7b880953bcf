"""Every program in docs/agents.md is run as it stands, while a person answers what it asks."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.e2e.stack import KEY, Stack
from tests.guides import programs_in
from tests.polling import happens_within

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

PROGRAMS = programs_in("agents.md")
PRINTED = {
    "fire_and_forget.py": "pending None",
    "wait.py": "answer: approve",
    "webhook.py": "answer: {'amount': 12.5, 'reason': 'because'}",
    "socket_agent.py": "answer: Dear customer",
    "stream.py": "answer: ['b']",
}


def test_every_program_of_the_guide_is_tried() -> None:
    assert PROGRAMS.keys() == PRINTED.keys()


@pytest.fixture
def _no_webhook_is_left(stack: Stack) -> Iterator[None]:
    """One that a program sets would call it later, too."""
    yield
    for agent in stack.call("GET", "/api/v1/agents").json():
        stack.call("POST", "/api/v1/agents/deleteWebhook", {"channelId": agent["id"]})


def answer(page: Page, stack: Stack, question: str) -> None:
    """Open a question, and answer it by what it shows."""
    page.goto(f"{stack.url}/inbox/{question}/")
    if page.get_by_label("Amount").count():
        page.get_by_label("Amount").fill("12.5")
        page.get_by_label("Reason").fill("because")
        page.get_by_role("button", name="Send").first.click()
    elif page.locator("textarea[name='f.text']").count():
        page.locator("textarea[name='f.text']").fill("Dear customer")
        page.get_by_role("button", name="Send").first.click()
    elif page.get_by_label("Leave them").count():
        page.get_by_label("Leave them").check()
        page.get_by_role("button", name="Confirm choice").click()
    else:
        page.get_by_role("button", name="Ship it").click()


@pytest.mark.usefixtures("_no_webhook_is_left")
@pytest.mark.parametrize("name", PRINTED)
def test_program_does_what_the_guide_says(
    stack: Stack, page: Page, tmp_path: Path, name: str
) -> None:
    program = tmp_path / name
    program.write_text(PROGRAMS[name])
    environment = os.environ | {
        "LICET_URL": stack.url,
        "LICET_KEY": KEY,
        "LICET_SECRET": stack.secret,
    }
    earlier = waiting(stack)
    running = subprocess.Popen(
        [sys.executable, str(program)], env=environment, stdout=subprocess.PIPE, text=True
    )
    stopped = threading.Timer(60, running.kill)
    stopped.start()
    try:
        if PRINTED[name].startswith("answer"):
            assert happens_within(30, lambda: waiting(stack) - earlier)
            (question,) = waiting(stack) - earlier
            answer(page, stack, question)
        output, _ = running.communicate()
    finally:
        stopped.cancel()
        running.kill()
        running.wait()
    assert running.returncode == 0
    assert output.strip() == PRINTED[name]


def waiting(stack: Stack) -> set[str]:
    """The ids of reviews that wait for an answer."""
    return {message["id"] for message in stack.call("GET", "/api/v1/reviews/pending").json()}
