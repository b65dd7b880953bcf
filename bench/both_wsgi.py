"""The web process with one route more: `bench.idiomatic`."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings

settings.ROOT_URLCONF = "bench.idiomatic"

from config.wsgi import application  # noqa: E402  # the settings first

__all__ = ["application"]
