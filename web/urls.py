"""Every address of the people's pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path
from django.views.generic import RedirectView

from web.views import app_shell, channels, deliveries, inbox, push, receivers, reviews
from web.views.sign_in import SignIn

app_name = "web"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="web:inbox"), name="home"),
    path("sign-in/", SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    # Inbox
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/<uuid:message_id>/", reviews.review, name="review"),
    path("inbox/<uuid:message_id>/respond/", reviews.respond, name="respond"),
    path("inbox/<uuid:message_id>/send-again/", reviews.send_again, name="send-again"),
    path("inbox/<uuid:message_id>/delivery/", deliveries.delivery, name="delivery"),
    path("inbox/<uuid:message_id>/delivery/try-now/", deliveries.try_now, name="try-now"),
    # Channels
    path("channels/", channels.channels, name="channels"),
    path("channels/<uuid:channel_id>/", channels.channel, name="channel"),
    path("channels/<uuid:channel_id>/messages/", channels.write, name="write"),
    path("channels/<uuid:channel_id>/delivery/", receivers.receiver, name="channel-delivery"),
    path("channels/<uuid:channel_id>/delivery/test/", receivers.test, name="send-test"),
    path("channels/<uuid:channel_id>/delivery/replay/", receivers.replay, name="replay"),
    path("channels/<uuid:channel_id>/delivery/switch-on/", receivers.switch, name="switch-on"),
    path("channels/<uuid:channel_id>/delivery/secrets/", receivers.secrets, name="secrets"),
    path("channels/<uuid:channel_id>/delivery/rotate/", receivers.rotate, name="rotate-secret"),
    # Files
    # Activity
    # Settings
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
