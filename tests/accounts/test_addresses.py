"""Which address a call is counted under, and who may say so."""

from ipaddress import ip_network

import pytest
from pytest_django.fixtures import Settings

from accounts.addresses import address_of_request, address_of_scope, client_address


@pytest.fixture
def _one_proxy(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.mark.usefixtures("_one_proxy")
@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        ("198.51.100.7", "", "198.51.100.7"),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),  # nobody's proxy
        ("10.0.0.2", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.2", "1.1.1.1, 203.0.113.9", "203.0.113.9"),  # what the caller added is ignored
        ("10.0.0.2", "203.0.113.9, 10.0.0.3", "203.0.113.9"),  # two proxies in a row
        ("10.0.0.2", "", "10.0.0.2"),
        ("10.0.0.2", "nonsense", "10.0.0.2"),
        ("10.0.0.2", "203.0.113.9, nonsense", "10.0.0.2"),
        ("::ffff:198.51.100.7", "", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::"),
        ("fd00::1", "2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("", "", "unknown"),
        ("unix:", "203.0.113.9", "unknown"),
    ],
)
def test_address_is_the_last_that_can_be_trusted(peer: str, forwarded: str, counted: str) -> None:
    assert client_address(peer, forwarded) == counted


def test_nobody_is_trusted_unless_the_operator_says_so() -> None:
    meta = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}
    assert address_of_request(meta) == "127.0.0.1"


@pytest.mark.usefixtures("_one_proxy")
def test_both_kinds_of_server_tell_the_same() -> None:
    headers = [(b"x-forwarded-for", b"1.1.1.1"), (b"x-forwarded-for", b"203.0.113.9")]
    scope = {"client": ("10.0.0.2", 4711), "headers": headers}
    assert address_of_scope(scope) == "203.0.113.9"
    assert address_of_scope({"client": None, "headers": []}) == "unknown"
