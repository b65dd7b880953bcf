"""Files that would act if a browser let them: each calls MARKER with whatever cookies it sees."""

from dataclasses import dataclass

from tests.attachments import samples

MARKER = "/api/marker"
SCRIPT = (
    f"window.ran=1;document.title='ran';fetch('{MARKER}?c='+document.cookie,{{credentials:'include'}});"
    f"new Image().src='{MARKER}';alert('ran')"
)
HTML = (
    f"<!doctype html><meta http-equiv=refresh content='0;url={MARKER}'><script>{SCRIPT}</script>"
    f"<img src=x onerror=\"{SCRIPT}\"><iframe src='{MARKER}'></iframe>"
    f"<form action='{MARKER}' id=f></form><script>f.submit()</script>"
).encode()
SVG = (
    "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' "
    f"onload=\"{SCRIPT}\"><script>{SCRIPT}</script><image xlink:href='{MARKER}'/></svg>"
).encode()
XML = (
    "<?xml version='1.0'?><?xml-stylesheet href='/api/marker' type='text/xsl'?>"
    f"<x xmlns:h='http://www.w3.org/1999/xhtml'><h:script>{SCRIPT}</h:script></x>"
).encode()
XHTML = (
    "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><head><title>x</title>"
    f"<script>{SCRIPT.replace('&', '&amp;')}</script></head><body/></html>"
).encode()
# A picture that is a program, too: the signature is a variable of that name.
GIF_AND_JS = b"GIF89a/*\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00*/=1;" + SCRIPT.encode()


def pdf_with_script() -> bytes:
    code = f"app.alert('ran');app.launchURL('{MARKER}',true)"
    action = f"/OpenAction<</S/JavaScript/JS({code.replace('(', '[').replace(')', ']')})>>"
    return samples.pdf().replace(b"<</Type/Catalog", b"<</Type/Catalog" + action.encode(), 1)


@dataclass(frozen=True)
class Hostile:
    filename: str
    kind: str
    content: bytes


FILES = {
    "html": Hostile("page.html", "text/html", HTML),
    "html that claims to be text": Hostile("page.html", "text/plain", HTML),
    "html of no known type": Hostile("page.html", "application/octet-stream", HTML),
    "html that claims to be a picture": Hostile("page.png", "image/png", HTML),
    "html of many words": Hostile("page.htm", "TEXT/HTML; charset=utf-7", HTML),
    "xhtml": Hostile("page.xhtml", "application/xhtml+xml", XHTML),
    "svg with script": Hostile("picture.svg", "image/svg+xml", SVG),
    "svg that claims to be a png": Hostile("picture.png", "image/png", SVG),
    "xml": Hostile("data.xml", "application/xml", XML),
    "xml as text": Hostile("data.xml", "text/xml", XML),
    "script": Hostile("program.js", "text/javascript", SCRIPT.encode()),
    "style": Hostile("style.css", "text/css", f"@import '{MARKER}';".encode()),
    "pdf with script": Hostile("paper.pdf", "application/pdf", pdf_with_script()),
    "gif and script": Hostile("both.gif", "image/gif", GIF_AND_JS),
    "png and html": Hostile("both.png", "image/png", samples.picture() + HTML),
    "png and html by name": Hostile("both.html", "image/png", samples.picture() + HTML),
    "pdf and html": Hostile("both.pdf", "application/pdf", HTML + samples.pdf()),
}
