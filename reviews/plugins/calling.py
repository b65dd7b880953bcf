"""The calls that plugins ask for: they leave through egress, to whom the manifest says.

A frame holds `{{secret:KEY}}` where a secret belongs. The secret itself is put in here, on its way
to a host that the manifest names, and taken out again of what comes back.
"""

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from django.utils.translation import gettext as _

from delivery.egress import (
    FETCH_METHODS,
    AttemptFailedError,
    EgressRefusedError,
    Fetched,
    Request,
    check_headers,
    fetch,
    host_of,
    origin_of,
)
from reviews.plugins.configuration import Configured, placeholder
from reviews.plugins.manifest import ANY_HOST, Plugin

# As it is written, and as `encodeURIComponent` writes it.
MARK = re.compile(r"\{\{secret:(\w{1,64})\}\}|%7B%7Bsecret%3A(\w{1,64})%7D%7D", re.IGNORECASE)
TYPE = "content-type"
READING = frozenset({"GET", "HEAD"})
# A slow service must not take all threads that serve pages.
AT_ONCE = 4
_places = threading.BoundedSemaphore(AT_ONCE)


class CallRefusedError(Exception):
    """The plugin may not make this call, or nothing came of it. The text is for its author."""


@dataclass(frozen=True)
class Call:
    """What a plugin asks for."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


def call(used: Configured, asked: Call, *, may_write: bool) -> Fetched:
    """Make a call for a plugin.

    1. The plugin is on, and its manifest allows calls and names the host.
    2. People who may only look only read.
    3. Secrets are put in, for a host that is named. 4. Egress judges address and headers.
    5. What comes back is rid of secrets.

    Raises: CallRefusedError.
    """
    if not used.enabled:
        raise CallRefusedError("the plugin is switched off in this workspace")
    host = _allowed_host(used.plugin, asked.url)
    method = asked.method.upper()
    if method not in FETCH_METHODS:
        raise CallRefusedError(f"method must be one of {', '.join(sorted(FETCH_METHODS))}")
    if method not in READING and not may_write:
        raise CallRefusedError(_("Your role allows you to look, not to answer."))
    secrets = _wanted_secrets(used, host, asked)
    sent = _with_secrets(replace(asked, method=method), secrets)
    return _without_secrets(_fetch(sent), secrets)


def _allowed_host(plugin: Plugin, url: str) -> str:
    """Raises: CallRefusedError."""
    if not plugin.may_call:
        raise CallRefusedError("permissions.httpRequests is not true in the plugin's manifest")
    try:
        host = host_of(MARK.sub("x", url))
    except EgressRefusedError:
        raise CallRefusedError("url must be an absolute http or https address") from None
    if not any(_matches(host, domain) for domain in plugin.domains):
        raise CallRefusedError(f"{host} is not in permissions.maxHttpDomains of the manifest")
    return host


def _matches(host: str, domain: str) -> bool:
    if domain.startswith("*."):
        return host.endswith(domain[1:])
    return domain == ANY_HOST or host == domain.strip("[]")


def _wanted_secrets(used: Configured, host: str, asked: Call) -> dict[str, str]:
    """Those that the call has a mark for.

    Raises: CallRefusedError unless the manifest names the very host.
    """
    written = " ".join([asked.url, asked.body, *asked.headers.values()])
    keys = {plain or encoded for plain, encoded in MARK.findall(written)}
    secrets = {key: value for key, value in used.secrets.items() if key in keys}
    if secrets and host not in {domain.strip("[]") for domain in used.plugin.domains}:
        raise CallRefusedError(f"secrets go to hosts that maxHttpDomains names, not to {host}")
    return secrets


def _with_secrets(asked: Call, secrets: Mapping[str, str]) -> Call:
    """The call with secrets in place of their marks, each written as its place wants it.

    Raises: CallRefusedError.
    """
    if not secrets:
        return asked
    url = _fill(asked.url, secrets, _in_url)
    if origin_of(url) != origin_of(MARK.sub("x", asked.url)):
        raise CallRefusedError("a secret cannot be a part of the host")
    return replace(
        asked,
        url=url,
        headers={name: _fill(value, secrets, str) for name, value in asked.headers.items()},
        body=_fill(asked.body, secrets, _writer_of(asked)),
    )


def _fill(text: str, secrets: Mapping[str, str], write: Callable[[str], str]) -> str:
    def secret(mark: re.Match[str]) -> str:
        key = mark[1] or mark[2]
        if key not in secrets:
            return mark[0]
        return write(secrets[key]) if mark[1] else _in_url(secrets[key])

    return MARK.sub(secret, text)


def _in_url(secret: str) -> str:
    return quote(secret, safe="")


def _in_json(secret: str) -> str:
    return json.dumps(secret)[1:-1]


def _writer_of(asked: Call) -> Callable[[str], str]:
    """How a secret is written into the body, by its type."""
    types = [value.lower() for name, value in asked.headers.items() if name.lower() == TYPE]
    if any("json" in each for each in types) or (not types and _is_json(asked.body)):
        return _in_json
    return _in_url if any("urlencoded" in each for each in types) else str


def _is_json(body: str) -> bool:
    try:
        json.loads(MARK.sub("x", body))
    except (ValueError, RecursionError):
        return False
    return True


def _fetch(sent: Call) -> Fetched:
    """Raises: CallRefusedError."""
    try:
        check_headers(sent.headers, any_type=True)
        body = sent.body.encode()
    except EgressRefusedError as refused:
        raise CallRefusedError(str(refused)) from None
    except UnicodeEncodeError:
        raise CallRefusedError("body must be text") from None
    if not _places.acquire(blocking=False):
        raise CallRefusedError(_("Too many calls of plugins at once. Try again in a moment."))
    try:
        return fetch(Request(sent.url, sent.method, dict(sent.headers), body))
    except EgressRefusedError:
        # Which rule it was is the operator's business: it would be a map of their network.
        raise CallRefusedError("not an address that this server may call") from None
    except AttemptFailedError as failed:
        raise CallRefusedError(str(failed)) from None
    finally:
        _places.release()


def _without_secrets(answer: Fetched, secrets: Mapping[str, str]) -> Fetched:
    """A service may repeat what it was sent."""

    def clean(text: str) -> str:
        for key, secret in secrets.items():
            for written in {secret, _in_url(secret), _in_json(secret)}:
                text = text.replace(written, placeholder(key))
        return text

    headers = {name: clean(value) for name, value in answer.headers.items()}
    return replace(answer, headers=headers, body=clean(answer.body), reason=clean(answer.reason))
