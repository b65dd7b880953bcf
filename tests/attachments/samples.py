"""Files of many kinds, harmless and hostile, made on the spot."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

import openpyxl
from PIL import Image

MIB = 1024 * 1024
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
ORIENTATION, TURNED_RIGHT, CAMERA = 0x0112, 6, 0x010F
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def picture(form: str = "PNG", size: tuple[int, int] = (640, 400), color: str = "navy") -> bytes:
    return _saved(Image.new("RGB", size, color), form)


def photograph() -> bytes:
    """Lies on its side, and tells about the camera."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[CAMERA] = TURNED_RIGHT, "A secret camera"
    return _saved(Image.new("RGB", (640, 400), "navy"), "JPEG", exif=exif)


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    """A few bytes that say they are a huge picture."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(MIB))
    chunks = [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_with_a_text_bomb() -> bytes:
    bomb = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200 * MIB), 9))
    whole = picture()
    return whole[:33] + bomb + whole[33:]


def pdf(
    box: str = "0 0 300 400", content: bytes = b"0 0 1 rg 20 20 200 200 re f", **over: str
) -> bytes:
    """One page. `trailer` adds entries to the trailer."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Contents 4 0 R>>".encode(),
        b"<</Length %d%s>>stream\n%s\nendstream"
        % (len(content), over.get("filter", "").encode(), content),
    ]
    body, places = b"%PDF-1.4\n", []
    for number, entry in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj%s endobj\n" % (number, entry)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = f"<</Size 5/Root 1 0 R{over.get('trailer', '')}>>".encode()
    start = len(body)
    return body + (
        b"xref\n0 5\n0000000000 65535 f \n%strailer%s\nstartxref\n%d\n%%%%EOF"
        % (table, trailer, start)
    )


def encrypted_pdf() -> bytes:
    secret = "ab" * 32
    locked = f"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<{secret}>/U<{secret}>>>/ID[<ab><ab>]"
    return pdf(trailer=locked)


def pdf_with_a_stream_bomb() -> bytes:
    return pdf(content=zlib.compress(b"0 0 1 rg " * (8 * MIB), 9), filter="/Filter/FlateDecode")


def workbook(rows: int = 3, columns: int = 3) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Budget"
    for row in range(rows):
        sheet.append([f"{row}/{column}" for column in range(columns)])
    book.create_sheet("Second").append([1.0, 2.5, True])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def archive(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return buffer.getvalue()


def changed(whole: bytes, members: Mapping[str, bytes]) -> bytes:
    """An archive with some members replaced, and others added."""
    with zipfile.ZipFile(io.BytesIO(whole)) as opened:
        before = {name: opened.read(name) for name in opened.namelist()}
    return archive(before | dict(members))


def lying_archive(whole: bytes) -> bytes:
    """Says that every member is one byte long."""
    found, spoiled = 0, bytearray(whole)
    while (found := spoiled.find(b"PK\x01\x02", found)) >= 0:
        struct.pack_into("<I", spoiled, found + 24, 1)
        found += 4
    return bytes(spoiled)


def bomb_sheet() -> bytes:
    return changed(workbook(), {"xl/worksheets/sheet1.xml": bytes(300 * MIB)})


def entities(encoding: str = "utf-8") -> bytes:
    """The billion laughs as the strings of a workbook."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10))
    text = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE sst [{laughs}]><sst>&l9;</sst>'
    return text.encode(encoding)


def sheet(dimension: str, cells: str) -> bytes:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rows = f'<dimension ref="{dimension}"/><sheetData>{cells}</sheetData>'
    return f'<worksheet xmlns="{main}">{rows}</worksheet>'.encode()


def document(body: str) -> bytes:
    relation = (
        f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>'
    )
    types = (
        f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.'
        'main+xml"/></Types>'
    )
    text = f'<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>'
    return archive(
        {
            "[Content_Types].xml": types.encode(),
            "_rels/.rels": relation.encode(),
            "word/document.xml": text.encode(),
        }
    )


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def open_sheet(content: str) -> bytes:
    """An OpenDocument table with these rows."""
    office, table, text = (
        f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0" for name in ("office", "table", "text")
    )
    xml = (
        f'<office:document-content xmlns:office="{office}" xmlns:table="{table}" '
        f'xmlns:text="{text}"><office:body><office:spreadsheet><table:table table:name="One">'
        f"{content}</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    manifest = (
        b'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    )
    return archive(
        {
            "mimetype": ODS.encode(),
            "content.xml": xml.encode(),
            "META-INF/manifest.xml": manifest,
        }
    )


def open_cell(text: str, repeated: int = 1) -> str:
    return (
        f'<table:table-row><table:table-cell office:value-type="string" '
        f'table:number-columns-repeated="{repeated}"><text:p>{text}</text:p>'
        "</table:table-cell></table:table-row>"
    )


def encrypted_workbook() -> bytes:
    return bytes.fromhex("d0cf11e0a1b11ae1") + bytes(512) + "EncryptedPackage".encode("utf-16-le")
