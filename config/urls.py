"""All addresses of the product, by audience."""

from django.contrib import admin
from django.urls import include, path

from config.health import health, ready

urlpatterns = [
    path("health", health, name="health"),
    path("health/ready", ready, name="ready"),
    path("api/", include("api.urls")),
    path("admin/", admin.site.urls),
    path("", include("web.urls")),
]
