"""The `licet` command, which is also `manage.py`."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["serve"]:
        # Before Django: serve decides on the environment that settings are read from.
        from config.serve import main as serve

        sys.exit(serve())
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
