"""Times on Placet's wire: ISO 8601, UTC, milliseconds, `Z`."""

from datetime import UTC, datetime


def wire_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def wire_time_or_null(moment: datetime | None) -> str | None:
    return None if moment is None else wire_time(moment)
