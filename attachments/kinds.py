"""What a file is, as far as its type and name tell. It routes display and makes nothing safe."""

from enum import StrEnum

from django.db.models import Q


class Kind(StrEnum):
    IMAGE = "image"
    SVG = "svg"
    AUDIO = "audio"
    VIDEO = "video"
    PDF = "pdf"
    TABLE = "table"
    DOCUMENT = "document"
    HTML = "html"
    MARKDOWN = "markdown"
    TEXT = "text"
    OTHER = "other"


IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})
AUDIO = frozenset(
    {"audio/mpeg", "audio/mp4", "audio/aac", "audio/ogg", "audio/wav", "audio/webm", "audio/flac"}
)
VIDEO = frozenset({"video/mp4", "video/webm", "video/ogg"})
SVG = "image/svg+xml"
PDF = "application/pdf"
ALIASES = {
    "image/jpg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/x-m4a": "audio/mp4",
    "audio/x-flac": "audio/flac",
    "application/x-pdf": PDF,
}
# The sender did not know better; then the name decides.
UNKNOWN = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/binary"})
TYPE_OF_SUFFIX = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "svg": SVG,
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "webm": "video/webm",
    "ogv": "video/ogg",
    "pdf": PDF,
}
DELIMITED = frozenset({"csv", "tsv"})
SHEETS = frozenset({"xlsx", "xlsm", "xls", "ods"})
SUFFIX_OF_TABLE = {
    "text/csv": "csv",
    "application/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-excel.sheet.macroenabled.12": "xlsm",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
}
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
DOCX_MACROS = "application/vnd.ms-word.document.macroenabled.12"
HTML = frozenset({"text/html", "application/xhtml+xml"})
# What is text although its type does not begin with `text/`.
TEXTUAL = frozenset(
    {"application/json", "application/xml", "application/yaml", "application/x-yaml"}
    | {"application/toml", "application/sql", "application/javascript", "application/x-sh"}
    | {"application/x-python", "application/x-ndjson", "application/graphql"}
)
# Worth colouring; all of these are text too.
CODE = frozenset(
    {"bash", "c", "cc", "cfg", "conf", "cpp", "cs", "css", "dart", "diff", "ex", "go", "graphql"}
    | {"h", "hcl", "hpp", "htm", "html", "ini", "java", "js", "json", "json5", "jsonl", "jsx", "kt"}
    | {"less", "lua", "md", "mjs", "patch", "php", "pl", "proto", "ps1", "py", "r", "rb", "rs"}
    | {"sass", "scala", "scss", "sh", "sql", "svelte", "swift", "tf", "toml", "ts", "tsx", "vue"}
    | {"xml", "yaml", "yml", "zig", "zsh"}
)
PLAIN = frozenset({"txt", "log", "md", "markdown", "rst", "env", "csv", "tsv", "srt", "vtt"})


PREVIEWS = {
    Kind.IMAGE: "picture",
    Kind.PDF: "page",
    Kind.DOCUMENT: "document",
    Kind.TABLE: "table",
    Kind.HTML: "code",
    Kind.MARKDOWN: "code",
}


def suffix_of(filename: str) -> str:
    return filename.rpartition(".")[2].lower() if "." in filename else ""


def media_type_of(filename: str, claimed: str) -> str:
    """The claimed type; the one that the name suggests where the sender claimed none."""
    plain = claimed.partition(";")[0].strip().lower()
    plain = ALIASES.get(plain, plain)
    return TYPE_OF_SUFFIX.get(suffix_of(filename), plain) if plain in UNKNOWN else plain


def kind_of(filename: str, claimed: str) -> Kind:
    media_type, suffix = media_type_of(filename, claimed), suffix_of(filename)
    if found := _media_kind(media_type):
        return found
    if table_suffix(filename, claimed):
        return Kind.TABLE
    if media_type in {DOCX, DOCX_MACROS} or (media_type in UNKNOWN and suffix in {"docx", "docm"}):
        return Kind.DOCUMENT
    return _text_kind(media_type, suffix) if _is_text(media_type, suffix) else Kind.OTHER


def _text_kind(media_type: str, suffix: str) -> Kind:
    if media_type in HTML or suffix in {"html", "htm", "xhtml"}:
        return Kind.HTML
    if media_type == "text/markdown" or suffix in {"md", "markdown"}:
        return Kind.MARKDOWN
    return Kind.TEXT


def preview_of(filename: str, claimed: str) -> str:
    """Which preview a worker makes of a file; empty for none. Plain text needs no colours."""
    kind = kind_of(filename, claimed)
    if kind == Kind.TEXT and suffix_of(filename) in CODE:
        return "code"
    return PREVIEWS.get(kind, "")


def _media_kind(media_type: str) -> Kind | None:
    return next(
        (
            kind
            for kind, types in (
                (Kind.IMAGE, IMAGES),
                (Kind.SVG, {SVG}),
                (Kind.AUDIO, AUDIO),
                (Kind.VIDEO, VIDEO),
                (Kind.PDF, {PDF}),
            )
            if media_type in types
        ),
        None,
    )


def table_suffix(filename: str, claimed: str) -> str:
    """How to read a file as a table: `csv`, `xlsx`, …; empty if it is none.

    The name goes first: browsers on Windows call every CSV file a workbook of Excel.
    """
    suffix, media_type = suffix_of(filename), media_type_of(filename, claimed)
    spreadsheet = SUFFIX_OF_TABLE.get(media_type, "")
    fits = spreadsheet or media_type in UNKNOWN or media_type.startswith("text/")
    if suffix in DELIMITED | SHEETS and fits:
        return suffix
    return spreadsheet


def _is_text(media_type: str, suffix: str) -> bool:
    return (
        media_type.startswith("text/")
        or media_type in TEXTUAL | HTML
        or media_type.endswith(("+json", "+xml"))
        or (media_type in UNKNOWN and suffix in CODE | PLAIN)
    )


def _type_in(*groups: frozenset[str]) -> Q:
    types = frozenset[str]().union(*groups)
    aliases = {name for name, meant in ALIASES.items() if meant in types}
    suffixes = [name for name, meant in TYPE_OF_SUFFIX.items() if meant in types]
    return Q(mime_type__in=types | aliases) | (Q(mime_type__in=UNKNOWN) & _named(suffixes))


def _named(suffixes: "list[str] | frozenset[str]") -> Q:
    found = Q()
    for suffix in sorted(suffixes):
        found |= Q(filename__iendswith=f".{suffix}")
    return found


_DOCUMENTS = _type_in(frozenset({PDF})) | Q(mime_type__in={DOCX, DOCX_MACROS})
_TABLES = Q(mime_type__in=SUFFIX_OF_TABLE) | _named(DELIMITED | SHEETS)
# What the list of files can be narrowed to.
GROUPS: dict[str, Q] = {
    "images": _type_in(IMAGES, frozenset({SVG})),
    "media": _type_in(AUDIO, VIDEO),
    "documents": _DOCUMENTS | _named(["docx", "docm"]),
    "tables": _TABLES,
    "text": (Q(mime_type__startswith="text/") | Q(mime_type__in=TEXTUAL)) & ~_TABLES,
}
