from django.apps import AppConfig


class LicetConfig(AppConfig):
    """The project itself: its management commands."""

    name = "config"
    label = "licet"

    def ready(self) -> None:
        from config.celery import app

        # Every process and thread publishes hints through this application.
        app.set_default()
