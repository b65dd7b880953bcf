"""The same post as most people would write it with DRF, as a baseline: nothing in the product.

Model serializers, one nested in the other, the ORM, and a look for the key in each call, behind
the same middlewares. `bench.post_message` prints both in the same minute.
"""

import json
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.urls import path
from django.utils import timezone
from rest_framework import generics, serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.models import ApiKey, hash_key
from attachments.models import Attachment
from config.urls import urlpatterns as product
from inbox.models import Channel, Message, Sender
from reviews.models import ReviewRequest

ROUTE = "/idiomatic/messages"


class KeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[None, ApiKey]:
        shown = hash_key(request.headers.get("x-api-key", ""))
        keys = ApiKey.objects.select_related("workspace").filter(revoked_at=None)
        key = keys.filter(key_hash=shown).first()
        if key is None:
            raise AuthenticationFailed
        return None, key


class HasKey(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, ApiKey)


class AttachmentSerializer(serializers.ModelSerializer[Attachment]):
    class Meta:
        model = Attachment
        fields = ["id", "filename", "mime_type", "size", "created_at"]


class ReviewSerializer(serializers.ModelSerializer[ReviewRequest]):
    type = serializers.CharField(source="kind", max_length=200)
    payload = serializers.JSONField(write_only=True)

    class Meta:
        model = ReviewRequest
        fields = ["type", "payload", "status", "expires_at", "created_at"]
        read_only_fields = ["status", "expires_at", "created_at"]


class MessageSerializer(serializers.ModelSerializer[Message]):
    channel = serializers.PrimaryKeyRelatedField(queryset=Channel.objects.all())
    review = ReviewSerializer(required=False)
    attachments = AttachmentSerializer(many=True, read_only=True)

    class Meta:
        model = Message
        fields = [
            *("id", "channel", "sender", "text", "status", "review", "client_id", "stream_id"),
            *("stream_state", "delivery_status", "iteration_group", "iteration"),
            *("created_at", "updated_at", "attachments"),
        ]
        read_only_fields = ["sender", "delivery_status", "iteration_group", "iteration"]

    @transaction.atomic
    def create(self, validated_data: dict[str, Any]) -> Message:
        review = validated_data.pop("review", None)
        message = Message.objects.create(**validated_data, sender=Sender.AGENT)
        if review is not None:
            ReviewRequest.objects.create(
                message=message,
                workspace=message.workspace,
                channel=message.channel,
                kind=review["kind"],
                payload_json=json.dumps(review["payload"]),
                expires_at=timezone.now() + timedelta(hours=24),
            )
        return message


class Messages(generics.CreateAPIView[Message]):
    authentication_classes = [KeyAuthentication]
    permission_classes = [HasKey]
    parser_classes = [JSONParser]
    serializer_class = MessageSerializer

    def perform_create(self, serializer: Any) -> None:
        workspace = self.request.auth.workspace  # type: ignore[union-attr]  # `HasKey` saw to it
        if serializer.validated_data["channel"].workspace_id != workspace.pk:
            raise AuthenticationFailed
        serializer.save(workspace=workspace)


urlpatterns = [path(ROUTE.removeprefix("/"), Messages.as_view()), *product]
