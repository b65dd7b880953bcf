"""A picture of an agent: one still square in WebP, of pixels and nothing else."""

import warnings
from pathlib import Path

from PIL import Image, ImageOps

from attachments.conversion.parts import AVATAR
from attachments.conversion.pictures import FORMATS, MOST_PIXELS, QUALITY, plain
from attachments.conversion.refusals import Reason, RefusedError

SIDE = 256


def convert(source: Path, folder: Path, filename: str) -> None:
    """What is not square is cut around its middle. Of what moves, the first frame stays.

    Raises: RefusedError; whatever Pillow raises for a broken file.
    """
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(source, formats=FORMATS) as opened:
            opened.draft("RGB", (SIDE, SIDE))
            upright = ImageOps.exif_transpose(opened)
            square = ImageOps.fit(plain(upright), (SIDE, SIDE), Image.Resampling.LANCZOS)
            square.save(folder / AVATAR, "WEBP", quality=QUALITY, method=4)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise RefusedError(Reason.TOO_LARGE) from None
