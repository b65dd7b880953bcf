"""What leaves for a push service, and what becomes of it, over real TLS."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import Membership, User, Workspace
from delivery import egress
from delivery.egress import exchange
from delivery.models import Push, PushKey, PushSubscription
from delivery.push.envelope import request_for
from delivery.push.keys import live_key, rotate_key
from delivery.push.queue import Notice, announce, claim, finish, followed, record, tell_again
from delivery.push.sending import send_due
from tests.delivery.certificates import Authority
from tests.factories import make_person
from tests.push import Browser, make_device, verified_claims
from tests.receiver import Receiver

SECRET_PATH = "/send/a-secret-path"

pytestmark = pytest.mark.django_db


@pytest.fixture
def service(tmp_path: Path, settings: Settings) -> Iterator[Receiver]:
    """A push service on loopback, with a certificate that the operator trusts."""
    authority = Authority(tmp_path)
    trusted = tmp_path / "authority.pem"
    trusted.write_text(authority.pem)
    settings.EGRESS_CA_FILE = str(trusted)
    settings.EGRESS_ALLOW = "127.0.0.1"
    exchange.tls_context.cache_clear()
    with Receiver(tls=authority.server_context("127.0.0.1")) as running:
        running.answer = lambda _: (201, {}, b"")
        yield running
    exchange.tls_context.cache_clear()


@pytest.fixture
def browser() -> Browser:
    return Browser()


@pytest.fixture
def device(person: User, service: Receiver, browser: Browser, now: datetime) -> PushSubscription:
    return make_device(person, service.url + SECRET_PATH, now, browser)


@pytest.fixture
def notice(device: PushSubscription, workspace: Workspace, now: datetime) -> Notice:
    about = device.pk
    return Notice(device.pk, workspace.pk, about, '{"text":"é"}', now + timedelta(hours=1))


def answering(status: int, **headers: str) -> Any:
    return lambda _: (status, headers, b"")


def due_now() -> None:
    Push.objects.filter(due_at__isnull=False).update(due_at=timezone.now() - timedelta(seconds=1))


def test_push_is_readable_for_the_browser_alone_and_signed_by_this_server(
    service: Receiver, browser: Browser, notice: Notice, settings: Settings
) -> None:
    settings.VAPID_SUBJECT = "mailto:operator@example.org"
    announce([notice])
    send_due()
    (request,) = service.received
    assert (request.method, request.path) == ("POST", SECRET_PATH)
    assert browser.read(request) == {"text": "é"}
    assert b"text" not in request.body
    assert request.headers["content-encoding"] == "aes128gcm"
    assert request.headers["urgency"] == "high"
    assert len(request.headers["topic"]) == 22
    assert 3590 <= int(request.headers["ttl"]) <= 3600
    claims = verified_claims(request, live_key().public_key)
    assert claims["aud"] == service.url
    assert claims["sub"] == "mailto:operator@example.org"
    assert (
        timedelta()
        < datetime.fromtimestamp(claims["exp"], tz=notice.expires_at.tzinfo) - (timezone.now())
        <= timedelta(hours=24)
    )


def test_push_is_sent_once_and_noted(service: Receiver, notice: Notice, person: User) -> None:
    announce([notice])
    send_due()
    announce([notice])
    due_now()
    send_due()
    assert len(service.received) == 1
    assert person.devices.get().last_sent_at is not None


@pytest.mark.parametrize("status", [404, 410])
def test_device_that_the_service_does_not_know_is_deleted(
    service: Receiver, notice: Notice, status: int
) -> None:
    service.answer = answering(status)
    announce([notice])
    send_due()
    assert not PushSubscription.objects.exists()
    assert not Push.objects.exists()


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_service_with_a_bad_moment_is_asked_again_a_few_times(
    service: Receiver, notice: Notice, person: User, status: int
) -> None:
    service.answer = answering(status)
    announce([notice])
    for _ in range(6):
        send_due()
        due_now()
    assert len(service.received) == 4
    assert person.devices.get().last_error == f"HTTP {status}"
    assert Push.objects.get().due_at is None


def test_service_is_left_alone_as_long_as_it_asks(service: Receiver, notice: Notice) -> None:
    service.answer = answering(429, **{"retry-after": "1000"})
    announce([notice])
    send_due()
    wait = Push.objects.get().due_at - timezone.now()  # type: ignore[operator]
    assert timedelta(seconds=990) < wait <= timedelta(seconds=1000)
    service.answer = answering(201)
    due_now()
    send_due()
    assert Push.objects.get().sent_at is not None
    assert PushSubscription.objects.get().last_error == ""


def test_no_attempt_is_planned_past_the_end_of_the_review(
    service: Receiver, notice: Notice
) -> None:
    service.answer = answering(503, **{"retry-after": "7200"})
    announce([notice])
    send_due()
    assert Push.objects.get().due_at is None


@pytest.mark.parametrize("status", [301, 400, 401, 403, 413])
def test_refusal_is_final_and_shown_to_the_person(
    service: Receiver, notice: Notice, person: User, status: int
) -> None:
    service.answer = answering(status, location="https://127.0.0.1/elsewhere")
    announce([notice])
    send_due()
    due_now()
    send_due()
    assert len(service.received) == 1
    assert person.devices.get().last_error == f"HTTP {status}"


def test_log_of_a_failure_names_no_endpoint(
    service: Receiver, notice: Notice, caplog: pytest.LogCaptureFixture
) -> None:
    service.answer = answering(500)
    announce([notice])
    with caplog.at_level(logging.DEBUG, logger="delivery"):
        send_due()
        service.answer = answering(410)
        due_now()
        send_due()
    assert "HTTP 500" in caplog.text
    assert "HTTP 410" in caplog.text
    assert "a-secret-path" not in caplog.text


def test_address_that_is_not_allowed_any_more_is_not_called(
    service: Receiver, notice: Notice, settings: Settings
) -> None:
    announce([notice])
    settings.EGRESS_ALLOW = ""
    send_due()
    assert service.received == []
    assert Push.objects.get().due_at is None
    assert "127.0.0.1" in PushSubscription.objects.get().last_error


def test_certificate_that_nobody_vouches_for_is_a_failure(
    service: Receiver, notice: Notice, settings: Settings
) -> None:
    settings.EGRESS_CA_FILE = ""
    exchange.tls_context.cache_clear()
    announce([notice])
    send_due()
    assert service.received == []
    error = PushSubscription.objects.get().last_error
    assert error == "TLS: certificate is not signed by a known authority"


def test_what_comes_too_late_is_dropped(service: Receiver, notice: Notice) -> None:
    announce([notice])
    Push.objects.update(expires_at=timezone.now())
    send_due()
    assert service.received == []
    assert not Push.objects.exists()


def test_person_who_left_the_workspace_is_told_nothing(service: Receiver, notice: Notice) -> None:
    announce([notice])
    Membership.objects.all().delete()
    send_due()
    assert service.received == []


def test_person_who_may_not_sign_in_is_told_nothing(
    service: Receiver, notice: Notice, person: User
) -> None:
    announce([notice])
    User.objects.filter(pk=person.pk).update(is_active=False)
    send_due()
    assert service.received == []


def test_push_that_no_key_opens_does_not_keep_the_others_back(
    service: Receiver, notice: Notice, workspace: Workspace, now: datetime, settings: Settings
) -> None:
    other = make_device(make_person(workspace), f"{service.url}/other", now)
    announce([Notice(other.pk, workspace.pk, other.pk, "{}", now + timedelta(hours=1))])
    key, settings.SECRET_KEY = settings.SECRET_KEY, "a key that is lost soon"
    announce([notice])
    settings.SECRET_KEY = key
    send_due()
    assert [request.path for request in service.received] == ["/other"]
    device = PushSubscription.objects.get(pk=notice.subscription_id)
    assert "no key opens" in device.last_error


class TestLastWord:
    def test_it_replaces_what_was_sent_and_is_less_urgent(
        self, service: Receiver, browser: Browser, notice: Notice
    ) -> None:
        announce([notice])
        send_due()
        finish({push.pk: '{"closed":true}' for push in followed()})
        send_due()
        first, last = service.received
        assert browser.read(last) == {"closed": True}
        assert last.headers["topic"] == first.headers["topic"]
        assert last.headers["urgency"] == "normal"
        assert not Push.objects.exists()

    def test_it_is_not_sent_where_nothing_was_sent(self, service: Receiver, notice: Notice) -> None:
        announce([notice])
        finish({push.pk: "{}" for push in followed()})
        send_due()
        assert service.received == []
        assert not Push.objects.exists()

    def test_it_does_not_overtake_what_is_in_the_air(
        self, service: Receiver, browser: Browser, notice: Notice
    ) -> None:
        def wait_for_the_decision(_: object) -> tuple[int, dict[str, str], bytes]:
            called.set()
            assert decided.wait(10)
            return 201, {}, b""

        called, decided = threading.Event(), threading.Event()
        service.answer = wait_for_the_decision
        announce([notice])
        (push,) = claim(limit=5)
        request = request_for(push, now=timezone.now())
        with ThreadPoolExecutor() as pool:
            flight = pool.submit(egress.send, request)
            assert called.wait(10)
            finish({push.pk: '{"closed":true}'})
            send_due()
            assert len(service.received) == 1
            decided.set()
            record(push, flight.result(), now=timezone.now())
        send_due()
        assert browser.read(service.received[1]) == {"closed": True}
        assert not Push.objects.exists()

    def test_it_goes_without_a_life_when_the_time_is_over(
        self, service: Receiver, notice: Notice
    ) -> None:
        announce([notice])
        send_due()
        Push.objects.update(expires_at=timezone.now() - timedelta(hours=1))
        finish({push.pk: "{}" for push in followed()})
        send_due()
        assert service.received[1].headers["ttl"] == "0"

    def test_it_is_given_up_after_a_refusal(self, service: Receiver, notice: Notice) -> None:
        announce([notice])
        send_due()
        finish({push.pk: "{}" for push in followed()})
        service.answer = answering(400)
        send_due()
        assert not Push.objects.exists()


def test_claimed_push_of_a_dead_worker_is_sent_by_another(
    service: Receiver, notice: Notice
) -> None:
    announce([notice])
    assert len(claim(limit=5)) == 1
    send_due()
    assert service.received == []
    due_now()
    send_due()
    assert len(service.received) == 1


def test_told_again_is_sent_again(service: Receiver, notice: Notice) -> None:
    for count in (1, 2):
        tell_again(notice)
        send_due()
        assert len(service.received) == count
    assert not Push.objects.exists()
    assert service.received[1].headers["urgency"] == "high"


class TestKey:
    def test_there_is_one_for_everybody(self) -> None:
        assert live_key() == live_key()
        assert PushKey.objects.count() == 1

    def test_device_keeps_the_key_that_it_subscribed_to(
        self, service: Receiver, notice: Notice
    ) -> None:
        old = live_key().public_key
        new = rotate_key(forget_devices=False).public_key
        announce([notice])
        send_due()
        assert new != old
        verified_claims(service.received[0], old)

    def test_command_names_the_new_key(
        self, device: PushSubscription, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("rotate_push_key")
        assert capsys.readouterr().out.strip() == live_key().public_key
        assert PushSubscription.objects.exists()

    def test_key_that_somebody_saw_is_forgotten_with_its_devices(
        self, device: PushSubscription
    ) -> None:
        old = live_key().public_key
        call_command("rotate_push_key", "--forget-devices")
        assert not PushSubscription.objects.exists()
        assert PushKey.objects.get().public_key != old

    def test_key_that_no_device_needs_is_deleted(self) -> None:
        live_key()
        rotate_key(forget_devices=False)
        assert PushKey.objects.count() == 1
