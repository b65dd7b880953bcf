"""Addresses as people may see them: a query string or a login in a URL is often a secret."""

import re
from urllib.parse import urlsplit

_LOGIN = re.compile(r"//[^/\s?#@]*@")
_QUERY = re.compile(r"(?<=\S)[?#]\S+")


def shown_address(url: str) -> str:
    """Scheme, host, port and path; `?…` says that there was a query."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "…"
    if not host:
        return "…"
    name = f"[{host}]" if ":" in host else host
    where = f"{parts.scheme}://{name}" + (f":{port}" if port else "")
    return f"{where}{parts.path}" + ("?…" if parts.query else "")


def shown_reason(text: str) -> str:
    """An error's text; libraries quote the whole address in theirs."""
    return _QUERY.sub("?…", _LOGIN.sub("//", text))
