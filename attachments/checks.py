"""What `manage.py check` says about the file storage."""

from typing import Any

from django.core import checks

from attachments.storage import problem


@checks.register("files")
def storage_answers(**_: Any) -> list[checks.CheckMessage]:
    """A warning and no error: without files, everything else still works."""
    found = problem()
    return [checks.Warning(f"File storage: {found}.", id="attachments.W001")] if found else []
