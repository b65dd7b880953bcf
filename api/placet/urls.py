"""The agents' routes, all of them, and nothing else."""

from django.urls import path

from api.placet.views.agents import Agents, DeleteWebhook, SetWebhook
from api.placet.views.messages import Messages, OneMessage
from api.placet.views.reviews import OneReview, PendingReviews, WaitForReview

app_name = "placet"

urlpatterns = [
    path("agents", Agents.as_view(), name="agents"),
    path("agents/setWebhook", SetWebhook.as_view(), name="set-webhook"),
    path("agents/deleteWebhook", DeleteWebhook.as_view(), name="delete-webhook"),
    path("messages", Messages.as_view(), name="messages"),
    path("messages/<str:message_id>", OneMessage.as_view(), name="message"),
    path("reviews/pending", PendingReviews.as_view(), name="pending"),
    path("reviews/<str:message_id>", OneReview.as_view(), name="review"),
    path("reviews/<str:message_id>/wait", WaitForReview.as_view(), name="wait"),
]
