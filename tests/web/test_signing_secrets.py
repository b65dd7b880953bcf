"""Signing secrets: shown to who manages, after a password, in one answer; and their rotation."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Role
from delivery.keys import ensure_secret, rotate_secret
from delivery.models import SigningKeyPair, SigningSecret
from inbox.models import Channel
from tests.factories import PASSWORD, make_person
from tests.web.conftest import signed_in
from tests.web.receiver_page import post, shown


def test_password_shows_them_for_one_answer(browser: Client, channel: Channel) -> None:
    secret = ensure_secret(workspace_id=channel.workspace_id, scope=str(channel.pk)).secret
    assert str(secret) not in shown(browser, channel)
    answer = post(browser, channel, "secrets", password=PASSWORD)
    assert answer.status_code == 200
    assert str(secret) in answer.text
    assert "no-store" in answer["Cache-Control"]
    assert str(secret) not in shown(browser, channel)


def test_secret_is_made_when_it_is_first_wanted(browser: Client, channel: Channel) -> None:
    assert "whsec_" in post(browser, channel, "secrets", password=PASSWORD).text


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD + " ", "x" * 2000, "a\0b"])
def test_wrong_password_shows_nothing(browser: Client, channel: Channel, password: str) -> None:
    ensure_secret(workspace_id=channel.workspace_id, scope=str(channel.pk))
    answer = post(browser, channel, "secrets", password=password)
    assert answer.status_code == 422
    assert "secrets-password-error" in answer.text
    assert "whsec_" not in answer.text


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.VIEWER])
def test_other_roles_get_neither_form_nor_secret(channel: Channel, role: Role) -> None:
    member = signed_in(make_person(channel.workspace, role))
    page = shown(member, channel)
    assert "Show secrets" not in page
    assert "Rotate" not in page
    for action, fields in (("secrets", {"password": PASSWORD}), ("rotate", {"overlap": "0"})):
        answer = post(member, channel, action, **fields)
        assert answer.status_code == 403
        assert "whsec_" not in answer.text
    assert not SigningSecret.objects.exists()


def test_admin_may_see_them(channel: Channel) -> None:
    admin = signed_in(make_person(channel.workspace, Role.ADMIN))
    assert "whsec_" in post(admin, channel, "secrets", password=PASSWORD).text


def test_rotation_lets_the_old_one_overlap(browser: Client, channel: Channel) -> None:
    old = ensure_secret(workspace_id=channel.workspace_id, scope=str(channel.pk))
    assert post(browser, channel, "rotate", overlap="24").status_code == 303
    old.refresh_from_db()
    assert old.expires_at is not None
    left = old.expires_at - timezone.now()
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    page = post(browser, channel, "secrets", password=PASSWORD).text
    assert page.count("whsec_") == 2
    assert "Older secret" in page


def test_compromised_secret_ends_at_once(browser: Client, channel: Channel) -> None:
    old = ensure_secret(workspace_id=channel.workspace_id, scope=str(channel.pk))
    post(browser, channel, "rotate", overlap="0")
    page = post(browser, channel, "secrets", password=PASSWORD).text
    assert page.count("whsec_") == 1
    assert str(old.secret) not in page


def test_refused_rotation_says_why(browser: Client, channel: Channel) -> None:
    for _ in range(4):
        rotate_secret(
            workspace_id=channel.workspace_id,
            scope=str(channel.pk),
            overlap=timedelta(days=1),
            now=timezone.now(),
        )
    answer = post(browser, channel, "rotate", overlap="24")
    assert answer.status_code == 409
    assert "Too many older secrets still sign" in answer.text


@pytest.mark.parametrize("overlap", ["", "5", "-1", "x", "1e3"])
def test_other_overlaps_are_refused(browser: Client, channel: Channel, overlap: str) -> None:
    assert post(browser, channel, "rotate", overlap=overlap).status_code == 422
    assert not SigningSecret.objects.exists()


def test_public_key_is_no_secret(viewer: Client, channel: Channel) -> None:
    page = shown(viewer, channel)
    assert SigningKeyPair.objects.get().public_key in page
    assert f"/.well-known/webhook-keys?workspace={channel.workspace_id}" in page
    assert str(SigningKeyPair.objects.get().private_key) not in page
