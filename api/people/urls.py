"""People's routes below `/api/`, all of them."""

from django.urls import path

from api.people.views import (
    agents,
    auth,
    avatars,
    figures,
    files,
    keys,
    logs,
    messages,
    plugins,
    preferences,
    push,
    users,
)

app_name = "people"

urlpatterns = [
    path("auth/login", auth.SignIn.as_view(), name="login"),
    path("auth/refresh", auth.Renew.as_view(), name="refresh"),
    path("auth/me", auth.Me.as_view(), name="me"),
    path("auth/change-password", auth.ChangePassword.as_view(), name="change-password"),
    path("auth/logout", auth.SignOut.as_view(), name="logout"),
    path("auth/ws-ticket", auth.SocketTicket.as_view(), name="ws-ticket"),
    path("users", users.Users.as_view(), name="users"),
    path("users/<str:user_id>", users.OneUser.as_view(), name="user"),
    path("api-keys", keys.Keys.as_view(), name="keys"),
    path("api-keys/<str:key_id>", keys.OneKey.as_view(), name="key"),
    path("api-keys/<str:key_id>/rotate", keys.Rotate.as_view(), name="rotate-key"),
    path("preferences", preferences.Preferences.as_view(), name="preferences"),
    path("agents", agents.Agents.as_view(), name="agents"),
    path("agents/stats", figures.AllFigures.as_view(), name="figures"),
    path("agents/<str:agent_id>", agents.OneAgent.as_view(), name="agent"),
    path("agents/<str:agent_id>/read", agents.Read.as_view(), name="read-agent"),
    path("files", files.Files.as_view(), name="files"),
    path("files/upload", files.Upload.as_view(), name="upload-file"),
    path("files/store", files.Store.as_view(), name="store-file"),
    path("files/bulk-download", files.BulkDownload.as_view(), name="download-files"),
    path("files/bulk-delete", files.BulkDelete.as_view(), name="delete-files"),
    path("files/<str:file_id>", files.OneFile.as_view(), name="file"),
    path("files/<str:file_id>/download", files.Download.as_view(), name="download-file"),
    path("files/<str:file_id>/share", files.Share.as_view(), name="share-file"),
    path("share/<str:token>", files.Shared.as_view(), name="shared"),
    path("agents/<str:agent_id>/stats", figures.Figures.as_view(), name="agent-figures"),
    path("agents/<str:agent_id>/avatar", avatars.Avatar.as_view(), name="agent-avatar"),
    path("messages", messages.Messages.as_view(), name="messages"),
    # What has a name of its own comes before the ids.
    path("messages/reviews", messages.Reviews.as_view(), name="reviews"),
    path("messages/<str:message_id>", messages.OneMessage.as_view(), name="message"),
    path("messages/<str:message_id>/iterations", messages.Iterations.as_view(), name="iterations"),
    path("messages/<str:message_id>/respond", messages.Respond.as_view(), name="respond"),
    path("messages/<str:message_id>/retry", messages.Retry.as_view(), name="retry"),
    # The log, and notifications.
    path("logs", logs.Logs.as_view(), name="logs"),
    path("logs/<str:log_id>", logs.OneLog.as_view(), name="log"),
    path("push/vapid-key", push.VapidKey.as_view(), name="vapid-key"),
    path("push/subscribe", push.Subscriptions.as_view(), name="push-subscribe"),
    path("plugins", plugins.Plugins.as_view(), name="plugins"),
    path("plugins/<str:plugin_name>", plugins.OnePlugin.as_view(), name="plugin"),
    path("plugins/<str:plugin_name>/render", plugins.Render.as_view(), name="render-plugin"),
    path("plugins/<str:plugin_name>/icon", plugins.Icon.as_view(), name="plugin-icon"),
    path("plugins/<str:plugin_name>/config", plugins.Config.as_view(), name="plugin-config"),
    path("plugins/<str:plugin_name>/fetch", plugins.Fetch.as_view(), name="plugin-fetch"),
]
