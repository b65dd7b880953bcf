"""Addresses and errors as people may see them."""

import pytest

from delivery.addresses import shown_address, shown_reason


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://agent.example/hook", "https://agent.example/hook"),
        ("https://agent.example:8443/hook?token=s3cret", "https://agent.example:8443/hook?…"),
        ("https://joe:s3cret@agent.example/hook", "https://agent.example/hook"),
        ("https://s3cret@agent.example", "https://agent.example"),
        ("http://[fd12::1]:80/a#s3cret", "http://[fd12::1]:80/a"),
        ("http://agent.example:99999/s3cret", "…"),
        ("http://[s3cret/", "…"),
        ("s3cret", "…"),
        ("", "…"),
    ],
)
def test_address_is_shown_without_login_and_query(url: str, shown: str) -> None:
    assert shown_address(url) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Max retries exceeded with url: /hook?token=s3cret (Caused by NewConnectionError)",
        "Max retries exceeded with url: /hook?token=s3c",
        "'https://joe:s3cret@agent.example/hook' has a login",
        "https://agent.example/?a=s3cret&b=s3cret#s3cret is refused",
    ],
)
def test_error_is_shown_without_them_too(text: str) -> None:
    assert "s3c" not in shown_reason(text)


def test_other_errors_stay_as_they_are() -> None:
    text = "the sender died; whether the receiver got it is not known"
    assert shown_reason(text) == text
    assert shown_reason("is it there? no") == "is it there? no"
