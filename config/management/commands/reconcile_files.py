"""Compare the rows of files with their stored objects, and say what is lost or too much."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from attachments.deleting import remove_objects
from attachments.reconciling import Counts, reconcile
from attachments.storage import StorageUnavailableError

REPORT = """
{files:>10,}  files, each with a row
{objects:>10,}  objects of files and previews
{unfinished:>10,}  files that are being received, or broke off within the last day
{waiting:>10,}  objects of deleted files that a worker is about to remove
{lost:>10,}  LOST: files whose object is gone
{damaged:>10,}  DAMAGED: files whose object has another size
{unknown:>10,}  TOO MUCH: objects that no row names
{removed:>10,}  objects without a row that were removed
{foreign:>10,}  objects that Licet did not store, which it leaves alone
"""


class Command(BaseCommand):
    """`licet reconcile_files`: exits with 0 if nothing is lost and nothing is too much, else 1."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--delete",
            action="store_true",
            help="remove objects without a row that were first seen a day ago or earlier",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            counts = reconcile(now=timezone.now(), delete=options["delete"])
            while counts.removed and remove_objects(now=timezone.now()):
                pass
        except StorageUnavailableError as failure:
            raise CommandError(failure.message) from None
        self.stdout.write(report(counts))
        if not counts.clean:
            sys.exit(1)


def report(counts: Counts) -> str:
    verdict = "Nothing is lost, and nothing is too much." if counts.clean else "They differ."
    return REPORT.format(**vars(counts)).strip("\n") + f"\n{verdict}"
