"""The agents' routes, all of them, and nothing else."""

from django.urls import path

from api.placet.views import agents, feed, files, messages, plugins, reviews, signing, streams

app_name = "placet"

urlpatterns = [
    # They are tried in this order: what agents call most comes first.
    path("messages", messages.Messages.as_view(), name="messages"),
    # What has a name of its own comes before the ids.
    path("messages/iterations/<str:message_id>", messages.Iterations.as_view(), name="iterations"),
    path("messages/streams/<path:stream_id>/status", streams.StreamSteps.as_view(), name="steps"),
    path("messages/streams/<path:stream_id>", streams.Stream.as_view(), name="stream"),
    path("messages/<str:message_id>", messages.OneMessage.as_view(), name="message"),
    path("messages/<str:message_id>/ack", messages.Acknowledge.as_view(), name="ack"),
    path("reviews/pending", reviews.PendingReviews.as_view(), name="pending"),
    path("reviews/<str:message_id>", reviews.OneReview.as_view(), name="review"),
    path("reviews/<str:message_id>/wait", reviews.WaitForReview.as_view(), name="wait"),
    path("agents", agents.Agents.as_view(), name="agents"),
    path("agents/setWebhook", agents.SetWebhook.as_view(), name="set-webhook"),
    path("agents/deleteWebhook", agents.DeleteWebhook.as_view(), name="delete-webhook"),
    path("agents/setTag", agents.SetTag.as_view(), name="set-tag"),
    path("agents/setManagement", agents.SetManagement.as_view(), name="set-management"),
    path("agents/setSubagent", agents.SetSubagent.as_view(), name="set-subagent"),
    path("agents/<str:agent_id>", agents.OneAgent.as_view(), name="agent"),
    path(
        "agents/<str:agent_id>/signing-secrets",
        signing.SigningSecrets.as_view(),
        name="signing-secrets",
    ),
    path("agents/<str:agent_id>/commands", agents.Commands.as_view(), name="commands"),
    path("status/ping", agents.StatusPing.as_view(), name="status-ping"),
    path("events", feed.Events.as_view(), name="events"),
    path("files", files.Files.as_view(), name="files"),
    path("files/upload", files.Upload.as_view(), name="upload"),
    path("files/store", files.Store.as_view(), name="store"),
    path("files/store-text", files.StoreText.as_view(), name="store-text"),
    path("files/<str:file_id>/download", files.Download.as_view(), name="download"),
    path("plugins", plugins.Plugins.as_view(), name="plugins"),
    path("plugins/<str:name>", plugins.OnePlugin.as_view(), name="plugin"),
]
