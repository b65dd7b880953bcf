"""What may leave, and to where."""

import pytest
from pytest_django.fixtures import Settings

from delivery.egress import (
    EgressRefusedError,
    Request,
    check_headers,
    check_method,
    check_url,
    parse_allowed,
    send,
)
from tests.receiver import Received, Receiver

REFUSED = [
    "file:///etc/passwd",
    "gopher://example.org/",
    "javascript:alert(1)",
    "//example.org/",
    "http://",
    "http://user:pass@example.org/",
    "http://example.org\\@127.0.0.1/",
    "http://exa mple.org/",
    "http://example.org/\r\nx",
    "http://" + "a" * 5000,
    "http://127.1/",
    "http://2130706433/",
    "http://0177.0.0.1/",
    "http://0x7f.1/",
    "http://0.0.0.0/",
    "http://10.1.2.3/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://127.0.0.2/",
    "http://169.254.169.254/latest/meta-data",
    "http://168.63.129.16/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[::]/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[::7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fc00::1]/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://metadata.google.internal/",
    "http://example.org:25/",
    "http://example.org:6379/",
    "http://example.org:0/",
    "http://example.org:65536/",
]


@pytest.mark.parametrize("url", REFUSED)
def test_unsafe_address_is_refused(settings: Settings, url: str) -> None:
    settings.EGRESS_ALLOW = ""
    with pytest.raises(EgressRefusedError):
        check_url(url)


@pytest.mark.parametrize(
    "url", ["https://example.org/hook?a=b", "http://8.8.8.8/", "http://example.org:8443/x"]
)
def test_public_address_is_accepted(settings: Settings, url: str) -> None:
    settings.EGRESS_ALLOW = ""
    check_url(url)


@pytest.mark.parametrize(
    ("allow", "url"),
    [
        ("127.0.0.1:5678", "http://127.0.0.1:5678/"),
        ("10.0.0.0/8", "http://10.9.8.7:8080/"),
        ("[fd12::/64]:8080", "http://[fd12::1]:8080/"),
        ("private", "http://192.168.0.7/"),
        ("169.254.169.254", "http://169.254.169.254/"),
        ("example.org:25", "http://example.org:25/"),
    ],
)
def test_operator_can_name_a_receiver(settings: Settings, allow: str, url: str) -> None:
    settings.EGRESS_ALLOW = allow
    check_url(url)


@pytest.mark.parametrize(
    ("allow", "url"),
    [
        ("127.0.0.1:5678", "http://127.0.0.1:5679/"),
        ("10.0.0.0/8", "http://11.0.0.1:25/"),
        ("private", "http://169.254.169.254/"),
        ("169.254.0.0/16", "http://169.254.169.254/"),
        ("127.0.0.1", "http://127.0.0.2/"),
    ],
)
def test_what_the_operator_named_is_not_stretched(settings: Settings, allow: str, url: str) -> None:
    settings.EGRESS_ALLOW = allow
    with pytest.raises(EgressRefusedError):
        check_url(url)


@pytest.mark.parametrize("text", ["not a host!", "127.0.0.1:99999", "*"])
def test_wrong_allow_list_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="EGRESS_ALLOW"):
        parse_allowed(text)


def test_name_that_resolves_to_a_private_address_is_refused_when_sent(
    settings: Settings, receiver: Receiver
) -> None:
    settings.EGRESS_ALLOW = ""
    with pytest.raises(EgressRefusedError):
        send(_request(f"http://localhost:{receiver.port}/"))
    assert receiver.received == []


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "GET", "DELETE", "get /x", ""])
def test_method_that_changes_the_request_is_refused(method: str) -> None:
    with pytest.raises(EgressRefusedError):
        check_method(method)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x", "a\r\nb: c"),
        ("x", "v\r\n folded"),
        ("x", " begins with a space"),
        ("x", "nul\0"),
        ("bad name", "v"),
        ("", "v"),
        ("Host", "evil"),
        ("content-length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("Webhook-Signature", "v1,x"),
        ("X-Forwarded-For", "1.2.3.4"),
        ("Metadata-Flavor", "Google"),
        ("content-type", "text/html"),
        ("x", "y" * 5000),
    ],
)
def test_header_that_changes_the_request_is_refused(name: str, value: str) -> None:
    with pytest.raises(EgressRefusedError):
        check_headers({name: value})


def test_too_many_headers_are_refused() -> None:
    with pytest.raises(EgressRefusedError):
        check_headers({f"x-{number}": "v" for number in range(21)})


def _request(url: str) -> Request:
    return Request(url=url, method="POST", headers={}, body=b"{}")


def test_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answer = lambda _: (302, {"location": f"{receiver.url}/next"}, b"")
    result = send(_request(f"{receiver.url}/first"))
    assert result.status == 302
    assert not result.ok
    assert [request.path for request in receiver.received] == ["/first"]


def test_only_the_first_bytes_of_an_answer_are_kept(receiver: Receiver) -> None:
    def large(_: Received) -> tuple[int, dict[str, str], bytes]:
        return 500, {}, b"x" * 1_000_000

    receiver.answer = large
    assert len(send(_request(receiver.url)).head) == 2048


def test_refused_connection_is_a_result(settings: Settings) -> None:
    with Receiver() as gone:
        address = gone.url
    result = send(_request(address))
    assert result.status is None
    assert result.error
