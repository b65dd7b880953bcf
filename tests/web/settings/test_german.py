"""The pages in German: the catalogue is whole, compiled, and fits its placeholders."""

import ast
import gettext
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from accounts.models import User
from inbox.models import Channel
from tests.factories import make_review
from web.views.settings.page import PARTS

FOLDER = Path(settings.LOCALE_PATHS[0], "de", "LC_MESSAGES")
LINE = re.compile(r'(msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?) (".*")')
PLACEHOLDER = re.compile(r"%\(\w+\)[.\d]*[a-z]|</?\w+>")


def entries() -> list[dict[str, str]]:
    """What stands in the source, one dictionary for each message."""
    found: list[dict[str, str]] = []
    name = ""
    for line in (FOLDER / "django.po").read_text().splitlines():
        begins = LINE.fullmatch(line)
        if begins:
            name = begins[1]
            in_context = name == "msgid" and bool(found) and list(found[-1]) == ["msgctxt"]
            if name in ("msgctxt", "msgid") and not in_context:
                found.append({})
            found[-1][name] = ast.literal_eval(begins[2])
        elif line.startswith('"'):
            found[-1][name] += ast.literal_eval(line)
    return found[1:]  # the first one is the header


def translations(entry: dict[str, str]) -> list[str]:
    return [text for name, text in entry.items() if name.startswith("msgstr")]


def test_everything_is_translated() -> None:
    source = (FOLDER / "django.po").read_text()
    assert "fuzzy" not in source
    assert [entry["msgid"] for entry in entries() if not all(translations(entry))] == []


def test_placeholders_and_tags_are_the_same() -> None:
    for entry in entries():
        originals = [entry["msgid"], entry.get("msgid_plural", entry["msgid"])]
        for original, text in zip(originals, translations(entry), strict=False):
            assert sorted(set(PLACEHOLDER.findall(original))) == sorted(
                set(PLACEHOLDER.findall(text))
            ), text


def test_compiled_catalogue_is_the_source() -> None:
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for entry in entries():
        if "msgctxt" in entry:
            text = compiled.pgettext(entry["msgctxt"], entry["msgid"])
            assert [text] == translations(entry)
        elif "msgid_plural" in entry:
            numbers = [
                compiled.ngettext(entry["msgid"], entry["msgid_plural"], count) for count in (1, 2)
            ]
            assert numbers == translations(entry)
        else:
            assert [compiled.gettext(entry["msgid"])] == translations(entry)


def test_page_is_german_for_who_chose_it(browser: Client, person: User, channel: Channel) -> None:
    review = make_review(channel=channel)
    User.objects.filter(pk=person.pk).update(language="de")
    assert "Zur Anfrage springen" in browser.get("/inbox/").text
    assert "Genehmigen" in browser.get(f"/inbox/{review.pk}/").text
    assert "Kanaleinstellungen" in browser.get(f"/channels/{channel.pk}/settings/").text
    assert translation.get_language() == "en"


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_every_section_opens_in_german(browser: Client, person: User, part: object) -> None:
    User.objects.filter(pk=person.pk).update(language="de")
    page = browser.get(f"/settings/{part.name}/")  # type: ignore[attr-defined]
    assert page.status_code == 200
    assert "Zurück zu den Einstellungen" in page.text
