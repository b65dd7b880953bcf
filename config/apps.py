from django.apps import AppConfig


class LicetConfig(AppConfig):
    """The project itself: its management commands."""

    name = "config"
    label = "licet"
