"""Looking into office files before a library opens them: they are zip archives of XML."""

import zipfile
from pathlib import Path

from attachments.conversion.refusals import Reason, RefusedError

MOST_MEMBERS = 5000
LARGEST_UNPACKED = 200 * 1024 * 1024
CHUNK = 256 * 1024
ENCRYPTED_FLAG = 0x1
# OLE: old office files, and the envelope that office programs encrypt new ones in.
OLE = bytes.fromhex("d0cf11e0a1b11ae1")
ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
MACRO_STREAM = "_VBA_PROJECT".encode("utf-16-le")
# Office files need no document types, and entities live in those. The second spelling is UTF-16.
DOCTYPES = (b"<!DOCTYPE", b"<\0!\0D\0O\0C\0T\0Y\0P\0E")
LONGEST_DOCTYPE = max(len(each) for each in DOCTYPES)


def inspect(source: Path) -> None:
    """Refuse bombs, macros, encryption and document types.

    The sizes that the archive declares can be believed: `zipfile` reads no more than them.

    Raises: RefusedError, zipfile.BadZipFile.
    """
    if is_ole(source):
        _inspect_ole(source)
        return
    with zipfile.ZipFile(source) as archive:
        members = archive.infolist()
        if len(members) > MOST_MEMBERS or sum(m.file_size for m in members) > LARGEST_UNPACKED:
            raise RefusedError(Reason.TOO_LARGE)
        if any(member.flag_bits & ENCRYPTED_FLAG for member in members):
            raise RefusedError(Reason.ENCRYPTED)
        if any(_holds_macros(member.filename) for member in members):
            raise RefusedError(Reason.MACROS)
        for member in members:
            _refuse_doctype(archive, member)


def is_ole(source: Path) -> bool:
    with source.open("rb") as opened:
        return opened.read(len(OLE)) == OLE


def _inspect_ole(source: Path) -> None:
    content = source.read_bytes()
    if ENCRYPTED_STREAM in content:
        raise RefusedError(Reason.ENCRYPTED)
    if MACRO_STREAM in content:
        raise RefusedError(Reason.MACROS)


def _holds_macros(name: str) -> bool:
    lowered = name.lower()
    return lowered.endswith("vbaproject.bin") or lowered.startswith(("basic/", "scripts/"))


def _refuse_doctype(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    if not member.filename.lower().endswith((".xml", ".rels", ".vml")):
        return
    tail = b""
    with archive.open(member) as opened:
        while chunk := opened.read(CHUNK):
            if any(doctype in tail + chunk for doctype in DOCTYPES):
                raise RefusedError(Reason.UNSAFE)
            tail = chunk[-LONGEST_DOCTYPE:]
