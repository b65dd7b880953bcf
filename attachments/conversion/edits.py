"""A picture that a person edited, drawn anew: one still PNG of its pixels and nothing else."""

import warnings
from pathlib import Path

from PIL import Image, ImageOps

from attachments.conversion.parts import EDIT, LONGEST_SIDE
from attachments.conversion.refusals import Reason, RefusedError

FORMATS = ("PNG", "WEBP", "JPEG")


def convert(source: Path, folder: Path, filename: str) -> None:
    """Size and frames are read from the header, before any pixel is decoded.

    Raises: RefusedError; whatever Pillow raises for a broken file.
    """
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(source, formats=FORMATS) as opened:
            if max(opened.size) > LONGEST_SIDE:
                raise RefusedError(Reason.TOO_LARGE)
            if getattr(opened, "is_animated", False):
                raise RefusedError(Reason.UNSAFE)
            _pixels(ImageOps.exif_transpose(opened)).save(folder / EDIT, "PNG")
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise RefusedError(Reason.TOO_LARGE) from None


def _pixels(picture: Image.Image) -> Image.Image:
    """No profile, no EXIF, no comments, and one of two modes."""
    transparent = picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info
    pixels = picture.convert("RGBA" if transparent else "RGB")
    pixels.info = {}
    return pixels
