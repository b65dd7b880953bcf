from django.apps import AppConfig


class WebConfig(AppConfig):
    """The people's pages."""

    name = "web"

    def ready(self) -> None:
        from web import live, sessions  # noqa: F401  # their receivers listen
