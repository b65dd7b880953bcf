"""A person's browsers by the API: the checks are the page's, and everybody has their own."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import User, Workspace
from accounts.services.preferences import change_password
from api.models import PersonToken
from api.people.tokens import LIVES, forget_tokens
from delivery.models import PushSubscription
from delivery.push.keys import live_key
from delivery.push.subscriptions import MOST_DEVICES
from tests.api.placet.test_bad_input import assert_refused
from tests.conftest import Caller, signed_in
from tests.factories import PASSWORD, make_person
from tests.push import Browser, make_device

ENDPOINT = "https://push.example/send/a-secret-path"
FIREFOX = "Mozilla/5.0 (Android 16; Mobile; rv:147.0) Gecko/147.0 Firefox/147.0"


def offered(endpoint: Any = ENDPOINT, **keys: Any) -> dict[str, Any]:
    return {"endpoint": endpoint, "expirationTime": None, "keys": Browser().keys | keys}


def subscribe(caller: Caller, body: Any, **headers: str) -> Any:
    return caller.call("POST", "/api/push/subscribe", body, **headers)


def unsubscribe(caller: Caller, endpoint: str) -> Any:
    return caller.call("DELETE", "/api/push/subscribe", {"endpoint": endpoint})


def test_key_is_the_one_that_pages_give(caller: Caller) -> None:
    shown = caller.get("/api/push/vapid-key").json()
    assert shown == {"publicKey": live_key().public_key}


def test_browser_that_subscribes_is_a_device_of_the_person(caller: Caller, person: User) -> None:
    agent: Any = {"user-agent": FIREFOX}
    answer = subscribe(caller, offered(), **agent)
    assert (answer.status_code, answer.content) == (204, b"")
    device = PushSubscription.objects.get()
    assert (device.user, device.endpoint, device.label) == (person, ENDPOINT, "Firefox on Android")


def test_one_row_per_endpoint(caller: Caller) -> None:
    fresh = Browser()
    for keys in ({}, fresh.keys):
        assert subscribe(caller, offered(**keys)).status_code == 204
    assert PushSubscription.objects.get().p256dh == fresh.keys["p256dh"]


def test_browser_of_somebody_else_is_theirs_from_now_on(
    caller: Caller, workspace: Workspace, now: datetime
) -> None:
    colleague = make_person(workspace)
    make_device(colleague, ENDPOINT, now)
    assert subscribe(caller, offered()).status_code == 204
    assert not colleague.devices.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"endpoint": ENDPOINT},
        {"endpoint": ENDPOINT, "keys": "x"},
        offered(endpoint=5),
        offered(endpoint="http://push.example/x"),
        offered(endpoint="https://10.0.0.1/x"),
        offered(endpoint="https://169.254.169.254/latest"),
        offered(endpoint="https://[::ffff:10.0.0.1]/x"),
        offered(endpoint="https://user:word@push.example/x"),
        offered(endpoint="https://push.example:22/x"),
        offered(endpoint="https://push.example/" + "x" * 4000),
        offered(p256dh="!" * 87),
        offered(p256dh="AAAA"),
        offered(auth="A"),
    ],
)
def test_what_no_browser_would_post_is_refused(caller: Caller, body: Any) -> None:
    refused = assert_refused(subscribe(caller, body), 400)
    assert refused["errors"][0]["message"]
    assert not PushSubscription.objects.exists()


def test_one_device_too_many_is_refused(caller: Caller, person: User, now: datetime) -> None:
    for number in range(MOST_DEVICES):
        make_device(person, f"https://push.example/{number}", now)
    refused = assert_refused(subscribe(caller, offered()), 409)
    assert "Remove one of them first" in refused["message"]


def test_browser_can_be_taken_out_twice(caller: Caller, person: User, now: datetime) -> None:
    make_device(person, ENDPOINT, now)
    other = make_device(person, f"{ENDPOINT}-2", now)
    for _ in range(2):
        answer = unsubscribe(caller, ENDPOINT)
        assert (answer.status_code, answer.content) == (204, b"")
    assert list(person.devices.all()) == [other]


def test_nobody_takes_out_somebody_elses(
    caller: Caller, workspace: Workspace, now: datetime
) -> None:
    device = make_device(make_person(workspace), ENDPOINT, now)
    assert unsubscribe(caller, ENDPOINT).status_code == 204
    assert PushSubscription.objects.filter(pk=device.pk).exists()


class TestEnd:
    """A browser is notified as long as nobody ends the token that subscribed it."""

    @pytest.fixture
    def device(self, caller: Caller) -> PushSubscription:
        subscribe(caller, offered())
        return PushSubscription.objects.get()

    @staticmethod
    def is_notified(device: PushSubscription) -> bool:
        return PushSubscription.objects.filter(pk=device.pk).exists()

    def test_sign_out_ends_it(
        self, caller: Caller, person: User, device: PushSubscription, now: datetime
    ) -> None:
        other = make_device(person, f"{ENDPOINT}-2", now)
        signed_in(person).post("/api/auth/logout", {})
        assert self.is_notified(device), "another token was ended"
        caller.post("/api/auth/logout", {})
        assert not self.is_notified(device)
        assert self.is_notified(other)

    def test_renewed_token_ends_it_too(self, caller: Caller, device: PushSubscription) -> None:
        renewed = caller.post("/api/auth/refresh", {}).cookies["access_token"].value
        assert self.is_notified(device)
        Caller(renewed).post("/api/auth/logout", {})
        assert not self.is_notified(device)

    @pytest.mark.parametrize("own", [True, False])
    def test_new_password_ends_it_unless_it_was_set_here(
        self, caller: Caller, person: User, device: PushSubscription, *, own: bool
    ) -> None:
        change = {"currentPassword": PASSWORD, "newPassword": "staple and a battery"}
        by = caller if own else signed_in(person)
        assert by.post("/api/auth/change-password", change).status_code == 200
        assert self.is_notified(device) == own

    def test_new_password_on_a_page_ends_it_with_the_next_tick(
        self, caller: Caller, person: User, device: PushSubscription, now: datetime
    ) -> None:
        forget_tokens(now)
        assert self.is_notified(device)
        change_password(person, password="staple and a battery")
        assert caller.get("/api/auth/me").status_code == 401
        forget_tokens(now)
        assert not self.is_notified(device)
        assert not PersonToken.objects.exists()

    def test_token_that_expired_leaves_it_on(
        self, caller: Caller, device: PushSubscription, now: datetime
    ) -> None:
        forget_tokens(now + LIVES + timedelta(minutes=1))
        assert not PersonToken.objects.exists()
        assert self.is_notified(device)

    def test_browser_that_somebody_else_took_over_stays_theirs(
        self, caller: Caller, workspace: Workspace, device: PushSubscription
    ) -> None:
        colleague = make_person(workspace)
        subscribe(signed_in(colleague), offered())
        caller.post("/api/auth/logout", {})
        assert colleague.devices.count() == 1
