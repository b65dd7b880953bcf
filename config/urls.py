"""All addresses of the product, by audience."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from api.conversations.views.messages import MessagesAtRoot
from api.placet.views.signing import WebhookKeys
from config.health import health, ready
from web.views.sign_in import operators

handler500 = "config.request_ids.server_error"

urlpatterns = [
    path("api/", include("api.urls")),
    path("health", health, name="health"),
    path("health/ready", ready, name="ready"),
    path(".well-known/webhook-keys", WebhookKeys.as_view(), name="webhook-keys"),
    path("v1/", include("api.conversations.urls")),
    path("messages", MessagesAtRoot.as_view(), name="send-message"),
    # Signing in and changing one's password have one place each, where guesses are counted.
    path("admin/login/", operators),
    path("admin/password_change/", RedirectView.as_view(pattern_name="web:settings-password")),
    path("admin/", admin.site.urls),
    path("", include("web.urls")),
]
