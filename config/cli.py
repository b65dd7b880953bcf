"""The `licet` command, which is also `manage.py`."""

import os
import sys

EXIT_MISCONFIGURED = 2


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured

    try:
        from config import settings  # noqa: F401  # a wrong setting is one line, not a traceback
    except (ImproperlyConfigured, OSError) as error:
        print(f"licet: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(EXIT_MISCONFIGURED)
    if sys.argv[1:2] == ["serve"]:
        # Without Django: the parent of all processes stays small.
        from config.serve import main as serve

        sys.exit(serve())
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
