"""The first page of a PDF as a picture."""

from pathlib import Path

import pypdfium2
from pypdfium2 import raw

from attachments.conversion.pictures import LARGEST, write_thumbnails
from attachments.conversion.refusals import Reason, RefusedError


def convert(source: Path, folder: Path, filename: str) -> None:
    """Drawn at the size of the largest thumbnail, however large the page says it is.

    Raises: RefusedError.
    """
    try:
        document = pypdfium2.PdfDocument(source)
        page = document[0]
        width, height = page.get_size()
        scale = LARGEST / max(width, height, 1)
        write_thumbnails(page.render(scale=scale).to_pil(), folder)
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) in {raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY}
        raise RefusedError(Reason.ENCRYPTED if locked else Reason.BROKEN) from error
