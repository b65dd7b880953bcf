"""Signing secrets of agents, and the public keys of workspaces. Ours, not Placet's."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.ids import parse_uuid
from accounts.models import Workspace
from api.placet.documentation import operation
from api.placet.errors import InvalidBodyError, fault
from api.placet.serializers.signing import RotateIn, SecretsOut, WebhookKeysOut
from api.placet.times import wire_time, wire_time_or_null
from api.placet.views.base import AgentView, in_query, read_optional_body, workspace_of
from delivery.keys import RotationRefusedError, key_pairs_of, rotate_secret, secrets_of
from delivery.models import SigningKeyPair
from inbox.models import Channel
from inbox.queries import find_channel

KEYS_FRESH_SECONDS = 300


class SigningSecrets(AgentView):
    @operation("listSigningSecrets", tag="Agents", answers={200: SecretsOut}, errors=[404])
    def get(self, request: Request, agent_id: str) -> Response:
        """What the signatures of this agent's webhooks are checked with."""
        return Response(secrets_body(find_channel(workspace_of(request), agent_id)))

    @operation(
        "rotateSigningSecret",
        tag="Agents",
        body=RotateIn,
        body_required=False,
        answers={201: SecretsOut},
        errors=[404],
    )
    def post(self, request: Request, agent_id: str) -> Response:
        """Make a new secret; for `overlapHours` (24) every call is signed with the old one, too.

        At most three older secrets sign beside the new one. With 0 all of them end at once: for a
        secret that somebody else has seen.
        """
        body = read_optional_body(request, RotateIn)
        channel = find_channel(workspace_of(request), agent_id)
        try:
            rotate_secret(
                workspace_id=channel.workspace_id,
                scope=str(channel.pk),
                overlap=timedelta(hours=body.overlap_hours),
                now=timezone.now(),
            )
        except RotationRefusedError as refused:
            raise InvalidBodyError(
                fault("rotation_refused", str(refused), "overlapHours")
            ) from None
        return Response(secrets_body(channel), status=201)


def secrets_body(channel: Channel) -> dict[str, Any]:
    now, workspace_id = timezone.now(), channel.workspace_id
    secrets = secrets_of(workspace_id=workspace_id, scope=str(channel.pk), now=now)
    shown = [
        {
            "secret": row.secret,
            "createdAt": wire_time(row.created_at),
            "expiresAt": wire_time_or_null(row.expires_at),
        }
        for row in secrets
    ]
    keys_path = reverse("webhook-keys")
    return {
        "secrets": shown,
        "publicKey": key_pairs_of(workspace_id, now=now)[0].public_key,
        "keysUrl": f"{settings.PUBLIC_URL.rstrip('/')}{keys_path}?workspace={workspace_id}",
    }


class WebhookKeys(AgentView):
    """The public keys of one workspace, for anybody; the key pair is made on first use.

    Never those of all workspaces: a receiver that took them all would accept what another tenant
    signed, and the list would tell how many tenants there are.
    """

    authentication_classes = []

    @operation(
        "listWebhookKeys",
        tag="Webhooks",
        answers={200: WebhookKeysOut},
        errors=[404],
        needs_key=False,
        parameters=[
            OpenApiParameter(
                "workspace",
                {"type": "string", "format": "uuid"},
                description="Id of a workspace, as `keysUrl` of its agents' signing secrets has "
                "it. It may be left out where the server has one workspace only.",
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """The public keys that a workspace's webhooks are signed with. No API key is needed."""
        workspace = _workspace_named(in_query(request.GET, "workspace"))
        pairs = key_pairs_of(workspace.pk, now=timezone.now())
        return Response(
            {"keys": [key_body(pair) for pair in pairs]},
            headers={"Cache-Control": f"public, max-age={KEYS_FRESH_SECONDS}"},
        )


def _workspace_named(wanted: str | None) -> Workspace:
    """Raises: InvalidBodyError, NotFound."""
    if wanted is None:
        found = list(Workspace.objects.all()[:2])
        if len(found) != 1:
            raise InvalidBodyError(fault("missing_workspace", WHICH, "workspace"))
        return found[0]
    workspace_id = parse_uuid(wanted)
    if workspace_id is None:
        raise InvalidBodyError(fault("invalid_id", WHICH, "workspace"))
    workspace = Workspace.objects.filter(pk=workspace_id).first()
    if workspace is None:
        raise NotFound("Workspace not found")
    return workspace


WHICH = (
    "say whose keys, with ?workspace=<id of the workspace>: the whole address stands in keysUrl of "
    "GET /api/v1/agents/{id}/signing-secrets"
)


def key_body(pair: SigningKeyPair) -> dict[str, Any]:
    return {
        "id": str(pair.pk),
        "algorithm": "ed25519",
        "publicKey": pair.public_key,
        "validFrom": wire_time(pair.created_at),
        "validUntil": wire_time_or_null(pair.expires_at),
    }
