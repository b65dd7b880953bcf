"""Write old messages to files and delete them: decided reviews, notes, and their files' names."""

from argparse import ArgumentParser
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from api.archive_files import ArchiveError
from api.archiving import TooYoungError, remove_messages


class Command(BaseCommand):
    """`licet archive_messages --before 2026-01-01 --to FOLDER`: safe to stop, and to run again."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--before",
            required=True,
            metavar="DAY",
            type=date.fromisoformat,
            help="messages of this day and later stay; in UTC, such as 2026-01-01",
        )
        parser.add_argument(
            "--to", required=True, metavar="FOLDER", type=Path, help="where the files are written"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        before = datetime.combine(options["before"], time.min, UTC)
        try:
            removed = remove_messages(before=before, now=timezone.now(), folder=options["to"])
        except (ArchiveError, TooYoungError, OSError) as failure:
            raise CommandError(f"{failure}. Nothing was deleted that is not archived.") from None
        self.stdout.write(f"{removed.messages:,} messages archived and deleted")
        if removed.kept_back:
            self.stdout.write(f"{removed.kept_back:,} changed meanwhile, and stay for the next run")
