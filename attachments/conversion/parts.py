"""What the parts of each preview are called."""

THUMBNAIL_SIZES = (96, 320, 1280)
DOCUMENT = "document.html"
TABLE = "table.json"
CODE = "code.json"
EDIT = "edit.png"
LONGEST_SIDE = 4096  # of an edit, in pixels; who only says so needs nothing that draws
AVATAR = "avatar.webp"


def thumbnail(size: int) -> str:
    return f"{size}.webp"


_THUMBNAILS = tuple(thumbnail(size) for size in THUMBNAIL_SIZES)
OF_KIND = {
    "picture": _THUMBNAILS,
    "page": _THUMBNAILS,
    "document": (DOCUMENT,),
    "table": (TABLE,),
    "code": (CODE,),
}
