"""Thumbnails: WebP in three sizes, upright, without metadata."""

import warnings
from pathlib import Path

from PIL import Image, ImageOps

from attachments.conversion.parts import THUMBNAIL_SIZES, thumbnail
from attachments.conversion.refusals import Reason, RefusedError

MOST_PIXELS = 40_000_000
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "AVIF")
QUALITY = 80
LARGEST = THUMBNAIL_SIZES[-1]


def convert(source: Path, folder: Path, filename: str) -> None:
    """Only the first frame is read, and JPEG is decoded at the size that is needed.

    Raises: RefusedError; whatever Pillow raises for a broken file.
    """
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(source, formats=FORMATS) as opened:
            opened.draft("RGB", (LARGEST, LARGEST))
            write_thumbnails(ImageOps.exif_transpose(opened), folder)
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
