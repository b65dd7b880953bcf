"""Where a link really leads, for links whose words say something else."""

import re
from urllib.parse import urlsplit

# What a reader takes for a dot.
_DOTS = ".\u2024\u3002\uff0e\uff61\u0701\u0702\ua4f8\u06d4"
_LOOKS_LIKE_HOST = re.compile(rf"[\w-]+(?:[{_DOTS}][\w-]+)*[{_DOTS}][^\W\d_]{{2,}}")


def host_of(href: str) -> str:
    """The host of an address in ASCII; of an e-mail address, the part behind the `@`."""
    try:
        parts = urlsplit(href)
        host = parts.hostname or ""
    except ValueError:
        return ""
    return parts.path.rpartition("@")[2].lower() if parts.scheme == "mailto" else host


def host_to_show(words: str, href: str) -> str:
    """The true host, where the words or the address could be read as another one; else nothing."""
    host = host_of(href)
    disguised = "xn--" in host or (not href.startswith("mailto:") and _has_user(href))
    if host and (disguised or _names_another(words, host)):
        return host
    return ""


def _has_user(href: str) -> bool:
    """`https://bank.example@evil.example/` leads to the second one."""
    return "@" in re.split(r"[/?#]", href.partition("://")[2], maxsplit=1)[0]


def _names_another(words: str, host: str) -> bool:
    named = {_bare(found) for found in _LOOKS_LIKE_HOST.findall(words)}
    return bool(named - {_bare(host)}) if named else "://" in words


def _bare(host: str) -> str:
    return host.lower().removeprefix("www.")
