"""Thumbnails: WebP in three sizes, upright, without metadata."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageOps

from attachments.conversion.parts import THUMBNAIL_SIZES, thumbnail
from attachments.conversion.refusals import Reason, RefusedError

MOST_PIXELS = 40_000_000
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "AVIF")
QUALITY = 80
LARGEST = THUMBNAIL_SIZES[-1]


def convert(source: Path, folder: Path, filename: str) -> None:
    """Raises: RefusedError; whatever Pillow raises for a broken file."""
    with upright(source, LARGEST) as picture:
        write_thumbnails(picture, folder)


@contextmanager
def upright(source: Path, side: int) -> Iterator[Image.Image]:
    """The first frame of a picture. JPEG is decoded at the size that is needed, `side` pixels.

    Raises: RefusedError; whatever Pillow raises for a broken file.
    """
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(source, formats=FORMATS) as opened:
            opened.draft("RGB", (side, side))
            yield ImageOps.exif_transpose(opened)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise RefusedError(Reason.TOO_LARGE) from None


def write_thumbnails(picture: Image.Image, folder: Path) -> None:
    """One file a size, each made from the one above it. Small pictures are not enlarged."""
    current = plain(picture)
    for size in sorted(THUMBNAIL_SIZES, reverse=True):
        current.thumbnail((size, size), Image.Resampling.LANCZOS)
        current.save(folder / thumbnail(size), "WEBP", quality=QUALITY, method=4)


def plain(picture: Image.Image) -> Image.Image:
    """The pixels alone, in a mode that WebP knows: no profile, no EXIF, no comments."""
    transparent = picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info
    pixels = picture.convert("RGBA" if transparent else "RGB")
    pixels.info = {}
    return pixels
