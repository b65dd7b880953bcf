"""Write a new plugin that works, to start from; docs/plugins.md says how to go on."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from reviews.plugins.skeleton import SkeletonError, write_skeleton


class Command(BaseCommand):
    """`licet create_plugin NAME [FOLDER]`."""

    help = __doc__
    requires_system_checks = []  # one plugin that is wrong must not keep anybody from another

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("folder", nargs="?", help="PLUGINS_DIR if it is left out")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["folder"] or settings.PLUGINS_DIR
        if not folder:
            raise CommandError("set PLUGINS_DIR, or name a folder after the plugin's name")
        try:
            plugin = write_skeleton(Path(folder).resolve(), options["name"])
        except SkeletonError as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(f"{plugin.folder} is there. The server finds it when it starts again.")
