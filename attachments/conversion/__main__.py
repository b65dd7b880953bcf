"""One conversion: KIND FOLDER FILENAME. The reason of a refusal goes to standard output."""

import importlib
import sys
import warnings
from pathlib import Path

from attachments.conversion.limits import LARGEST_EDIT, LARGEST_OUTPUT, bound_this_process
from attachments.conversion.refusals import Reason, RefusedError

CONVERTERS = {
    "picture": "pictures",
    "page": "pages",
    "document": "documents",
    "table": "tables",
    "code": "code",
    "edit": "edits",
    "avatar": "avatars",
}


def main(kind: str, folder: str, filename: str) -> str:
    """The reason why it failed, or nothing. What a library raises means: the file is broken."""
    try:
        converter = importlib.import_module(f"attachments.conversion.{CONVERTERS[kind]}")
        converter.convert(Path(folder) / "input", Path(folder), filename)
    except RefusedError as refusal:
        return refusal.reason
    except MemoryError:
        return Reason.TOO_LARGE
    except Exception:  # noqa: BLE001  # whatever a library makes of a hostile file
        return Reason.BROKEN
    return ""


if __name__ == "__main__":
    bound_this_process(LARGEST_EDIT if sys.argv[1] == "edit" else LARGEST_OUTPUT)
    warnings.simplefilter("ignore")
    sys.stdout.write(main(*sys.argv[1:]))
