"""Bring the database up to date and, on the very first start, create who and what is needed."""

import os
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from attachments.storage import problem as storage_problem
from config.bootstrap import BadBootstrapError, FirstStart, create_first_workspace
from config.cli import EXIT_MISCONFIGURED
from delivery.egress import parse_allowed
from reviews.plugins.discovery import look

WELCOME = """
Licet is set up. This is shown once; keep it.

  Address          {url}
  E-mail           {email}
  Password         {password}
  API key          {key}
  Webhook secret   {secret}

Post a first request for review:

  curl -sS {url}/api/v1/messages -H 'x-api-key: {key}' -H 'content-type: application/json' \\
    -d '{{"channelId": "{channel}", "text": "Deploy version 2 to production?",
         "review": {{"type": "approval"}}}}'
"""


class Command(BaseCommand):
    """`licet setup`: safe to run at every start, by several processes one after the other."""

    help = __doc__
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            parse_allowed(settings.EGRESS_ALLOW)
            _refuse_bad_plugins()
            if _migrations_are_due():
                call_command("migrate", verbosity=0, interactive=False)
            first = create_first_workspace(
                email=os.environ.get("ADMIN_EMAIL", ""),
                password=os.environ.get("ADMIN_PASSWORD", ""),
                api_key=os.environ.get("BOOTSTRAP_API_KEY", ""),
                now=timezone.now(),
            )
        except OperationalError as error:
            reason = " ".join(str(error).split())
            raise CommandError(
                f"DATABASE_URL: the database cannot be used: {reason}",
                returncode=EXIT_MISCONFIGURED,
            ) from None
        except (BadBootstrapError, ValueError) as error:
            raise CommandError(str(error), returncode=EXIT_MISCONFIGURED) from None
        if wrong := storage_problem():
            self.stderr.write(f"File storage: {wrong}. Files cannot be stored until then.")
        if first is not None:
            self.stdout.write(_welcome(first))


def _refuse_bad_plugins() -> None:
    """One line for each, before anything is written. Raises: ValueError."""
    _found, problems = look(settings.PLUGIN_FOLDERS)
    if problems:
        raise ValueError("\n".join(problems))


def _migrations_are_due() -> bool:
    """A look at the plan costs a tenth of running an empty one."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _welcome(first: FirstStart) -> str:
    return WELCOME.format(
        url=settings.PUBLIC_URL.rstrip("/"),
        email=first.email,
        password=first.password,
        key=first.api_key,
        secret=first.signing_secret,
        channel=first.channel.pk,
    )
