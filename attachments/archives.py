"""Several files as one ZIP that is never whole anywhere: made while it is sent."""

from collections.abc import Iterator, Sequence
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from attachments.models import Attachment
from attachments.queries import FileMissingError, open_file
from attachments.storage import safe_filename

CHUNK = 64 * 1024
# Deflate, so that readers which see the archive pass by know where an entry ends; without
# squeezing, so that it costs next to nothing.
AS_IT_IS = 0
LEFT_OUT = "FILES THAT ARE MISSING.txt"


class _Passage:
    """What is written here is taken away at once. It cannot be sought in."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, content: bytes) -> int:
        self._written += content
        return len(content)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


def zipped(files: Sequence[Attachment]) -> Iterator[bytes]:
    """The bytes of an archive, as they come to be.

    A file whose bytes are gone does not keep the others back: the archive ends with a text that
    names it. One that breaks off in the middle breaks off the whole, which its receiver sees.
    """
    passage, missing = _Passage(), list[str]()
    with ZipFile(passage, "w") as archive:  # type: ignore[call-overload]  # it writes, no more
        for name, file in zip(_names(files), files, strict=True):
            try:
                opened = open_file(file)
            except FileMissingError:
                missing.append(name)
                continue
            entry = _entry(name, file)
            with opened, archive.open(entry, "w") as target:
                while chunk := opened.read(CHUNK):
                    target.write(chunk)
                    yield passage.take()
        if missing:
            archive.writestr(LEFT_OUT, "".join(f"{name}\n" for name in missing))
    yield passage.take()


def _entry(name: str, file: Attachment) -> ZipInfo:
    entry = ZipInfo(name, date_time=file.created_at.timetuple()[:6])
    entry.compress_type, entry._compresslevel = ZIP_DEFLATED, AS_IT_IS  # type: ignore[attr-defined]  # noqa: SLF001  # public from Python 3.13 on
    entry.file_size = file.size  # it decides on ZIP64
    entry.external_attr = 0o644 << 16
    return entry


def _names(files: Sequence[Attachment]) -> Iterator[str]:
    """Safe ones, each once, also where `A` and `a` are the same."""
    taken = {LEFT_OUT.lower()}
    for file in files:
        name = plain = safe_filename(file.filename)
        stem, dot, suffix = plain.rpartition(".")
        number = 1
        while name.lower() in taken:
            number += 1
            name = f"{stem} ({number}).{suffix}" if dot and stem else f"{plain} ({number})"
        taken.add(name.lower())
        yield name
