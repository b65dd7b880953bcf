"""Multipart forms, part by part, as clients send files."""

from typing import Any

from inbox.models import Channel
from tests.conftest import Agent

UPLOAD, STORE, STORE_TEXT = (f"/api/v1/files/{name}" for name in ("upload", "store", "store-text"))
BOUNDARY = "xxBOUNDARYxx"

type Part = tuple[str, str | None, str, bytes]


def form(*parts: Part) -> bytes:
    """A multipart body, part by part: name, file name, type, content."""
    body = b""
    for name, filename, kind, content in parts:
        body += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        body += f'; filename="{filename}"'.encode() if filename is not None else b""
        body += f"\r\nContent-Type: {kind}".encode() if kind else b""
        body += b"\r\n\r\n" + content + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()


def send(agent: Agent, path: str, *parts: Part, **headers: str) -> Any:
    kind = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    return agent.call("POST", path, form(*parts), **(kind | headers))


def channel_part(channel: Channel, name: str = "channelId") -> Part:
    return (name, None, "", str(channel.pk).encode())


def file_part(content: bytes = b"hello", filename: str = "a.txt", kind: str = "text/plain") -> Part:
    return ("file", filename, kind, content)
