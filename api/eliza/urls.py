"""The routes below `/api/messaging/`, and nothing else."""

from django.urls import path, re_path

from api.eliza.views import channels
from api.eliza.views.base import UnknownRoute

app_name = "eliza"

urlpatterns = [
    path(
        "channels/<str:channel_id>/messages",
        channels.ChannelMessages.as_view(),
        name="channel-messages",
    ),
    re_path(r"^", UnknownRoute.as_view(), name="unknown-route"),
]
