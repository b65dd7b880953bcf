"""Each kind of card: what it shows, what it sends, and what it refuses."""

from typing import Any

import pytest
from django.test import Client

from inbox.models import Channel
from reviews.models import ReviewRequest, Status
from tests.factories import make_review
from tests.web.card import answer, hidden_fields, open_form, post

FIELDS = [
    {"name": "who", "type": "text", "label": "Name", "required": True, "placeholder": "Ada"},
    {"name": "sum", "type": "number", "min": 1, "max": 10, "step": 0.5, "unit": "EUR"},
    {"name": "rate", "type": "range", "min": 0, "max": 5, "defaultValue": 2},
    {"name": "mail", "type": "email"},
    {"name": "site", "type": "url"},
    {"name": "note", "type": "textarea", "description": "A short one"},
    {"name": "terms", "type": "select", "options": ["net30", {"id": "net45", "label": "45"}]},
    {"name": "sure", "type": "checkbox", "defaultValue": True},
    {"name": "day", "type": "date"},
    {"name": "at", "type": "time"},
    {"name": "when", "type": "datetime", "defaultValue": "2026-11-20T09:42:00Z"},
    {"name": "pin", "type": "password"},
]


def sent(review: ReviewRequest) -> Any:
    return ReviewRequest.objects.get(pk=review.pk).response


def still_open(review: ReviewRequest) -> bool:
    return ReviewRequest.objects.get(pk=review.pk).status == Status.PENDING


def html(browser: Client, review: ReviewRequest) -> str:
    return browser.get(f"/inbox/{review.pk}/").content.decode()


class TestApproval:
    def test_each_option_is_a_button(self, browser: Client, channel: Channel) -> None:
        page = html(browser, make_review(channel=channel))
        assert '<button class="btn ok" name="option" value="approve" data-key="answer">' in page
        assert '<button class="btn bad" name="option" value="reject" data-key="answer">' in page

    def test_answer_with_comment(self, browser: Client, channel: Channel) -> None:
        review = make_review("approval", {"allowComment": True}, channel=channel)
        done = answer(browser, review, option="approve", comment="Go,\r\nbut late ")
        assert done.status_code == 303
        assert sent(review) == {"selectedOption": "approve", "comment": "Go,\nbut late"}

    def test_unknown_option_is_refused(self, browser: Client, channel: Channel) -> None:
        review = make_review(channel=channel)
        page = answer(browser, review, option="maybe")
        assert page.status_code == 422
        assert b"Choose one of the options." in page.content
        assert still_open(review)

    def test_request_for_changes_needs_feedback(self, browser: Client, channel: Channel) -> None:
        review = make_review("approval", {"options": ["approve", "revise"]}, channel=channel)
        page = answer(browser, review, option="revise")
        assert page.status_code == 422
        assert b'aria-describedby="answer-feedback-error"' in page.content
        assert answer(browser, review, option="revise", feedback="Shorter").status_code == 303
        assert ReviewRequest.objects.get(pk=review.pk).feedback == "Shorter"

    def test_feedback_with_nul_is_refused(self, browser: Client, channel: Channel) -> None:
        review = make_review(channel=channel)
        assert answer(browser, review, option="approve", feedback="a\0b").status_code == 422


class TestSelection:
    def test_one_of_several(self, browser: Client, channel: Channel) -> None:
        review = make_review("selection", {"items": ["a", "b"]}, channel=channel)
        assert 'type="radio"' in html(browser, review)
        assert answer(browser, review, selectedIds=["b"]).status_code == 303
        assert sent(review) == {"selectedIds": ["b"]}

    def test_several(self, browser: Client, channel: Channel) -> None:
        review = make_review("selection", {"items": ["a", "b"], "mode": "multi"}, channel=channel)
        assert 'type="checkbox"' in html(browser, review)
        assert answer(browser, review, selectedIds=["a", "b"]).status_code == 303
        assert sent(review) == {"selectedIds": ["a", "b"]}

    def test_nothing_chosen_is_refused(self, browser: Client, channel: Channel) -> None:
        review = make_review("selection", {"items": ["a", "b"]}, channel=channel)
        page = answer(browser, review)
        assert page.status_code == 422
        assert b'id="answer-options-error"' in page.content

    def test_dismissal(self, browser: Client, channel: Channel) -> None:
        payload = {"items": ["a"], "dismissLabel": "None of these"}
        review = make_review("selection", payload, channel=channel)
        assert "None of these" in html(browser, review)
        assert answer(browser, review, dismiss="yes").status_code == 303
        assert sent(review) == {"_dismissed": True}

    def test_dismissal_that_was_not_offered_is_refused(
        self, browser: Client, channel: Channel
    ) -> None:
        review = make_review("selection", {"items": ["a"]}, channel=channel)
        assert answer(browser, review, dismiss="yes").status_code == 422


class TestForm:
    def test_every_field_type_has_its_control(self, browser: Client, channel: Channel) -> None:
        page = html(browser, make_review("form", {"fields": FIELDS}, channel=channel))
        for kind in ("text", "number", "email", "url", "date", "time", "password", "checkbox"):
            assert f'type="{kind}"' in page
        assert 'type="datetime-local"' in page
        assert 'value="2026-11-20T09:42"' in page
        assert 'min="1" max="10" step="0.5"' in page
        assert 'placeholder="Ada"' in page
        assert "A short one" in page
        assert "0 to 5" in page
        assert page.count("<textarea") == 2
        assert "<select" in page

    def test_values_get_their_json_types(self, browser: Client, channel: Channel) -> None:
        review = make_review("form", {"fields": FIELDS}, channel=channel)
        done = answer(
            browser, review, who="Ada", sum="2.50", rate="3.0", sure="on", pin="s3cret", mail=""
        )
        assert done.status_code == 303
        assert sent(review) == {"who": "Ada", "sum": 2.5, "rate": 3, "sure": True, "pin": "s3cret"}
        assert isinstance(sent(review)["rate"], int)

    @pytest.mark.parametrize("typed", ["ten", "1_0", "nan", "inf", "1e999", "٣", "1,5"])
    def test_what_is_no_number_is_refused_at_its_field(
        self, browser: Client, channel: Channel, typed: str
    ) -> None:
        review = make_review("form", {"fields": FIELDS}, channel=channel)
        page = answer(browser, review, who="", sum=typed)
        assert page.status_code == 422
        assert set(page.context["card"].errors) == {"who", "sum"}
        assert still_open(review)

    def test_refused_form_keeps_what_was_typed_but_no_password(
        self, browser: Client, channel: Channel
    ) -> None:
        review = make_review("form", {"fields": FIELDS}, channel=channel)
        page = answer(browser, review, who="", note="kept note", pin="s3cret", feedback="kept too")
        text = page.content.decode()
        assert page.status_code == 422
        assert "kept note" in text
        assert "kept too" in text
        assert "s3cret" not in text
        assert 'aria-invalid="true" aria-describedby="field-0-error"' in text
        assert '<a href="#field-0">' in text

    def test_done_card_shows_dots_for_a_password(self, browser: Client, channel: Channel) -> None:
        review = make_review("form", {"fields": FIELDS}, channel=channel)
        answer(browser, review, who="Ada", pin="s3cret")
        page = html(browser, review)
        assert "••••" in page
        assert "s3cret" not in page

    def test_agent_names_cannot_leave_their_attribute(
        self, browser: Client, channel: Channel
    ) -> None:
        fields = [{"name": '"><script>', "label": "<b>x</b>", "type": "text"}]
        page = html(browser, make_review("form", {"fields": fields}, channel=channel))
        assert "<script>" not in page
        assert "<b>x</b>" not in page


class TestTextInput:
    def test_prefill_is_sent_stripped(self, browser: Client, channel: Channel) -> None:
        review = make_review("text-input", {"prefill": "Hi Noor"}, channel=channel)
        assert "Hi Noor</textarea>" in html(browser, review)
        assert answer(browser, review, text="  Hi!\r\nBye ").status_code == 303
        assert sent(review) == {"text": "Hi!\nBye"}

    def test_too_short_is_refused(self, browser: Client, channel: Channel) -> None:
        review = make_review("text-input", {"minLength": 5}, channel=channel)
        page = answer(browser, review, text="Hi")
        assert page.status_code == 422
        assert b"Write at least 5 characters" in page.content


class TestFreeform:
    def test_object_is_sent(self, browser: Client, channel: Channel) -> None:
        review = make_review("freeform", {}, channel=channel)
        assert answer(browser, review, json='{"a": [1, 2.5]}').status_code == 303
        assert sent(review) == {"a": [1, 2.5]}

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ('{"a": }', "Line 1, column 7"),
            ("[1]", "must be an object"),
            ('{"a": NaN}', "cannot be sent"),
            ('{"a": 1e999}', "cannot be sent"),
            ('{"a": "\\ud800"}', "cannot be sent"),
            ("[" * 100_000, "cannot be sent"),
            ("", "Line 1, column 1"),
        ],
    )
    def test_what_is_no_object_is_refused(
        self, browser: Client, channel: Channel, typed: str, said: str
    ) -> None:
        review = make_review("freeform", {}, channel=channel)
        page = answer(browser, review, json=typed)
        assert page.status_code == 422
        assert said in page.content.decode()

    def test_unknown_kind_is_asked_as_freeform(self, browser: Client, channel: Channel) -> None:
        review = make_review("hologram", {"x": 1}, channel=channel)
        page = html(browser, review)
        assert "not known here" in page
        assert answer(browser, review, json='{"ok": true}').status_code == 303


class TestSecondStep:
    OPTIONS = {"options": [{"id": "keep"}, {"id": "drop", "style": "danger", "confirm": True}]}

    def test_option_to_confirm_asks_once_more(self, browser: Client, channel: Channel) -> None:
        review = make_review("approval", self.OPTIONS, channel=channel)
        page = answer(browser, review, option="drop", feedback="Do it")
        assert page.status_code == 200
        assert "Really “drop”?" in page.content.decode()
        assert still_open(review)
        done = post(browser, review, hidden_fields(page) | {"confirmed": "yes"})
        assert done.status_code == 303
        assert sent(review) == {"selectedOption": "drop"}
        assert ReviewRequest.objects.get(pk=review.pk).feedback == "Do it"

    def test_other_options_do_not_ask(self, browser: Client, channel: Channel) -> None:
        review = make_review("approval", self.OPTIONS, channel=channel)
        assert answer(browser, review, option="keep").status_code == 303

    def test_back_keeps_what_was_typed(self, browser: Client, channel: Channel) -> None:
        review = make_review("approval", self.OPTIONS | {"allowComment": True}, channel=channel)
        page = answer(browser, review, option="drop", comment="Wait")
        back = post(browser, review, hidden_fields(page) | {"back": "yes"})
        assert b"Wait</textarea>" in back.content
        assert still_open(review)

    def test_channel_that_confirms_everything_keeps_passwords_sealed(
        self, browser: Client, channel: Channel
    ) -> None:
        channel.confirm_answers = True
        channel.save()
        review = make_review("form", {"fields": FIELDS}, channel=channel)
        page = answer(browser, review, who="Ada", pin="s3cret")
        assert page.status_code == 200
        assert b"s3cret" not in page.content
        assert still_open(review)
        post(browser, review, hidden_fields(page) | {"confirmed": "yes"})
        assert sent(review) == {"who": "Ada", "sure": False, "pin": "s3cret"}

    def test_touched_seal_opens_nothing(self, browser: Client, channel: Channel) -> None:
        fields = [{"name": "pin", "type": "password", "required": True}]
        review = make_review("form", {"fields": fields}, channel=channel)
        form = open_form(browser, review) | {"confirmed": "yes", "sealed": "AAAA"}
        assert post(browser, review, form).status_code == 422

    def test_wrong_answer_is_refused_before_it_is_confirmed(
        self, browser: Client, channel: Channel
    ) -> None:
        channel.confirm_answers = True
        channel.save()
        review = make_review("text-input", {}, channel=channel)
        assert answer(browser, review, text=" ").status_code == 422
