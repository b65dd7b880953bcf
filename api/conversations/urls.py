"""The conversation routes below /v1/; `/messages` beside it is in config.urls."""

from django.urls import path, re_path

from api.conversations.views import events, messages
from api.conversations.views.base import UnknownRoute

app_name = "conversations"

urlpatterns = [
    path("messages", messages.Messages.as_view(), name="messages"),
    path(
        "conversations/<str:conversation_id>/messages",
        messages.OneConversation.as_view(),
        name="conversation",
    ),
    path("events", events.Events.as_view(), name="events"),
    re_path(r"^", UnknownRoute.as_view(), name="unknown-route"),
]
