"""The door: signing in and out."""

from django.test import Client
from django.urls import reverse

from accounts.models import Membership, User
from tests.factories import PASSWORD
from tests.web.conftest import signed_in

SIGN_IN = "/sign-in/"


def test_person_signs_in_and_lands_in_the_inbox(client: Client, person: User) -> None:
    answer = client.post(SIGN_IN, {"username": person.email.upper(), "password": PASSWORD})
    assert answer.status_code == 302
    assert answer["Location"] == "/inbox/"
    assert client.get("/inbox/").status_code == 200


def test_unknown_address_and_wrong_password_look_the_same(client: Client, person: User) -> None:
    wrong = client.post(SIGN_IN, {"username": person.email, "password": "wrong"})
    unknown = client.post(SIGN_IN, {"username": "nobody@example.org", "password": "wrong"})
    assert wrong.status_code == unknown.status_code == 422
    assert _error(wrong.content) == _error(unknown.content) != b""


def _error(page: bytes) -> bytes:
    return page.partition(b'id="sign-in-error"')[2].partition(b"</p>")[0]


def test_signing_in_returns_to_the_page_that_was_asked_for(client: Client, person: User) -> None:
    asked = client.get("/channels/")
    assert asked["Location"] == "/sign-in/?next=/channels/"
    fields = {"username": person.email, "password": PASSWORD, "next": "/channels/"}
    assert client.post(SIGN_IN, fields)["Location"] == "/channels/"


def test_signing_in_never_leads_to_another_site(client: Client, person: User) -> None:
    fields = {"username": person.email, "password": PASSWORD, "next": "https://evil.example/"}
    assert client.post(SIGN_IN, fields)["Location"] == "/inbox/"


def test_signing_out_takes_a_post(browser: Client) -> None:
    assert browser.get("/sign-out/").status_code == 405
    assert browser.post("/sign-out/")["Location"] == SIGN_IN
    assert browser.get("/inbox/").status_code == 302


def test_root_leads_to_the_inbox(client: Client) -> None:
    assert client.get("/")["Location"] == reverse("web:inbox")


def test_person_without_a_workspace_is_told_so_and_can_sign_out(person: User) -> None:
    Membership.objects.all().delete()
    page = signed_in(person).get("/inbox/")
    assert page.status_code == 403
    assert b"do not belong to a workspace" in page.content
    assert b"/sign-out/" in page.content


def test_page_whose_session_ended_signs_in_in_place(client: Client, person: User) -> None:
    fields, headers = {"username": person.email, "password": PASSWORD}, {"HX-Request": "true"}
    wrong = client.post(SIGN_IN, fields | {"password": "wrong"}, headers=headers)
    assert wrong.status_code == 422
    answer = client.post(SIGN_IN, fields, headers=headers)
    assert answer.json()["user"] == str(person.pk)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    token = {"x-csrftoken": answer.json()["token"]}
    assert strict.post("/sign-out/", headers=token)["Location"] == SIGN_IN
