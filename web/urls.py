"""Every address of the people's pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path
from django.views.generic import RedirectView

from web.views import channels, inbox, reviews
from web.views.sign_in import SignIn

app_name = "web"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="web:inbox"), name="home"),
    path("sign-in/", SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/<uuid:message_id>/", reviews.review, name="review"),
    path("inbox/<uuid:message_id>/respond/", reviews.respond, name="respond"),
    path("inbox/<uuid:message_id>/send-again/", reviews.send_again, name="send-again"),
    path("channels/", channels.channels, name="channels"),
    path("channels/<uuid:channel_id>/", channels.channel, name="channel"),
    path("channels/<uuid:channel_id>/messages/", channels.write, name="write"),
]
