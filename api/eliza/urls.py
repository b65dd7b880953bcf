"""The routes below `/api/messaging/`, and nothing else."""

from django.urls import path, re_path

from api.eliza.views import channels, ingest, servers
from api.eliza.views.base import UnknownRoute

app_name = "eliza"

urlpatterns = [
    path(
        "channels/<str:channel_id>/messages",
        channels.ChannelMessages.as_view(),
        name="channel-messages",
    ),
    path("ingest-external", ingest.IngestExternal.as_view(), name="ingest-external"),
    path("message-server/current", servers.CurrentServer.as_view(), name="current-server"),
    re_path(r"^", UnknownRoute.as_view(), name="unknown-route"),
]
