"""A person's devices: what a browser may post, and that nobody reaches somebody else's."""

import json
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts.encryption import UndecryptableError
from accounts.models import User, Workspace
from delivery.models import Push, PushKey, PushSubscription
from delivery.push.subscriptions import MOST_DEVICES
from tests.factories import make_person
from tests.push import Browser, base64url, make_device
from tests.web.conftest import signed_in
from tests.web.test_query_counts import statements

ENDPOINT = "https://push.example/send/a-secret-path"
ACTIONS = ["unsubscribe", "titles", "test"]
FIREFOX = "Mozilla/5.0 (Android 16; Mobile; rv:147.0) Gecko/147.0 Firefox/147.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1"


def offered(endpoint: Any = ENDPOINT, **keys: Any) -> dict[str, Any]:
    return {"endpoint": endpoint, "expirationTime": None, "keys": Browser().keys | keys}


def subscribe(browser: Client, body: Any = None, **headers: str) -> Any:
    body = offered() if body is None else body
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    return browser.post(
        "/push/subscribe/", content, content_type="application/json", headers=headers
    )


@pytest.fixture
def device(person: User, now: datetime) -> PushSubscription:
    return make_device(person, ENDPOINT, now)


class TestSubscribe:
    def test_browser_that_subscribes_is_a_device_of_the_person(
        self, browser: Client, person: User
    ) -> None:
        answer = subscribe(browser, **{"user-agent": FIREFOX})
        assert answer.status_code == 201
        device = PushSubscription.objects.get(pk=answer.json()["id"])
        assert (device.user, device.endpoint) == (person, ENDPOINT)
        assert device.label == "Firefox on Android"
        assert not device.show_titles
        page = browser.get("/push/").text
        assert "Firefox on Android" in page
        assert "a-secret-path" not in page

    def test_fields_of_a_form_do_the_same(self, browser: Client, person: User) -> None:
        fields = {"endpoint": ENDPOINT, **Browser().keys}
        answer = browser.post("/push/subscribe/", fields, headers={"user-agent": SAFARI})
        assert (answer.status_code, answer["Location"]) == (303, "/push/")
        assert person.devices.get().label == "Safari on iPhone"

    def test_same_browser_again_is_the_same_device_with_its_new_keys(
        self, browser: Client, person: User
    ) -> None:
        fresh = Browser()
        subscribe(browser)
        subscribe(browser, {"endpoint": ENDPOINT, "keys": fresh.keys})
        device = person.devices.get()
        assert device.p256dh == fresh.keys["p256dh"]
        assert device.auth == fresh.keys["auth"]

    def test_browser_of_somebody_else_is_theirs_from_now_on(
        self, browser: Client, person: User, device: PushSubscription, workspace: Workspace
    ) -> None:
        PushSubscription.objects.update(show_titles=True)
        colleague = make_person(workspace)
        browser.post("/push/test/", {"device": device.pk})
        assert subscribe(signed_in(colleague)).status_code == 201
        moved = PushSubscription.objects.get()
        assert moved.user == colleague
        assert not moved.show_titles
        assert not Push.objects.exists()

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b" ", "no JSON object"),
            (b"[]", "no JSON object"),
            (b"\xff", "no JSON object"),
            ("[" * 100_000, "no JSON object"),
            ({}, "as strings"),
            ({"endpoint": ENDPOINT}, "as strings"),
            ({"endpoint": ENDPOINT, "keys": "x"}, "as strings"),
            (offered(endpoint=5), "as strings"),
            (offered(endpoint=[ENDPOINT]), "as strings"),
            (offered(endpoint=f"{ENDPOINT}\0"), "as strings"),
            (offered(auth=None), "as strings"),
            (offered(endpoint=""), "https"),
            (offered(endpoint="http://push.example/x"), "https"),
            (offered(endpoint="https://"), "is not allowed"),
            (offered(endpoint="https://10.0.0.1/x"), "is not allowed"),
            (offered(endpoint="https://169.254.169.254/latest"), "is not allowed"),
            (offered(endpoint="https://[::ffff:10.0.0.1]/x"), "is not allowed"),
            (offered(endpoint="https://user:word@push.example/x"), "is not allowed"),
            (offered(endpoint="https://push.example:22/x"), "is not allowed"),
            (offered(endpoint="https://push.example/" + "x" * 4000), "is not allowed"),
            (offered(p256dh=""), "p256dh must be 65 bytes"),
            (offered(p256dh="!" * 87), "p256dh must be 65 bytes"),
            (offered(p256dh="é" * 87), "p256dh must be 65 bytes"),
            (offered(p256dh=base64url(b"\x04" + b"\1" * 63)), "p256dh must be 65 bytes"),
            (offered(p256dh=base64url(b"\x04" + b"\1" * 64)), "no point on the curve"),
            (offered(p256dh=base64url(b"\x02" + b"\1" * 64)), "no point on the curve"),
            (offered(auth=base64url(b"\1" * 15)), "auth must be 16 bytes"),
            (offered(auth=base64url(b"\1" * 17)), "auth must be 16 bytes"),
            (offered(auth="A"), "auth must be 16 bytes"),
        ],
    )
    def test_what_no_browser_would_post_is_refused_with_its_reason(
        self, browser: Client, body: Any, reason: str
    ) -> None:
        answer = subscribe(browser, body)
        assert answer.status_code == 422
        assert reason in answer.json()["error"]
        assert not PushSubscription.objects.exists()

    def test_form_that_is_refused_shows_the_page_with_the_reason(self, browser: Client) -> None:
        answer = browser.post("/push/subscribe/", {"endpoint": "http://push.example/"})
        assert answer.status_code == 422
        assert "as strings" in answer.text
        assert 'value="/push/"' not in answer.text  # no device yet, so no form about one

    def test_keys_with_padding_are_kept_without_it(self, browser: Client) -> None:
        keys = Browser().keys
        padded = {"p256dh": keys["p256dh"] + "=", "auth": keys["auth"] + "=="}
        assert subscribe(browser, {"endpoint": ENDPOINT, "keys": padded}).status_code == 201
        device = PushSubscription.objects.get()
        assert {"p256dh": device.p256dh, "auth": device.auth} == keys

    def test_one_device_too_many_is_refused(
        self, browser: Client, person: User, now: datetime
    ) -> None:
        for number in range(MOST_DEVICES):
            make_device(person, f"{ENDPOINT}/{number}", now)
        answer = subscribe(browser)
        assert answer.status_code == 409
        assert "Remove one of them first" in answer.json()["error"]
        assert subscribe(browser, offered(f"{ENDPOINT}/3")).status_code == 201
        assert person.devices.count() == MOST_DEVICES

    def test_secrets_of_a_device_are_stored_encrypted(self, browser: Client, settings: Any) -> None:
        subscribe(browser)
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", []
        with pytest.raises(UndecryptableError):
            PushSubscription.objects.get()
        with pytest.raises(UndecryptableError):
            PushKey.objects.get()
        browser = signed_in(PushSubscription.objects.defer("endpoint", "auth").get().user)
        assert "Unknown browser" in browser.get("/push/").text

    def test_page_names_the_key_that_browsers_subscribe_to(self, browser: Client) -> None:
        page = browser.get("/push/").text
        key = PushKey.objects.get()
        assert f'data-push="{key.public_key}"' in page
        assert str(key.private_key) not in page
        assert len(key.public_key) == 87


class TestDevices:
    def test_removed_device_is_gone_with_what_it_was_to_be_told(
        self, browser: Client, device: PushSubscription
    ) -> None:
        browser.post("/push/test/", {"device": device.pk})
        answer = browser.post("/push/unsubscribe/", {"device": device.pk})
        assert (answer.status_code, answer["Location"]) == (303, "/push/")
        assert not PushSubscription.objects.exists()
        assert not Push.objects.exists()

    def test_titles_are_shown_only_after_the_box_was_ticked(
        self, browser: Client, device: PushSubscription
    ) -> None:
        browser.post("/push/titles/", {"device": device.pk, "show_titles": "on"})
        device.refresh_from_db()
        assert device.show_titles
        assert "checked" in browser.get("/push/").text
        browser.post("/push/titles/", {"device": device.pk})
        device.refresh_from_db()
        assert not device.show_titles

    def test_pressing_test_twice_is_one_test(
        self, browser: Client, device: PushSubscription
    ) -> None:
        browser.post("/push/test/", {"device": device.pk})
        assert browser.post("/push/test/", {"device": device.pk}).status_code == 303
        assert Push.objects.count() == 1
        assert "A test is on its way." in browser.get("/push/").text

    @pytest.mark.parametrize(
        ("page", "lands"),
        [
            ("/settings/notifications/", "/settings/notifications/"),
            ("//evil.example/", "/push/"),
            ("https://evil.example/", "/push/"),
            ("/\\evil.example", "/push/"),
            ("settings", "/push/"),
        ],
    )
    def test_forms_lead_back_to_their_page_and_to_no_other_site(
        self, browser: Client, device: PushSubscription, page: str, lands: str
    ) -> None:
        answer = browser.post("/push/titles/", {"device": device.pk, "next": page})
        assert answer["Location"] == lands

    def test_why_the_last_notification_failed_is_shown(
        self, browser: Client, device: PushSubscription
    ) -> None:
        PushSubscription.objects.update(last_error="HTTP 403")
        assert "HTTP 403" in browser.get("/push/").text

    def test_page_costs_the_same_for_any_number_of_devices(
        self, browser: Client, person: User, now: datetime
    ) -> None:
        make_device(person, ENDPOINT, now)
        browser.get("/push/")  # makes the key
        few = statements(browser, "/push/")
        for number in range(9):
            make_device(person, f"{ENDPOINT}/{number}", now)
        assert statements(browser, "/push/") == few
        assert few <= 8


class TestAccess:
    @pytest.mark.parametrize("action", ACTIONS)
    def test_stranger_reaches_no_device(
        self, outsider: Client, device: PushSubscription, action: str
    ) -> None:
        fields = {"device": device.pk, "show_titles": "on"}
        assert outsider.post(f"/push/{action}/", fields).status_code == 404
        assert device.label not in outsider.get("/push/").text
        device.refresh_from_db()
        assert not device.show_titles
        assert not Push.objects.exists()

    @pytest.mark.parametrize("action", ACTIONS)
    def test_colleague_reaches_no_device(
        self, workspace: Workspace, device: PushSubscription, action: str
    ) -> None:
        colleague = signed_in(make_person(workspace))
        assert colleague.post(f"/push/{action}/", {"device": device.pk}).status_code == 404
        assert PushSubscription.objects.filter(show_titles=False).exists()
        assert not Push.objects.exists()

    @pytest.mark.parametrize("action", ACTIONS)
    @pytest.mark.parametrize("name", ["", "x", "\0", "0" * 400])
    def test_device_that_nobody_has_is_not_found(
        self, browser: Client, action: str, name: str
    ) -> None:
        assert browser.post(f"/push/{action}/", {"device": name}).status_code == 404

    @pytest.mark.parametrize("action", ["subscribe", *ACTIONS])
    def test_signed_out_person_is_led_to_the_door(
        self, client: Client, device: PushSubscription, action: str
    ) -> None:
        answer = client.post(f"/push/{action}/", {"device": device.pk})
        assert answer["Location"].startswith("/sign-in/")
        assert PushSubscription.objects.filter(show_titles=False).exists()

    @pytest.mark.parametrize("action", ["subscribe", *ACTIONS])
    def test_posts_need_a_token_against_forgery(
        self, person: User, device: PushSubscription, action: str
    ) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(person)
        assert strict.post(f"/push/{action}/", {"device": device.pk}).status_code == 403
        assert subscribe(strict).status_code == 403

    @pytest.mark.parametrize("action", ["subscribe", *ACTIONS])
    def test_nothing_happens_on_a_get(self, browser: Client, action: str) -> None:
        assert browser.get(f"/push/{action}/").status_code == 405
