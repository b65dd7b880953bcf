"""All addresses of the product, by audience."""

from django.contrib import admin
from django.urls import include, path

from api.placet.views.signing import WebhookKeys
from config.health import health, ready

handler500 = "config.request_ids.server_error"

urlpatterns = [
    path("health", health, name="health"),
    path("health/ready", ready, name="ready"),
    path(".well-known/webhook-keys", WebhookKeys.as_view(), name="webhook-keys"),
    path("api/", include("api.urls")),
    path("admin/", admin.site.urls),
    path("", include("web.urls")),
]
