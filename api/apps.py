from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The agents' dialects."""

    name = "api"

    def ready(self) -> None:
        from api import schema  # noqa: F401  # registers how structs are documented
        from api.placet import events, outbound  # noqa: F401  # their receivers listen
