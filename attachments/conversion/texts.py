"""Bytes as text, whatever their encoding."""

BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# In UTF-8 a character has up to four bytes; a cut may leave three of them at the end.
LONGEST_REST = 3


def decode(content: bytes) -> str:
    """By its byte order mark, else as UTF-8, else as the old encoding of the West."""
    for mark, encoding in BOMS.items():
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start >= len(content) - LONGEST_REST:
            return content.decode("utf-8", "ignore")
        return content.decode("cp1252", "replace")
