"""Every address of the people's pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path
from django.views.generic import RedirectView

from web.views import channels, deliveries, inbox, messages, receivers, reviews
from web.views.sign_in import SignIn

app_name = "web"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="web:inbox"), name="home"),
    path("sign-in/", SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("ui/counts/", inbox.counts, name="counts"),
    # Inbox
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/<uuid:message_id>/", reviews.review, name="review"),
    path("inbox/<uuid:message_id>/card/", reviews.card, name="card"),
    path("inbox/<uuid:message_id>/row/", reviews.row, name="row"),
    path("inbox/<uuid:message_id>/respond/", reviews.respond, name="respond"),
    path("inbox/<uuid:message_id>/send-again/", reviews.send_again, name="send-again"),
    path("inbox/<uuid:message_id>/delivery/", deliveries.delivery, name="delivery"),
    path("inbox/<uuid:message_id>/delivery/try-now/", deliveries.try_now, name="try-now"),
    # Channels
    path("channels/", channels.channels, name="channels"),
    path("channels/<uuid:channel_id>/", channels.channel, name="channel"),
    path("channels/<uuid:channel_id>/messages/", channels.write, name="write"),
    path("messages/<uuid:message_id>/", messages.message, name="message"),
    path("messages/<uuid:message_id>/try-now/", messages.try_now, name="try-message-now"),
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
]
