"""Reads a card's form from a page and posts it, as a browser without JavaScript does."""

from html.parser import HTMLParser
from typing import Any

from django.test import Client
from django.urls import reverse

from reviews.models import ReviewRequest


class _HiddenFields(HTMLParser):
    """The hidden fields inside of `<form id="card">`."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = False
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = given.get("id") == "card"
        if tag == "input" and self.inside and given.get("type") == "hidden":
            self.fields[given["name"]] = given.get("value", "")


def hidden_fields(page: Any) -> dict[str, str]:
    parser = _HiddenFields()
    parser.feed(page.content.decode())
    return parser.fields


def open_form(browser: Client, review: ReviewRequest) -> dict[str, str]:
    page = browser.get(reverse("web:review", args=[review.pk]))
    assert page.status_code == 200
    return hidden_fields(page)


def post(browser: Client, review: ReviewRequest, fields: dict[str, Any]) -> Any:
    return browser.post(reverse("web:respond", args=[review.pk]), fields)


def answer(browser: Client, review: ReviewRequest, **fields: Any) -> Any:
    """Open the page, fill in and send. Names get their `f.` unless the form owns them."""
    own = {"option", "feedback", "dismiss", "confirmed", "back"}
    filled = {name if name in own else f"f.{name}": value for name, value in fields.items()}
    return post(browser, review, open_form(browser, review) | filled)
