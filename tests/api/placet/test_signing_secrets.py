"""Secrets by API and public keys for anybody: shown, rotated, ended, and kept apart."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from jsonschema import Draft202012Validator
from limits import RateLimitItemPerMinute
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from api import throttling
from api.placet import examples
from delivery.engine import deliver_due
from delivery.keys import ensure_key_pair, rotate_key_pair
from delivery.models import SigningKeyPair, SigningSecret
from inbox.models import Channel
from inbox.services.channels import Webhook, set_webhook
from reviews.models import Closer
from reviews.services import Answer, answer_review
from tests.api.placet.operations import MISSING, document
from tests.api.placet.test_bad_input import assert_refused
from tests.conftest import Agent
from tests.factories import make_channel, make_review, make_workspace
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db

KEYS = "/.well-known/webhook-keys"


@pytest.fixture
def path(channel: Channel) -> str:
    return f"/api/v1/agents/{channel.pk}/signing-secrets"


def secrets_in(answer: Any) -> list[str]:
    return [each["secret"] for each in answer.json()["secrets"]]


class TestSecrets:
    """What an agent learns about its own secrets."""

    def test_first_look_makes_the_secret_and_later_ones_show_the_same(
        self, agent: Agent, path: str, channel: Channel
    ) -> None:
        first = agent.get(path)
        assert first["Cache-Control"] == "no-store"
        assert first.json() == agent.get(path).json()
        (shown,) = first.json()["secrets"]
        assert shown["secret"] == SigningSecret.objects.get(scope=str(channel.pk)).secret
        assert shown["expiresAt"] is None
        keys = Client().get(first.json()["keysUrl"]).json()["keys"]
        assert first.json()["publicKey"] == keys[0]["publicKey"]

    def test_rotation_puts_the_new_secret_first_and_dates_the_old_one(
        self, agent: Agent, path: str
    ) -> None:
        (old,) = secrets_in(agent.get(path))
        rotated = agent.post(path, {"overlapHours": 2})
        assert (rotated.status_code, rotated["Cache-Control"]) == (201, "no-store")
        live, before = rotated.json()["secrets"]
        assert (live["expiresAt"], before["secret"]) == (None, old)
        ends = datetime.fromisoformat(before["expiresAt"])
        assert abs(ends - timezone.now() - timedelta(hours=2)) < timedelta(minutes=1)
        assert rotated.json() == agent.get(path).json()

    @pytest.mark.parametrize("body", [None, {}])
    def test_overlap_is_a_day_unless_told(self, agent: Agent, path: str, body: Any) -> None:
        agent.get(path)
        rotated = agent.post(path, body)
        assert rotated.status_code == 201
        ends = SigningSecret.objects.exclude(expires_at=None).get().expires_at
        assert ends is not None
        assert abs(ends - timezone.now() - timedelta(hours=24)) < timedelta(minutes=1)

    def test_without_overlap_every_old_secret_ends_at_once(self, agent: Agent, path: str) -> None:
        for _ in range(3):
            agent.post(path, {"overlapHours": 5})
        (only,) = secrets_in(agent.post(path, {"overlapHours": 0}))
        assert secrets_in(agent.get(path)) == [only]

    def test_fourth_rotation_within_the_overlap_is_refused(self, agent: Agent, path: str) -> None:
        agent.get(path)
        for _ in range(3):
            assert agent.post(path, {"overlapHours": 5}).status_code == 201
        before = secrets_in(agent.get(path))
        refused = assert_refused(agent.post(path, {"overlapHours": 5}), 400)
        assert "wait until one has ended" in refused["errors"][0]["message"]
        assert secrets_in(agent.get(path)) == before

    @pytest.mark.parametrize("hours", [-1, 169, 1.5, "24", None, True])
    def test_odd_overlap_is_a_400_that_changes_nothing(
        self, agent: Agent, path: str, hours: Any
    ) -> None:
        before = secrets_in(agent.get(path))
        refused = assert_refused(agent.post(path, {"overlapHours": hours}), 400)
        assert refused["errors"][0]["path"] == ["overlapHours"]
        assert secrets_in(agent.get(path)) == before

    def test_secrets_of_other_agents_stay_as_they_are(
        self, agent: Agent, path: str, workspace: Workspace
    ) -> None:
        other = f"/api/v1/agents/{make_channel(workspace).pk}/signing-secrets"
        theirs = secrets_in(agent.get(other))
        assert theirs != secrets_in(agent.get(path))
        agent.post(path, {"overlapHours": 0})
        assert secrets_in(agent.get(other)) == theirs

    def test_stranger_neither_sees_nor_rotates(self, stranger: Agent, path: str) -> None:
        assert_refused(stranger.get(path), 404)
        assert_refused(stranger.post(path, {"overlapHours": 0}), 404)
        assert not SigningSecret.objects.exists()

    def test_calls_are_signed_with_what_is_shown(
        self, agent: Agent, path: str, channel: Channel, person: User, receiver: Receiver
    ) -> None:
        set_webhook(channel, webhook=Webhook(url=receiver.url))
        agent.get(path)
        agent.post(path, {"overlapHours": 1})
        answer = Answer(response={"selectedOption": "approve"}, by=person, via=Closer.PAGE)
        answer_review(make_review(channel=channel), answer=answer)
        deliver_due()
        (request,) = receiver.received
        items = request.headers["webhook-signature"].split()
        assert [item.partition(",")[0] for item in items] == ["v1", "v1", "v1a"]


class TestKeys:
    """Public keys: one workspace's, without an API key."""

    def test_keys_of_a_workspace_are_made_on_first_use(self, workspace: Workspace) -> None:
        answer = Client().get(f"{KEYS}?workspace={workspace.pk}")
        pair = SigningKeyPair.objects.get(workspace=workspace)
        (key,) = answer.json()["keys"]
        assert key == {
            "id": str(pair.pk),
            "algorithm": "ed25519",
            "publicKey": pair.public_key,
            "validFrom": key["validFrom"],
            "validUntil": None,
        }
        assert answer["Cache-Control"] == "public, max-age=300"
        assert "private" not in answer.content.decode()
        assert Client().get(f"{KEYS}?workspace={workspace.pk}").content == answer.content

    def test_live_key_is_first_and_ended_ones_are_left_out(self, workspace: Workspace) -> None:
        now = timezone.now()
        ensure_key_pair(workspace.pk)
        before = rotate_key_pair(workspace_id=workspace.pk, overlap=timedelta(), now=now)
        live = rotate_key_pair(workspace_id=workspace.pk, overlap=timedelta(hours=1), now=now)
        keys = Client().get(f"{KEYS}?workspace={workspace.pk}").json()["keys"]
        assert [key["publicKey"] for key in keys] == [live.public_key, before.public_key]
        assert [key["validUntil"] is None for key in keys] == [True, False]

    def test_only_workspace_need_not_be_named(self, workspace: Workspace) -> None:
        named = Client().get(f"{KEYS}?workspace={workspace.pk}").json()
        assert Client().get(KEYS).json() == named

    def test_one_of_several_has_to_be_named(self, workspace: Workspace) -> None:
        make_workspace("Elsewhere")
        refused = assert_refused(Client().get(KEYS), 400)
        assert "?workspace=" in refused["errors"][0]["message"]
        assert not SigningKeyPair.objects.exists()

    def test_keys_of_different_workspaces_are_kept_apart(self, workspace: Workspace) -> None:
        other = make_workspace("Elsewhere")
        ours, theirs = (
            Client().get(f"{KEYS}?workspace={each.pk}").json()["keys"]
            for each in (workspace, other)
        )
        assert len(ours) == len(theirs) == 1
        assert ours != theirs

    def test_unknown_workspace_is_a_404_and_a_malformed_one_a_400(
        self, workspace: Workspace
    ) -> None:
        unknown = Client().get(f"{KEYS}?workspace={MISSING}")
        assert_refused(unknown, 404)
        assert unknown["Cache-Control"] == "no-store"
        for bad in ("", "x", "%00", "'%20OR%201=1", "x" * 300, str(workspace.pk).replace("-", "")):
            assert_refused(Client().get(f"{KEYS}?workspace={bad}"), 400)
        assert_refused(Client().get(f"{KEYS}?workspace=a&workspace=b"), 400)
        assert_refused(Client().post(KEYS), 405)

    def test_flood_from_one_address_is_a_429(
        self, workspace: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.RATE_LIMITS = True
        few = RateLimitItemPerMinute(3, namespace="few-for-a-test")
        monkeypatch.setattr(throttling, "CALLS", few)
        answers = [Client().get(KEYS) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]

    def test_document_says_that_no_key_is_needed(self, workspace: Workspace) -> None:
        about = document()["paths"][KEYS]["get"]
        assert about.get("security", [{}]) == [{}]
        assert about["responses"].keys() == {"200", "400", "404", "429", "503"}
        schema = about["responses"]["200"]["content"]["application/json"]["schema"]
        judge = Draft202012Validator({**schema, "components": document()["components"]})
        judge.validate(Client().get(KEYS).json())
        judge.validate(examples.ANSWERS["listWebhookKeys"])
        assert "401" not in about["responses"]
