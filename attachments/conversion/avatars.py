"""A picture of an agent: one still square in WebP, of pixels and nothing else."""

from pathlib import Path

from PIL import Image, ImageOps

from attachments.conversion.parts import AVATAR
from attachments.conversion.pictures import QUALITY, plain, upright

SIDE = 256


def convert(source: Path, folder: Path, filename: str) -> None:
    """What is not square is cut around its middle. Of what moves, the first frame stays.

    Raises: RefusedError; whatever Pillow raises for a broken file.
    """
    with upright(source, SIDE) as picture:
        square = ImageOps.fit(plain(picture), (SIDE, SIDE), Image.Resampling.LANCZOS)
        square.save(folder / AVATAR, "WEBP", quality=QUALITY, method=4)
