"""Signatures, judged by others: the reference package of Standard Webhooks, and `cryptography`."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import connection
from django.test import Client
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Reference
from standardwebhooks.webhooks import WebhookVerificationError

from accounts.models import User
from delivery.engine import deliver_due
from delivery.keys import (
    RotationRefusedError,
    ensure_key_pair,
    ensure_secret,
    rotate_key_pair,
    rotate_secret,
    secrets_of,
    signers_of,
    valid_secrets,
)
from delivery.models import Delivery, Event, SigningSecret
from delivery.signing import Signer, new_key_pair, new_secret
from inbox.models import Channel
from inbox.services.channels import Webhook, set_webhook
from reviews.models import Closer
from reviews.services import Answer, answer_review
from tests.delivery.decisions import decide
from tests.factories import make_channel, make_review
from tests.receiver import Received, Receiver

BODY = '{"event":"review:responded","response":{"text":"für 230 €"}}'.encode()
EVENT_ID = "msg_01k6e3wggp65s9n5r3v59x3f8k"
SECRET, OLD_SECRET = new_secret(), new_secret()
(PRIVATE, PUBLIC), (OLD_PRIVATE, OLD_PUBLIC) = new_key_pair(), new_key_pair()


def signed(signer: Signer, *, age: int = 0, body: bytes = BODY) -> dict[str, str]:
    """The headers of an attempt that was made `age` seconds ago."""
    timestamp = int(datetime.now(UTC).timestamp()) - age
    return signer.headers(event_id=EVENT_ID, timestamp=timestamp, body=body)


def refuses(secret: str, headers: Mapping[str, str], body: bytes = BODY) -> bool:
    """Whether the reference package refuses it; anything but its own refusal is a failure."""
    try:
        Reference(secret).verify(body, dict(headers))
    except WebhookVerificationError:
        return True
    return False


def is_genuine(public_key: str, headers: Mapping[str, str], body: bytes) -> bool:
    """What docs/webhooks.md tells receivers to do with a public key."""
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key.removeprefix("whpk_")))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    for item in headers["webhook-signature"].split():
        version, _, signature = item.partition(",")
        if version == "v1a":
            try:
                key.verify(base64.b64decode(signature), content)
            except InvalidSignature:
                continue
            return True
    return False


class TestSymmetric:
    """`v1`, and the reference package as its judge."""

    def test_one_secret_signs(self) -> None:
        headers = signed(Signer([SECRET]))
        assert headers.keys() == {"webhook-id", "webhook-timestamp", "webhook-signature"}
        assert not refuses(SECRET, headers)
        assert refuses(OLD_SECRET, headers)

    def test_reference_package_makes_the_same_signature(self) -> None:
        headers = signed(Signer([SECRET]))
        moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        theirs = Reference(SECRET).sign(EVENT_ID, moment, BODY.decode())
        assert headers["webhook-signature"] == theirs

    def test_either_secret_is_enough_during_a_rotation(self) -> None:
        headers = signed(Signer([SECRET, OLD_SECRET]))
        first, second = headers["webhook-signature"].split(" ")
        assert not refuses(SECRET, headers)
        assert not refuses(OLD_SECRET, headers)
        assert refuses(new_secret(), headers)
        assert refuses(SECRET, headers | {"webhook-signature": second}), "the new one goes first"
        assert not refuses(SECRET, headers | {"webhook-signature": first})

    def test_asymmetric_items_beside_it_do_no_harm(self) -> None:
        headers = signed(Signer([SECRET, OLD_SECRET], [PRIVATE, OLD_PRIVATE]))
        items = headers["webhook-signature"].split(" ")
        assert [item[: item.index(",")] for item in items] == ["v1", "v1", "v1a", "v1a"]
        assert not refuses(SECRET, headers)
        assert not refuses(OLD_SECRET, headers)

    def test_items_count_in_any_order(self) -> None:
        headers = signed(Signer([SECRET, OLD_SECRET], [PRIVATE]))
        swapped = " ".join(reversed(headers["webhook-signature"].split(" ")))
        assert not refuses(SECRET, headers | {"webhook-signature": swapped})
        assert is_genuine(PUBLIC, headers | {"webhook-signature": swapped}, BODY)

    def test_every_changed_byte_is_noticed(self) -> None:
        plain = b'{"a":1}'
        headers = signed(Signer([SECRET]), body=plain)
        assert not refuses(SECRET, headers, plain)
        for at in range(len(plain)):
            changed = plain[:at] + bytes([plain[at] ^ 1]) + plain[at + 1 :]
            assert refuses(SECRET, headers, changed)
        assert refuses(SECRET, headers, plain + b"\n")
        assert refuses(SECRET, headers, plain[:-1])

    @pytest.mark.parametrize(
        "change",
        [
            {"webhook-id": EVENT_ID[:-1] + "m"},
            {"webhook-id": EVENT_ID + "."},
            {"webhook-id": ""},
            {"webhook-signature": ""},
            {"webhook-signature": "v1,"},
        ],
    )
    def test_changed_id_or_signature_is_noticed(self, change: dict[str, str]) -> None:
        assert refuses(SECRET, signed(Signer([SECRET])) | change)

    @pytest.mark.parametrize("by", [-2, -1, 1, 2])
    def test_changed_timestamp_is_noticed(self, by: int) -> None:
        headers = signed(Signer([SECRET]))
        moved = str(int(headers["webhook-timestamp"]) + by)
        assert refuses(SECRET, headers | {"webhook-timestamp": moved})

    @pytest.mark.parametrize(
        ("age", "refused"), [(295, False), (301, True), (-295, False), (-302, True)]
    )
    def test_timestamp_counts_for_five_minutes_either_way(self, age: int, refused: bool) -> None:  # noqa: FBT001
        assert refuses(SECRET, signed(Signer([SECRET]), age=age)) is refused

    @pytest.mark.parametrize("version", ["v0", "v2", "V1", "v1a", ""])
    def test_unknown_version_is_no_signature(self, version: str) -> None:
        headers = signed(Signer([SECRET]))
        own = headers["webhook-signature"].replace("v1,", f"{version},")
        assert refuses(SECRET, headers | {"webhook-signature": own})
        both = f"{own} {headers['webhook-signature']}"
        assert not refuses(SECRET, headers | {"webhook-signature": both})

    def test_id_and_body_cannot_be_swapped_across_the_dots(self) -> None:
        headers = signed(Signer([SECRET]))
        moved = headers | {"webhook-id": f"{headers['webhook-id']}.{headers['webhook-timestamp']}"}
        assert refuses(SECRET, moved)


class TestAsymmetric:
    """`v1a`, and `cryptography` as its judge."""

    def test_published_key_verifies(self) -> None:
        headers = signed(Signer([SECRET], [PRIVATE]))
        assert is_genuine(PUBLIC, headers, BODY)
        assert not is_genuine(OLD_PUBLIC, headers, BODY)

    def test_either_key_is_enough_during_a_rotation(self) -> None:
        headers = signed(Signer([SECRET], [PRIVATE, OLD_PRIVATE]))
        assert is_genuine(PUBLIC, headers, BODY)
        assert is_genuine(OLD_PUBLIC, headers, BODY)

    def test_changes_are_noticed(self) -> None:
        headers = signed(Signer([SECRET], [PRIVATE]))
        later = str(int(headers["webhook-timestamp"]) + 1)
        assert not is_genuine(PUBLIC, headers, BODY + b" ")
        assert not is_genuine(PUBLIC, headers | {"webhook-id": "msg_x"}, BODY)
        assert not is_genuine(PUBLIC, headers | {"webhook-timestamp": later}, BODY)

    def test_symmetric_item_does_not_pass_for_one(self) -> None:
        headers = signed(Signer([SECRET]))
        relabelled = headers["webhook-signature"].replace("v1,", "v1a,")
        assert not is_genuine(PUBLIC, headers | {"webhook-signature": relabelled}, BODY)

    def test_keys_and_signatures_have_the_sizes_of_ed25519(self) -> None:
        headers = signed(Signer([], [PRIVATE]))
        signature = headers["webhook-signature"].removeprefix("v1a,")
        parts = (PRIVATE.removeprefix("whsk_"), PUBLIC.removeprefix("whpk_"), signature)
        assert [len(base64.b64decode(part, validate=True)) for part in parts] == [32, 32, 64]


def test_secrets_are_32_random_bytes_in_standard_base64() -> None:
    shown = [new_secret() for _ in range(50)]
    assert len(set(shown)) == 50
    for secret in shown:
        assert secret.startswith("whsec_")
        assert len(binascii.a2b_base64(secret.removeprefix("whsec_"), strict_mode=True)) == 32


@pytest.mark.django_db
class TestDeliveries:
    """What really leaves."""

    @pytest.fixture
    def hooked(self, channel: Channel, receiver: Receiver) -> Channel:
        return set_webhook(channel, webhook=Webhook(url=f"{receiver.url}/hook"))

    def deliver(self, channel: Channel, person: User, receiver: Receiver) -> Received:
        answer = Answer(response={"selectedOption": "approve"}, by=person, via=Closer.PAGE)
        answer_review(make_review(channel=channel), answer=answer)
        deliver_due()
        return receiver.received[-1]

    def test_reference_package_and_published_key_accept_it(
        self, hooked: Channel, person: User, receiver: Receiver
    ) -> None:
        request = self.deliver(hooked, person, receiver)
        secret = SigningSecret.objects.get().secret
        assert Reference(secret).verify(request.body, request.headers) == request.json
        url = f"/.well-known/webhook-keys?workspace={hooked.workspace_id}"
        (key,) = Client().get(url).json()["keys"]
        assert is_genuine(key["publicKey"], request.headers, request.body)

    def test_rotated_secrets_and_keys_sign_beside_the_new_ones_until_their_end(
        self, hooked: Channel, person: User, receiver: Receiver
    ) -> None:
        now, workspace_id, scope = timezone.now(), hooked.workspace_id, str(hooked.pk)
        hour = timedelta(hours=1)
        old = ensure_secret(workspace_id=workspace_id, scope=scope)
        old_pair = ensure_key_pair(workspace_id)
        new = rotate_secret(workspace_id=workspace_id, scope=scope, overlap=hour, now=now)
        new_pair = rotate_key_pair(workspace_id=workspace_id, overlap=hour, now=now)
        during = self.deliver(hooked, person, receiver)
        for secret in (old.secret, new.secret):
            assert not refuses(str(secret), during.headers, during.body)
        for pair in (old_pair, new_pair):
            assert is_genuine(pair.public_key, during.headers, during.body)
        ended = now - timedelta(seconds=1)
        for row in (old, old_pair):
            type(row)._default_manager.filter(pk=row.pk).update(expires_at=ended)
        after = self.deliver(hooked, person, receiver)
        assert refuses(str(old.secret), after.headers, after.body)
        assert not refuses(str(new.secret), after.headers, after.body)
        assert not is_genuine(old_pair.public_key, after.headers, after.body)
        assert is_genuine(new_pair.public_key, after.headers, after.body)

    def test_another_channel_signs_with_another_secret(
        self, hooked: Channel, person: User, receiver: Receiver
    ) -> None:
        request = self.deliver(hooked, person, receiver)
        other = make_channel(hooked.workspace)
        foreign = ensure_secret(workspace_id=other.workspace_id, scope=str(other.pk))
        assert refuses(str(foreign.secret), request.headers, request.body)

    def test_secrets_and_private_keys_are_not_stored_in_clear(
        self, hooked: Channel, person: User, receiver: Receiver
    ) -> None:
        self.deliver(hooked, person, receiver)
        with connection.cursor() as cursor:
            cursor.execute("SELECT secret FROM delivery_signingsecret")
            stored = [row[0] for row in cursor.fetchall()]
            cursor.execute("SELECT private_key FROM delivery_signingkeypair")
            stored += [row[0] for row in cursor.fetchall()]
        assert len(stored) == 2
        assert not [text for text in stored if b"whs" in bytes(text)]

    def test_signers_take_few_statements_for_many_deliveries(
        self,
        hooked: Channel,
        person: User,
        receiver: Receiver,
        django_assert_num_queries: object,
    ) -> None:
        for _ in range(3):
            self.deliver(hooked, person, receiver)
        deliveries = list(Delivery.objects.select_related("event"))
        with django_assert_num_queries(1):  # type: ignore[operator]
            (signer,) = signers_of(deliveries).values()
        assert len(signer.secrets) == len(signer.private_keys) == 1

    def test_missing_secrets_of_many_scopes_are_made_at_once(
        self, hooked: Channel, person: User, django_assert_num_queries: object
    ) -> None:
        decide(hooked, person)
        event = Event.objects.get()
        deliveries = [Delivery(event=event, signing_scope=str(number)) for number in range(20)]
        ensure_key_pair(hooked.workspace_id)
        with django_assert_num_queries(3):  # type: ignore[operator]
            signers = signers_of(deliveries)
        assert len({signer.secrets[0] for signer in signers.values()}) == len(deliveries)
        assert signers_of(deliveries) == signers


@pytest.mark.django_db
class TestRotation:
    """Secrets over time."""

    def rotate(self, channel: Channel, hours: float, *, at: datetime) -> SigningSecret:
        return rotate_secret(
            workspace_id=channel.workspace_id,
            scope=str(channel.pk),
            overlap=timedelta(hours=hours),
            now=at,
        )

    def valid(self, channel: Channel, at: datetime) -> list[str]:
        return [str(row.secret) for row in valid_secrets([str(channel.pk)], now=at)]

    def test_new_one_is_first_and_old_ones_count_until_their_end(
        self, channel: Channel, now: datetime
    ) -> None:
        first = ensure_secret(workspace_id=channel.workspace_id, scope=str(channel.pk))
        second = self.rotate(channel, 10, at=now)
        third = self.rotate(channel, 1, at=now + timedelta(hours=1))
        order = [str(row.secret) for row in (third, first, second)]
        assert self.valid(channel, now + timedelta(hours=1)) == order, "latest end first"
        assert self.valid(channel, now + timedelta(hours=3)) == order[:2]
        assert self.valid(channel, now + timedelta(hours=10)) == order[:1]

    def test_compromised_one_ends_at_once_with_all_older_ones(
        self, channel: Channel, now: datetime
    ) -> None:
        for _ in range(3):
            self.rotate(channel, 24, at=now)
        newest = self.rotate(channel, 0, at=now)
        assert self.valid(channel, now) == [newest.secret]

    def test_ended_secrets_keep_the_time_of_their_end(
        self, channel: Channel, now: datetime
    ) -> None:
        old = ensure_secret(workspace_id=channel.workspace_id, scope=str(channel.pk))
        self.rotate(channel, 1, at=now)
        self.rotate(channel, 0, at=now + timedelta(hours=5))
        old.refresh_from_db()
        assert old.expires_at == now + timedelta(hours=1)

    def test_fourth_within_the_overlap_is_refused_until_one_has_ended(
        self, channel: Channel, now: datetime
    ) -> None:
        ensure_secret(workspace_id=channel.workspace_id, scope=str(channel.pk))
        for hours in (1, 2, 3):
            self.rotate(channel, hours, at=now)
        with pytest.raises(RotationRefusedError, match="3 older ones"):
            self.rotate(channel, 1, at=now)
        assert len(self.valid(channel, now)) == 4
        self.rotate(channel, 1, at=now + timedelta(hours=1))
        assert len(self.valid(channel, now + timedelta(hours=1))) == 4

    @pytest.mark.parametrize("hours", [-1, 168.01])
    def test_odd_overlap_is_refused(self, channel: Channel, now: datetime, hours: float) -> None:
        with pytest.raises(RotationRefusedError, match="between 0 and 168 hours"):
            self.rotate(channel, hours, at=now)
        assert not SigningSecret.objects.exists()

    def test_shown_secrets_are_the_ones_that_sign(self, channel: Channel, now: datetime) -> None:
        self.rotate(channel, 1, at=now)
        scope = str(channel.pk)
        shown = secrets_of(workspace_id=channel.workspace_id, scope=scope, now=now)
        assert [str(row.secret) for row in shown] == self.valid(channel, now)


def test_signed_content_is_what_the_standard_says() -> None:
    signer = Signer([SECRET])
    headers = signer.headers(event_id="msg_1", timestamp=1_700_000_000, body=b"{}")
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = hmac.new(key, b"msg_1.1700000000.{}", hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(expected).decode()}"
