"""Addresses at which a browser may fetch a file from the storage itself, for a minute."""

from urllib.parse import quote

from attachments import storage
from attachments.models import Attachment

LIVES_SECONDS = 60
# Kept as they are in a plain `filename`; the rest is percent-encoded.
PLAIN = " !#$&'()+,-.;=@[]^_`{}~"


def download_link(file: Attachment) -> str | None:
    """Where to send a browser that saves a file; None if its bytes go through this server.

    There is one only if the operator says at which address browsers reach the bucket. The link
    forces a type that no browser shows, and a name. Never give it to a program that calls with
    a key: on a redirect it would take its key along.
    """
    name = disposition(file.filename, inline=False)
    return storage.download_link(file.storage_key, seconds=LIVES_SECONDS, disposition=name)


def disposition(filename: str, *, inline: bool) -> str:
    """A plain ASCII name, percent-encoded where needed, and the name itself (RFC 6266)."""
    how = "inline" if inline else "attachment"
    plain, exact = quote(filename, safe=PLAIN), quote(filename, safe="")
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{exact}"
