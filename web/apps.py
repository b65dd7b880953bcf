from django.apps import AppConfig


class WebConfig(AppConfig):
    """The people's pages."""

    name = "web"
