"""Every address of the people's pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path
from django.views.generic import RedirectView

from web.views import (
    activity,
    app_shell,
    bulk,
    channels,
    deliveries,
    drawings,
    files,
    inbox,
    messages,
    new_channel,
    plugins,
    push,
    receivers,
    reviews,
    search,
)
from web.views.settings import channels as channel_settings
from web.views.settings import invitations, keys, looks, people, profile, sessions, workspace
from web.views.settings import plugins as plugin_settings
from web.views.sign_in import SignIn

app_name = "web"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="web:inbox"), name="home"),
    path("sign-in/", SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("ui/counts/", inbox.counts, name="counts"),
    # Inbox
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/together/", bulk.ask, name="bulk"),
    path("inbox/together/answer/", bulk.answer, name="bulk-answer"),
    path("inbox/<uuid:message_id>/", reviews.review, name="review"),
    path("inbox/<uuid:message_id>/card/", reviews.card, name="card"),
    path("inbox/<uuid:message_id>/row/", reviews.row, name="row"),
    path("inbox/<uuid:message_id>/read/", reviews.read, name="read"),
    path("inbox/<uuid:message_id>/respond/", reviews.respond, name="respond"),
    path("inbox/<uuid:message_id>/send-again/", reviews.send_again, name="send-again"),
    path("inbox/<uuid:message_id>/delivery/", deliveries.delivery, name="delivery"),
    path("inbox/<uuid:message_id>/delivery/try-now/", deliveries.try_now, name="try-now"),
    # Channels
    path("channels/", channels.channels, name="channels"),
    path("channels/new/", new_channel.new_channel, name="new-channel"),
    path("channels/<uuid:channel_id>/", channels.channel, name="channel"),
    path("channels/<uuid:channel_id>/picture/", channels.picture, name="picture"),
    path("channels/<uuid:channel_id>/messages/", channels.write, name="write"),
    path("messages/<uuid:message_id>/", messages.message, name="message"),
    path("messages/<uuid:message_id>/try-now/", messages.try_now, name="try-message-now"),
    path("channels/<uuid:channel_id>/delivery/", receivers.receiver, name="channel-delivery"),
    path("channels/<uuid:channel_id>/delivery/test/", receivers.test, name="send-test"),
    path("channels/<uuid:channel_id>/delivery/replay/", receivers.replay, name="replay"),
    path("channels/<uuid:channel_id>/delivery/switch-on/", receivers.switch, name="switch-on"),
    path("channels/<uuid:channel_id>/delivery/secrets/", receivers.secrets, name="secrets"),
    path("channels/<uuid:channel_id>/delivery/rotate/", receivers.rotate, name="rotate-secret"),
    # Search and keys
    path("search/", search.search, name="search"),
    path("shortcuts/", search.shortcuts, name="shortcuts"),
    # Files
    path("files/", files.files, name="files"),
    path("files/<uuid:file_id>/", files.file, name="file"),
    path("files/<uuid:file_id>/thumb/<int:size>/", files.thumbnail, name="file-thumb"),
    path("files/<uuid:file_id>/raw/", files.raw, name="file-raw"),
    # Drawing on images
    path("files/<uuid:file_id>/annotate/", drawings.annotate, name="annotate"),
    # Activity
    path("activity/", activity.activity, name="activity"),
    path("activity/calls/<uuid:call_id>/", activity.call, name="call"),
    path("activity/health/", activity.health, name="health"),
    # Settings
    path("settings/", profile.settings, name="settings"),
    path("settings/profile/", profile.profile, name="settings-profile"),
    path("settings/password/", profile.password, name="settings-password"),
    path("settings/sessions/", sessions.sessions, name="settings-sessions"),
    path("settings/sessions/end-others/", sessions.end_others, name="end-other-sessions"),
    path("settings/sessions/<uuid:session_id>/end/", sessions.end, name="end-session"),
    path("settings/sign-out-everywhere/", sessions.end_all, name="sign-out-everywhere"),
    path("settings/appearance/", looks.appearance, name="settings-appearance"),
    path("settings/shortcuts/", looks.shortcuts, name="settings-shortcuts"),
    path("settings/notifications/", looks.notifications, name="settings-notifications"),
    path("settings/keys/", keys.keys, name="settings-keys"),
    path("settings/keys/<uuid:key_id>/rotate/", keys.rotate, name="rotate-key"),
    path("settings/keys/<uuid:key_id>/revoke/", keys.revoke, name="revoke-key"),
    path("settings/people/", people.people, name="settings-people"),
    path("settings/people/invite/", people.send_invitation, name="invite"),
    path("settings/people/<uuid:member_id>/", people.member, name="member"),
    path("settings/people/<uuid:member_id>/remove/", people.remove, name="remove-member"),
    path(
        "settings/people/invitations/<uuid:invitation_id>/withdraw/",
        people.withdraw,
        name="withdraw-invitation",
    ),
    path("settings/workspace/", workspace.workspace, name="settings-workspace"),
    path("settings/workspace/switch/", workspace.switch, name="switch-workspace"),
    path("invitations/<str:token>/", invitations.invitation, name="invitation"),
    path("channels/<uuid:channel_id>/settings/", channel_settings.channel, name="channel-settings"),
    path(
        "channels/<uuid:channel_id>/settings/webhook/",
        channel_settings.webhook,
        name="channel-webhook",
    ),
    path("channels/<uuid:channel_id>/mute/", channel_settings.mute, name="mute-channel"),
    path("channels/<uuid:channel_id>/delete/", channel_settings.delete, name="delete-channel"),
    # Plugins
    path("plugins/<slug:name>/frame/", plugins.frame, name="plugin-frame"),
    path("plugins/<slug:name>/icon/", plugins.icon, name="plugin-icon"),
    path("plugins/<slug:name>/fetch/", plugins.fetch, name="plugin-fetch"),
    path("settings/plugins/", plugin_settings.plugins, name="settings-plugins"),
    path("settings/plugins/<slug:name>/", plugin_settings.plugin, name="plugin-settings"),
    # The page as an application
    path("manifest.webmanifest", app_shell.manifest, name="manifest"),
    path("sw.js", app_shell.service_worker, name="service-worker"),
    path("offline/", app_shell.offline, name="offline"),
    path("push/", push.devices, name="devices"),
    path("push/subscribe/", push.switch_on, name="push-subscribe"),
    path("push/unsubscribe/", push.switch_off, name="push-unsubscribe"),
    path("push/titles/", push.titles, name="push-titles"),
    path("push/test/", push.test, name="push-test"),
]
