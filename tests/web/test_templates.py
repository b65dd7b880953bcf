"""Rules that keep the pages inside of their content policy."""

import re
from pathlib import Path

import pytest
from django.conf import settings

TEMPLATES = sorted(Path(settings.ASSETS, "templates").rglob("*.html"))
FORBIDDEN = re.compile(
    # Inline scripts, styles and handlers; what htmx would have to evaluate.
    r"<script(?! defer src=| type=\"module\" src=)|<style|\sstyle=|\son[a-z]+=|javascript:"
    r"|hx-on|=\"js:|hx-trigger=\"[^\"]*\[",
    re.IGNORECASE,
)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_nothing_inline(template: Path) -> None:
    assert not FORBIDDEN.search(template.read_text())


def test_every_icon_is_in_the_sprite() -> None:
    sprite = Path(settings.ASSETS, "static/vendor/icons.svg").read_text()
    used = set(re.findall(r'{% icon "([\w-]+)"', "".join(path.read_text() for path in TEMPLATES)))
    looks = Path(settings.BASE_DIR, "web/looks.py").read_text()
    used |= set(re.findall(r'(?:Look\(|: \()"(\w+)"', looks))
    assert used
    for name in used:
        assert f'id="i-{name}"' in sprite
