"""Make a new key pair for a workspace's webhooks; the one before signs beside it for a while."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.ids import parse_uuid
from accounts.models import Workspace
from delivery.keys import RotationRefusedError, rotate_key_pair


class Command(BaseCommand):
    """`licet rotate_webhook_key WORKSPACE --overlap-hours 24`."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workspace", help="id of the workspace, as its agents' keysUrl has it")
        parser.add_argument(
            "--overlap-hours",
            type=int,
            default=24,
            help="how long the old key still signs; 0 if somebody else has seen it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = parse_uuid(options["workspace"])
        workspace = Workspace.objects.filter(pk=wanted).first() if wanted else None
        if workspace is None:
            raise CommandError(f"There is no workspace {options['workspace']}.")
        overlap = timedelta(hours=options["overlap_hours"])
        try:
            pair = rotate_key_pair(workspace_id=workspace.pk, overlap=overlap, now=timezone.now())
        except RotationRefusedError as refused:
            raise CommandError(f"Nothing was changed: {refused}.") from None
        self.stdout.write(pair.public_key)
