"""Every text of the pages has its German, without the tools that collect texts."""

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.test import Client
from django.utils.html import strip_tags
from django.utils.translation.template import templatize

from accounts.models import User
from inbox.models import Channel
from tests.cases import each
from tests.factories import make_review

ROOT = Path(settings.LOCALE_PATHS[0]).parents[1]
CATALOGUE = Path(settings.LOCALE_PATHS[0], "de", "LC_MESSAGES", "django.mo")
APPS = ("web", "accounts", "inbox", "reviews", "delivery", "attachments")
ONE = {"_", "gettext", "gettext_lazy", "gettext_noop"}
MANY = {"ngettext", "ngettext_lazy"}
WITH_CONTEXT = {"pgettext", "pgettext_lazy"}
CALL = re.compile(
    r"""(?<![\w.])(_|gettext|ngettext|pgettext)\(\s*u?((?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"))"""
    r"""(?:\s*,\s*u?((?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")))?"""
)
# Attributes that people read or hear. What stands in them must come from a tag.
SAID = re.compile(r"""(aria-label|title|placeholder|alt)=(["'])(?P<text>.*?)\2""", re.DOTALL)
TAGS = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->", re.DOTALL)
BODY = re.compile(r"\{% block body %\}.*?\{% endblock %\}", re.DOTALL)
BLOCKS = re.compile(r"\{% (blocktrans|comment)\b.*?%\}.*?\{% end\1 %\}", re.DOTALL)
WORD = re.compile(r"[A-Za-z]{3,}")
# A name, a command to copy and an event's name are the same in every language.
NAMES = {"Licet", "PNG", "review:expired", "/.well-known/webhook-keys?workspace="}
# A command to copy, and attributes alone.
WITHOUT_WORDS = {"curl.html", "field_state.html"}
ENGLISH = re.compile(
    r"\b(Send|Open|Back|Search|Save|Cancel|Delete|Reply|Close|Skip|Select|Show|Choose|Pending"
    r"|Files|Activity|Settings|Channels|Reviews|Keyboard|Yesterday|Today|Older|Answer)\b"
)


class Text(NamedTuple):
    context: str
    text: str
    place: str


def in_module(path: Path) -> Iterator[Text]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        words = [each.value if isinstance(each, ast.Constant) else None for each in node.args]
        name, place = node.func.id, f"{path.relative_to(ROOT)}:{node.lineno}"
        if name in ONE | MANY and words:
            assert isinstance(words[0], str), f"{place} translates what nobody can collect"
            yield Text("", words[0], place)
        elif name in WITH_CONTEXT:
            yield Text(str(words[0]), str(words[1]), place)


def in_template(path: Path) -> Iterator[Text]:
    place = str(path.relative_to(ROOT))
    for name, first, second in CALL.findall(templatize(path.read_text(), origin=place)):
        words = [ast.literal_eval(each) for each in (first, second) if each]
        # Percent signs are doubled by templatize where a text takes no values, as Django reads it.
        yield Text(words[0], words[1], place) if name == "pgettext" else Text("", words[0], place)


def templates() -> list[Path]:
    return sorted((ROOT / "templates").rglob("*.html"))


def texts() -> Iterator[Text]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield from in_module(path)
    for template in templates():
        yield from in_template(template)


def test_every_text_of_the_pages_has_its_german() -> None:
    with CATALOGUE.open("rb") as file:
        known = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    originals = {key[0] if isinstance(key, tuple) else key for key in known}
    found = list(texts())
    assert len(found) > 900  # else the reading above reads nothing
    missing = [
        each
        for each in found
        if (f"{each.context}\x04{each.text}" if each.context else each.text) not in originals
    ]
    assert missing == [], "run `make messages` and translate what is new"


@each("path", templates())
def test_template_says_nothing_outside_of_gettext(path: Path) -> None:
    source = TAGS.sub("", BLOCKS.sub("", BODY.sub("", path.read_text())))
    said = [match["text"] for match in SAID.finditer(source)]
    if path.name not in WITHOUT_WORDS:
        body = re.sub(r"<[^<>]*>", " ", source)
        said += body.splitlines()
    bare = [text.strip() for text in said if WORD.search(drop_names(text))]
    assert bare == []


def drop_names(text: str) -> str:
    for name in NAMES:
        text = text.replace(name, "")
    return text


PAGES = (
    "/inbox/",
    "/inbox/?status=all",
    "/inbox/?q=elephant",
    "/inbox/?select=1",
    "/inbox/{review}/",
    "/channels/",
    "/channels/new/",
    "/channels/{channel}/",
    "/channels/{channel}/settings/",
    "/channels/{channel}/delivery/",
    "/files/",
    "/activity/",
    "/activity/health/",
    "/search/",
    "/search/?q=elephant",
    "/shortcuts/",
    "/settings/profile/",
    "/settings/people/",
    "/settings/keys/",
    "/settings/notifications/",
    "/settings/shortcuts/",
)


@each("path", PAGES)
def test_german_page_has_no_english_left(
    browser: Client, person: User, channel: Channel, path: str
) -> None:
    review = make_review(channel=channel)
    User.objects.filter(pk=person.pk).update(language="de")
    page: Any = browser.get(path.format(review=review.pk, channel=channel.pk))
    assert page.status_code == 200, path
    assert '<html lang="de"' in page.text
    heard = " ".join(match["text"] for match in SAID.finditer(page.text))
    assert ENGLISH.findall(strip_tags(page.text) + heard) == []
