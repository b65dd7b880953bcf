"""What happened lately: who sees it, how it is narrowed, and what it costs."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Role, Workspace
from delivery.models import Delivery, State
from inbox.models import Channel
from inbox.services.messages import delete_message
from reviews.models import ReviewRequest, Status
from reviews.services import expire_review
from tests.factories import (
    make_call,
    make_channel,
    make_key,
    make_person,
    make_review,
    make_workspace,
)
from tests.web.conftest import signed_in

URL = "https://agent.example/hook?token=hidden"
HOSTILE = "/api/v1/<script>alert(1)</script>\u202e"


def make_expired(channel: Channel, **over: Any) -> ReviewRequest:
    review = make_review(channel=channel, expires_in=timedelta(minutes=-1), **over)
    assert expire_review(review.pk)
    return review


@pytest.fixture
def called(workspace: Workspace) -> Channel:
    """A channel whose agent is called."""
    return make_channel(workspace, name="Called", webhook_url=URL)


def shown(browser: Client, path: str) -> str:
    page = browser.get(path)
    assert page.status_code == 200
    return str(page.content.decode())


def test_deliveries_show_state_reason_and_a_link(browser: Client, called: Channel) -> None:
    review = make_expired(called, text="Deploy?")
    Delivery.objects.filter(event__type="review:expired").update(
        state=State.EXHAUSTED, attempts=3, last_error="HTTP 500 <b>boom</b>"
    )
    page = shown(browser, "/activity/?state=failed")
    assert "review:expired" in page
    assert "https://agent.example/hook?…" in page
    assert "hidden" not in page.split("</form>")[-1]
    assert "&lt;b&gt;boom" in page
    assert f"/inbox/{review.pk}/delivery/" in page
    assert browser.get(f"/inbox/{review.pk}/delivery/").status_code == 200
    assert "Nothing matches" in shown(browser, "/activity/?state=delivered")


def test_delivery_that_waits_says_when_it_is_tried(browser: Client, called: Channel) -> None:
    make_expired(called)
    assert "Next try" in shown(browser, "/activity/?state=waiting")


def test_delivery_of_a_deleted_message_has_no_dead_link(browser: Client, called: Channel) -> None:
    review = make_expired(called)
    delete_message(review.message)
    page = shown(browser, "/activity/")
    assert "review:expired" in page
    assert f"/inbox/{review.pk}/" not in page


def test_channel_narrows(browser: Client, called: Channel, workspace: Workspace) -> None:
    other = make_channel(workspace, name="Other", webhook_url=URL)
    make_expired(called, text="First question?")
    make_expired(other, text="Second question?")
    page = shown(browser, f"/activity/?show=expired&channel={other.pk}")
    assert "Second question?" in page
    assert "First question?" not in page
    for show in ("deliveries", "expired"):
        assert "agent.example" in shown(browser, f"/activity/?channel={other.pk}")
        assert "Nothing" not in shown(browser, f"/activity/?show={show}&channel={other.pk}")


def test_range_narrows(browser: Client, workspace: Workspace, now: datetime) -> None:
    make_call(workspace, now - timedelta(hours=3), path="/api/v1/older")
    assert "/api/v1/older" not in shown(browser, "/activity/?show=calls&span=hour")
    assert "/api/v1/older" in shown(browser, "/activity/?show=calls&span=day")
    make_call(workspace, now - timedelta(days=3), path="/api/v1/oldest")
    assert "/api/v1/oldest" not in shown(browser, "/activity/?show=calls")
    assert "/api/v1/oldest" in shown(browser, "/activity/?show=calls&span=week")


def test_expired_says_what_the_agent_was_told(
    browser: Client, called: Channel, channel: Channel
) -> None:
    make_expired(called, text="Told?")
    Delivery.objects.filter(event__type="review:expired").update(state=State.DELIVERED)
    page = shown(browser, "/activity/?show=expired")
    assert "Told?" in page
    assert "Delivered" in page.split("review:expired")[1]
    make_expired(channel, text="Silent?")
    assert "it named no address to call" in shown(browser, "/activity/?show=expired")


def test_only_what_expired_is_listed(browser: Client, channel: Channel) -> None:
    pending = make_review(channel=channel, text="Still open?")
    assert pending.status == Status.PENDING
    assert "Nothing expired" in shown(browser, "/activity/?show=expired")


def test_calls_are_narrowed_by_class_key_and_path(
    browser: Client, workspace: Workspace, now: datetime
) -> None:
    key = make_key(workspace).row
    make_call(workspace, now, path="/api/v1/good")
    make_call(workspace, now, path="/api/v1/refused", status=422, key_id=key.pk)
    make_call(workspace, now, path="/api/v1/failed", status=503)

    def found(query: str) -> set[str]:
        page = shown(browser, f"/activity/?show=calls&{query}").partition("</main>")[0]
        rows = page.split("</form>")[-1]
        return {name for name in ("good", "refused", "failed") if f"/v1/{name}" in rows}

    assert found("") == {"good", "refused", "failed"}
    assert found("status=2") == {"good"}
    assert found("status=4") == {"refused"}
    assert found("status=5") == {"failed"}
    assert found(f"key={key.pk}") == {"refused"}
    assert found("path=FAIL") == {"failed"}
    assert found("key=nonsense") == set()


def test_hostile_text_is_revealed(browser: Client, workspace: Workspace, now: datetime) -> None:
    call = make_call(workspace, now, path=HOSTILE, error=HOSTILE, method="<X>", status=400)
    for path in ("/activity/?show=calls", f"/activity/calls/{call.pk}/"):
        page = shown(browser, path)
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page
        assert "\u202e" not in page
        assert "U+202E" in page
        assert "&lt;X&gt;" in page


def test_pages_follow_the_cursor_without_a_gap(
    browser: Client, workspace: Workspace, now: datetime
) -> None:
    paths = [f"/api/v1/number-{number:03}" for number in range(120)]
    for number, path in enumerate(paths):
        make_call(workspace, now - timedelta(seconds=number), path=path)
    seen: list[str] = []
    query = "?show=calls"
    while query:
        page = browser.get(f"/activity/{query}")
        seen += [row.address for row in page.context["page"].rows]
        query = page.context["next_page"]
    assert seen == paths


def fill(workspace: Workspace, count: int, now: datetime) -> None:
    for number in range(count):
        channel = make_channel(workspace, name=f"Agent {number}", webhook_url=URL)
        make_expired(channel)
        make_call(workspace, now, key_id=make_key(workspace).row.pk)


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/activity/", 8),
        ("/activity/?show=expired", 8),
        ("/activity/?show=calls", 8),
        ("/activity/health/", 11),
    ],
)
def test_costs_the_same_for_any_number_of_rows(
    browser: Client, workspace: Workspace, now: datetime, path: str, most: int
) -> None:
    """Five of them are the frame's: session, person, membership, and the sidebar's two."""

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(path).status_code == 200
        return len(captured)

    fill(workspace, 2, now)
    few = statements()
    fill(workspace, 20, now)
    assert statements() == few
    assert few <= most


BAD = [
    "/activity/?cursor=nonsense",
    "/activity/?show=expired&cursor=nonsense",
    "/activity/?show=calls&cursor=nonsense",
    "/activity/?channel=nonsense",
    "/activity/calls/00000000-0000-7000-8000-000000000000/",
]


@pytest.mark.parametrize("path", BAD)
def test_what_names_nothing_is_not_found(browser: Client, path: str) -> None:
    assert browser.get(path).status_code == 404


def test_unknown_choices_mean_none(browser: Client, workspace: Workspace, now: datetime) -> None:
    make_call(workspace, now)
    query = "show=calls&span=century&status=9&state=lost&path=%00"
    assert "/api/v1/agents" in shown(browser, f"/activity/?{query}")
    assert "Nothing was sent" in shown(browser, "/activity/?show=nonsense")


def test_outsider_sees_nothing_of_it(
    outsider: Client, called: Channel, workspace: Workspace, now: datetime
) -> None:
    review = make_expired(called, text="Secret plan?")
    call = make_call(workspace, now, path="/api/v1/secret-path")
    for path in ("/activity/", "/activity/?show=expired", "/activity/?show=calls"):
        page = shown(outsider, path)
        for secret in ("Secret plan", "secret-path", "agent.example", "Called", str(review.pk)):
            assert secret not in page
    assert outsider.get(f"/activity/?channel={called.pk}").status_code == 404
    assert outsider.get(f"/activity/?show=expired&channel={called.pk}").status_code == 404
    assert outsider.get(f"/activity/calls/{call.pk}/").status_code == 404
    charts = outsider.get("/activity/health/").context["charts"]
    assert all(chart.empty for chart in charts)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.REVIEWER])
def test_calls_are_for_those_who_manage(workspace: Workspace, now: datetime, role: Role) -> None:
    looking = signed_in(make_person(workspace, role))
    call = make_call(workspace, now)
    assert "API calls" not in shown(looking, "/activity/")
    assert "show=calls" not in shown(looking, "/activity/?show=expired")
    assert looking.get("/activity/?show=calls").status_code == 403
    assert looking.get(f"/activity/calls/{call.pk}/").status_code == 403
    assert "API calls" not in shown(looking, "/activity/health/")


@pytest.mark.parametrize("path", ["/activity/", "/activity/health/", BAD[-1]])
def test_signed_out_person_is_led_to_the_door(client: Client, path: str, db: None) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/?next=")


def test_key_of_another_workspace_shows_nothing(
    browser: Client, workspace: Workspace, now: datetime
) -> None:
    elsewhere = make_workspace()
    key = make_key(elsewhere).row
    make_call(elsewhere, now, key_id=key.pk, path="/api/v1/secret-path")
    page = shown(browser, f"/activity/?show=calls&key={key.pk}")
    assert "secret-path" not in page
