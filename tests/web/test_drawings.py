"""Drawing on the pictures of a review: what is stored, whose it is, and what the agent gets."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from attachments.models import Attachment, State
from attachments.storage import is_stored
from attachments.tasks import tick_discard_edits, tick_previews, tick_remove_objects
from inbox.models import Channel
from reviews.models import ReviewRequest, Status
from tests.attachments import samples
from tests.conftest import Agent
from tests.factories import make_file, make_person, make_review
from tests.web.card import answer, open_form, post
from tests.web.conftest import signed_in


@pytest.fixture
def review(channel: Channel) -> ReviewRequest:
    return make_review(channel=channel)


@pytest.fixture
def original(review: ReviewRequest) -> Attachment:
    return make_file(
        review.channel,
        content=samples.picture(),
        filename="chart.png",
        mime_type="image/png",
        message=review.message,
    )


def send(browser: Client, file: Attachment, content: bytes | None = None, **over: Any) -> Any:
    image = samples.picture(color="red") if content is None else content
    fields = {"review": str(file.message_id), "image": SimpleUploadedFile("x.png", image)}
    headers = over.pop("headers", {})
    return browser.post(f"/files/{file.pk}/annotate/", fields | over, headers=headers)


def drawn(browser: Client, file: Attachment, content: bytes | None = None) -> Attachment:
    assert send(browser, file, content).status_code == 303
    return Attachment.objects.filter(edit_of=file).latest("id")


def test_drawing_is_kept_as_a_draft_named_after_the_original(
    browser: Client, person: User, review: ReviewRequest, original: Attachment
) -> None:
    sent = send(browser, original)
    assert sent["Location"] == f"/inbox/{review.pk}/#answer-drawings"
    edit = Attachment.objects.get(edit_of=original)
    assert (edit.filename, edit.mime_type) == ("chart-annotated.png", "image/png")
    assert (edit.state, edit.uploaded_by_user, edit.message) == (State.DRAFT, person, None)
    assert open_form(browser, review)[f"modified.{original.pk}"] == str(edit.pk)


def test_agent_gets_the_drawing_with_the_answer(
    browser: Client, agent: Agent, review: ReviewRequest, original: Attachment
) -> None:
    edit = drawn(browser, original)
    assert agent.get(f"/api/v1/files/{edit.pk}/download").status_code == 404
    assert answer(browser, review, option="approve").status_code == 303
    got = agent.get(f"/api/v1/reviews/{review.pk}").json()["review"]
    assert got["modifiedFileIds"] == {str(original.pk): str(edit.pk)}
    fetched = agent.get(f"/api/v1/files/{edit.pk}/download")
    assert Image.open(io.BytesIO(fetched.body)).getpixel((5, 5)) == (255, 0, 0)


def test_done_card_shows_what_was_annotated(
    browser: Client, review: ReviewRequest, original: Attachment
) -> None:
    edit = drawn(browser, original)
    tick_previews()
    answer(browser, review, option="approve")
    page = browser.get(f"/inbox/{review.pk}/").content.decode()
    assert f"/files/{edit.pk}/thumb/320/" in page
    assert "Annotated" in page
    assert f'name="modified.{original.pk}"' not in page


def test_drawing_that_is_left_out_is_not_sent(
    browser: Client, review: ReviewRequest, original: Attachment
) -> None:
    edit = drawn(browser, original)
    form = open_form(browser, review) | {"option": "approve", f"without.{original.pk}": edit.pk}
    assert post(browser, review, form).status_code == 303
    review.refresh_from_db()
    edit.refresh_from_db()
    assert (review.modified_file_ids, edit.state) == (None, State.DRAFT)


def test_drawing_survives_the_second_step(
    browser: Client, review: ReviewRequest, original: Attachment
) -> None:
    review.channel.confirm_answers = True
    review.channel.save()
    edit = drawn(browser, original)
    second = answer(browser, review, option="approve")
    assert f'name="modified.{original.pk}" value="{edit.pk}"' in second.content.decode()


def test_drawing_again_replaces_the_earlier_one(
    browser: Client, review: ReviewRequest, original: Attachment
) -> None:
    first = drawn(browser, original)
    stale = open_form(browser, review) | {"option": "approve"}
    second = drawn(browser, original)
    assert list(Attachment.objects.filter(edit_of=original)) == [second]
    tick_remove_objects()
    assert not is_stored(first.storage_key)
    refused = post(browser, review, stale)
    assert refused.status_code == 422
    assert "A drawing was replaced or is gone" in refused.content.decode()
    review.refresh_from_db()
    assert review.status == Status.PENDING


def test_answer_cannot_carry_what_is_not_a_drawing_of_this_person(
    browser: Client,
    workspace: Workspace,
    channel: Channel,
    review: ReviewRequest,
    original: Attachment,
) -> None:
    colleague = signed_in(make_person(workspace))
    theirs = drawn(colleague, original)
    plain = make_file(channel, content=samples.picture(), filename="b.png", mime_type="image/png")
    other = make_review(channel=channel)
    elsewhere = make_file(
        channel,
        content=samples.picture(),
        filename="c.png",
        mime_type="image/png",
        message=other.message,
    )
    foreign = drawn(browser, elsewhere)
    for name, value in [
        (original.pk, theirs.pk),
        (original.pk, plain.pk),
        (original.pk, original.pk),
        (elsewhere.pk, foreign.pk),
        (original.pk, foreign.pk),
        (original.pk, "x\0"),
        ("x", "y"),
    ]:
        form = open_form(browser, review) | {"option": "approve", f"modified.{name}": value}
        assert post(browser, review, form).status_code == 422
    review.refresh_from_db()
    assert review.status == Status.PENDING


def test_drawing_that_is_not_sent_is_seen_by_its_maker_alone(
    browser: Client,
    workspace: Workspace,
    agent: Agent,
    review: ReviewRequest,
    original: Attachment,
) -> None:
    edit = drawn(browser, original)
    tick_previews()
    colleague = signed_in(make_person(workspace))
    for path in ("raw/", "thumb/320/"):
        shown = browser.get(f"/files/{edit.pk}/{path}")
        assert (shown.status_code, b"".join(shown)[:1] != b"") == (200, True)
        assert colleague.get(f"/files/{edit.pk}/{path}").status_code == 404
    assert f"modified.{original.pk}" not in open_form(colleague, review)
    assert str(edit.pk) not in colleague.get("/files/").content.decode()
    assert [file["id"] for file in agent.get("/api/v1/files").json()] == [str(original.pk)]


def test_outsider_cannot_draw(outsider: Client, original: Attachment) -> None:
    assert send(outsider, original).status_code == 404
    assert not Attachment.objects.filter(edit_of=original).exists()


def test_signed_out_person_cannot_draw(client: Client, original: Attachment) -> None:
    assert send(client, original).status_code == 302
    quiet = send(client, original, headers={"HX-Request": "true"})
    assert quiet.status_code == 401
    assert not Attachment.objects.filter(edit_of=original).exists()


def test_viewer_cannot_draw(viewer: Client, original: Attachment) -> None:
    assert send(viewer, original).status_code == 403
    tick_previews()
    assert "annotate" not in viewer.get(f"/files/{original.pk}/").content.decode()


def test_upload_needs_the_token_of_the_page(person: User, original: Attachment) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(person)
    assert send(careful, original).status_code == 403
    assert not Attachment.objects.filter(edit_of=original).exists()


def test_answered_review_refuses_drawings(
    browser: Client, review: ReviewRequest, original: Attachment
) -> None:
    answer(browser, review, option="approve")
    assert send(browser, original).status_code == 409
    assert not Attachment.objects.filter(edit_of=original).exists()


def test_expired_review_refuses_drawings(browser: Client, channel: Channel) -> None:
    late = make_review(channel=channel, expires_in=-timedelta(minutes=1))
    file = make_file(
        channel,
        content=samples.picture(),
        filename="a.png",
        mime_type="image/png",
        message=late.message,
    )
    assert send(browser, file).status_code == 409


def test_picture_of_another_review_is_refused(
    browser: Client, channel: Channel, original: Attachment
) -> None:
    other = make_review(channel=channel)
    assert send(browser, original, review=str(other.pk)).status_code == 404
    lonely = make_file(channel, content=samples.picture(), filename="a.png", mime_type="image/png")
    assert send(browser, lonely).status_code == 404


def animation() -> bytes:
    frames = [Image.new("RGB", (20, 20), color) for color in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<svg onload=alert(1)>", "no picture that can be read"),
        (b"", "no picture that can be read"),
        (samples.picture("GIF"), "no picture that can be read"),
        (samples.png_that_claims(60_000, 60_000), "at most 4096 pixels"),
        (samples.png_that_claims(4097, 10), "at most 4096 pixels"),
        (animation(), "Moving pictures"),
    ],
    ids=["svg", "empty", "gif", "bomb", "wide", "animation"],
)
def test_what_is_no_still_picture_is_refused(
    browser: Client, original: Attachment, content: bytes, words: str
) -> None:
    refused = send(browser, original, content)
    assert refused.status_code == 422
    assert words in refused.content.decode()
    told = send(browser, original, content, headers={"Accept": "application/json"})
    assert words in told.json()["error"]
    assert not Attachment.objects.filter(edit_of=original).exists()


def test_missing_picture_is_asked_for(browser: Client, original: Attachment) -> None:
    refused = browser.post(f"/files/{original.pk}/annotate/", {"review": original.message_id})
    assert refused.status_code == 422
    assert "Choose a picture first." in refused.content.decode()


def test_too_many_bytes_are_refused(
    browser: Client, original: Attachment, settings: Settings
) -> None:
    settings.LARGEST_FILE = 1024 * 1024
    refused = send(browser, original, bytes(1024 * 1024 + 1))
    assert refused.status_code == 413
    assert "at most 4096 pixels on a side and 1 MB" in refused.content.decode()


def test_only_pixels_are_stored(browser: Client, original: Attachment) -> None:
    edit = drawn(browser, original, samples.photograph())
    stored = browser.get(f"/files/{edit.pk}/raw/")
    content = b"".join(stored)
    assert b"secret camera" not in content
    opened = Image.open(io.BytesIO(content))
    assert (opened.format, opened.size, dict(opened.getexif())) == ("PNG", (400, 640), {})


def test_largest_picture_is_taken(browser: Client, original: Attachment) -> None:
    edit = drawn(browser, original, samples.picture("WEBP", size=(4096, 4096)))
    assert edit.mime_type == "image/png"


def test_text_cannot_be_drawn_on(browser: Client, review: ReviewRequest) -> None:
    text = make_file(review.channel, message=review.message)
    assert send(browser, text).status_code == 422


def test_program_gets_the_address_of_the_review(
    browser: Client, review: ReviewRequest, original: Attachment
) -> None:
    told = send(browser, original, headers={"Accept": "application/json"})
    assert told.json() == {"review": f"/inbox/{review.pk}/"}


def test_page_of_a_picture_offers_to_draw_while_the_review_is_open(
    browser: Client, review: ReviewRequest, original: Attachment
) -> None:
    tick_previews()
    page = browser.get(f"/files/{original.pk}/").content.decode()
    assert f'action="/files/{original.pk}/annotate/"' in page
    answer(browser, review, option="approve")
    assert "annotate" not in browser.get(f"/files/{original.pk}/").content.decode()


def test_drafts_that_can_no_longer_be_sent_are_deleted(
    browser: Client, review: ReviewRequest, original: Attachment, settings: Settings
) -> None:
    edit = drawn(browser, original)
    tick_previews()
    tick_discard_edits()
    assert Attachment.objects.filter(pk=edit.pk).exists()
    long_ago = timezone.now() - settings.REVIEW_LONGEST_WAIT - timedelta(minutes=1)
    Attachment.objects.update(created_at=long_ago)
    tick_discard_edits()
    assert list(Attachment.objects.all()) == [original]
    tick_remove_objects()
    assert not is_stored(edit.storage_key)
    assert not is_stored(f"{edit.storage_key}.preview/320.webp")


def test_drawings_that_were_sent_stay(
    browser: Client, review: ReviewRequest, original: Attachment, settings: Settings
) -> None:
    edit = drawn(browser, original)
    answer(browser, review, option="approve")
    Attachment.objects.update(created_at=timezone.now() - settings.REVIEW_LONGEST_WAIT * 2)
    tick_discard_edits()
    assert Attachment.objects.filter(pk=edit.pk, state=State.READY).exists()


def test_deadline_that_strikes_while_drawing_leaves_the_drawing_to_look_at(
    browser: Client, review: ReviewRequest, original: Attachment
) -> None:
    drawn(browser, original)
    form = open_form(browser, review) | {"option": "approve"}
    past = timezone.now() - timedelta(seconds=1)
    ReviewRequest.objects.filter(pk=review.pk).update(expires_at=past)
    late = post(browser, review, form)
    assert late.status_code == 410
    assert f"modified.{original.pk}" not in late.content.decode()
