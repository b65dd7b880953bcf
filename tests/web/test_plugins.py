"""Frames of plugins, where they stand in the pages, and the answers that they propose."""

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from limits import RateLimitItemPerMinute
from pytest_django.fixtures import Settings

from accounts.models import Workspace
from inbox.models import Channel
from reviews.models import PluginConfig, ReviewRequest, Status
from tests.factories import make_file, make_message, make_review
from tests.plugins import write_plugin
from tests.receiver import Receiver
from tests.web.card import hidden_fields, open_form, post
from web.views import plugins

BADGE = {"plugin": "status-badge", "label": "Ready", "variant": "success"}
GIVEN = re.compile(r'id="placet-given">(.*?)</script>', re.DOTALL)
NASTY = "</script><script>alert(1)</script><!-- \u2028 & \ud800"


def given_in(answer: Any) -> Any:
    found = GIVEN.search(answer.content.decode())
    assert found
    return json.loads(found[1])


def frame_of(message: Any, name: str = "status-badge") -> str:
    return f"/plugins/{name}/frame/?message={message.pk}"


class TestFrame:
    def test_holds_the_page_and_what_it_is_given(self, browser: Client, channel: Channel) -> None:
        review = make_review("status-badge", BADGE, channel=channel)
        file = make_file(channel, message=review.message)
        answer = browser.get(frame_of(review))
        assert answer.status_code == 200
        given = given_in(answer)
        assert given["data"] == BADGE
        assert given["attachments"] == [
            {"id": str(file.pk), "filename": "a.txt", "mimeType": "text/plain", "size": 5}
        ]
        assert given["message"]["id"] == str(review.pk)
        assert given["message"]["channelId"] == str(channel.pk)
        assert given["message"]["createdAt"].endswith("Z")
        assert given["review"] == {"type": "status-badge", "status": "pending", "payload": BADGE}
        assert (given["env"], given["isPreview"]) == ({}, False)
        assert "window.Placet" in answer.content.decode()

    def test_is_closed_on_all_sides(self, browser: Client, channel: Channel) -> None:
        answer = browser.get(frame_of(make_message(channel, metadata=BADGE)))
        policy = dict(part.split(" ", 1) for part in answer["Content-Security-Policy"].split("; "))
        assert policy.pop("sandbox") == "allow-scripts"
        assert policy.pop("frame-ancestors") == "'self'"
        inline = {policy.pop("script-src"), policy.pop("style-src")}
        assert inline == {"'unsafe-inline'"}
        assert {policy.pop(kind) for kind in ("img-src", "media-src")} == {"data: blob:"}
        assert policy.pop("font-src") == "data:"
        assert set(policy) >= {"default-src", "connect-src", "form-action", "base-uri"}
        assert set(policy.values()) == {"'none'"}
        assert answer["Connection-Allowlist"] == "()"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer["Cache-Control"] == "no-store"
        assert not answer.cookies

    def test_agent_s_words_stay_data(self, browser: Client, channel: Channel) -> None:
        review = make_review("status-badge", {"label": NASTY}, channel=channel)
        answer = browser.get(frame_of(review))
        assert answer.content.count(b"</script>") == 3  # what is given, the bridge, the plugin
        assert given_in(answer)["data"]["label"] == NASTY.replace("\ud800", "?")

    def test_secret_is_a_mark(
        self, browser: Client, channel: Channel, tmp_path: Path, settings: Settings
    ) -> None:
        env = [
            {"key": "T", "label": "T", "secret": True},
            {"key": "CITY", "label": "City", "default": "Ulm"},
        ]
        write_plugin(tmp_path, env=env)
        settings.PLUGIN_FOLDERS = [tmp_path]
        PluginConfig.objects.create(
            workspace=channel.workspace, name="card", version="1.0.0", values_json='{"T": "hush"}'
        )
        answer = browser.get(frame_of(make_message(channel, metadata={"plugin": "card"}), "card"))
        assert given_in(answer)["env"] == {"T": "{{secret:T}}", "CITY": "Ulm"}
        assert b"hush" not in answer.content

    @pytest.mark.parametrize("name", ["none", "diagram"])
    def test_other_plugin_gets_nothing_of_a_message(
        self, browser: Client, channel: Channel, name: str
    ) -> None:
        message = make_message(channel, metadata=BADGE)
        assert browser.get(frame_of(message, name)).status_code == 404

    def test_what_is_off_is_gone(self, browser: Client, channel: Channel) -> None:
        PluginConfig.objects.create(
            workspace=channel.workspace, name="status-badge", version="1.0.0", enabled=False
        )
        message = make_message(channel, metadata=BADGE)
        assert browser.get(frame_of(message)).status_code == 404
        assert b"data-plugin" not in browser.get(f"/channels/{channel.pk}/").content

    def test_strangers_get_nothing(
        self, browser: Client, outsider: Client, client: Client, channel: Channel
    ) -> None:
        message = make_message(channel, metadata=BADGE)
        assert browser.get(frame_of(message)).status_code == 200
        assert outsider.get(frame_of(message)).status_code == 404
        assert client.get(frame_of(message))["Location"].startswith("/sign-in/")
        for path in ("?message=nonsense", "", "?message=%00"):
            assert browser.get(f"/plugins/status-badge/frame/{path}").status_code == 404

    def test_preview_is_for_those_who_manage(self, browser: Client, viewer: Client) -> None:
        shown = given_in(browser.get("/plugins/status-badge/frame/?preview"))
        assert shown["isPreview"]
        assert shown["data"]["label"] == "Build 418 passed"
        assert viewer.get("/plugins/status-badge/frame/?preview").status_code == 403


class TestIcon:
    def test_is_a_picture_and_no_page(self, browser: Client, client: Client) -> None:
        answer = browser.get("/plugins/diagram/icon/")
        assert answer["Content-Type"] == "image/svg+xml"
        assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert browser.get("/plugins/none/icon/").status_code == 404
        assert client.get("/plugins/diagram/icon/").status_code == 302

    def test_may_be_missing(self, browser: Client, tmp_path: Path, settings: Settings) -> None:
        write_plugin(tmp_path)
        settings.PLUGIN_FOLDERS = [tmp_path]
        assert browser.get("/plugins/card/icon/").status_code == 404


class TestPlaces:
    def test_review_has_the_frame_and_the_form_as_well(
        self, browser: Client, channel: Channel
    ) -> None:
        review = make_review("status-badge", BADGE, channel=channel)
        page = browser.get(f"/inbox/{review.pk}/").content.decode()
        assert f'data-address="{frame_of(review)}"' in page
        assert "data-answers" in page
        assert 'name="f.json"' in page
        assert "not known here" not in page
        assert "<iframe" not in page  # a script makes it; without one the form is all there is

    def test_viewer_and_closed_review_propose_nothing(
        self, browser: Client, viewer: Client, channel: Channel
    ) -> None:
        review = make_review("status-badge", BADGE, channel=channel)
        page = viewer.get(f"/inbox/{review.pk}/").content.decode()
        assert "data-plugin" in page
        assert "data-answers" not in page
        answered(browser, review, {"fine": True})
        closed = browser.get(f"/inbox/{review.pk}/").content.decode()
        assert "data-plugin" in closed
        assert "data-answers" not in closed

    def test_conversation_shows_it_without_answers(self, browser: Client, channel: Channel) -> None:
        message = make_message(channel, metadata=BADGE)
        make_review("status-badge", BADGE, channel=channel)
        page = browser.get(f"/channels/{channel.pk}/").content.decode()
        assert page.count("data-plugin=") == 2
        assert f'data-address="{frame_of(message)}"' in page
        assert "data-answers" not in page

    def test_list_names_it_as_its_author_does(self, browser: Client, channel: Channel) -> None:
        review = make_review("status-badge", {}, channel=channel)
        row = browser.get(f"/inbox/{review.pk}/row/").content.decode()
        assert "Status badge" in row
        assert "status-badge" not in row

    def test_unknown_name_falls_back(self, browser: Client, channel: Channel) -> None:
        review = make_review("chart", {"series": [1]}, channel=channel)
        page = browser.get(f"/inbox/{review.pk}/").content.decode()
        assert "data-plugin" not in page
        assert "not known here" in page

    def test_only_files_of_the_message_are_handed_over(
        self, browser: Client, channel: Channel
    ) -> None:
        review = make_review("status-badge", BADGE, channel=channel)
        mine, other = make_file(channel, message=review.message), make_file(channel)
        page = browser.get(f"/inbox/{review.pk}/").content.decode()
        found = re.search(r'data-files="([^"]*)"', page)
        assert found
        files = json.loads(html.unescape(found[1]))
        assert files == {str(mine.pk): f"/files/{mine.pk}/raw/"}
        assert str(other.pk) not in files


def propose(browser: Client, review: ReviewRequest, proposal: str) -> Any:
    fields = open_form(browser, review) | {"proposal": proposal}
    return browser.post(f"/inbox/{review.pk}/card/", fields, headers={"HX-Request": "true"})


def answered(browser: Client, review: ReviewRequest, response: Any) -> Any:
    page = propose(browser, review, json.dumps(response))
    return post(browser, review, hidden_fields(page) | {"proposed": "yes"})


def stored(review: ReviewRequest) -> ReviewRequest:
    return ReviewRequest.objects.get(pk=review.pk)


class TestProposal:
    def test_is_shown_and_not_sent(self, browser: Client, channel: Channel) -> None:
        review = make_review("form-submit", {}, channel=channel)
        page = propose(browser, review, '{"name": "Ada\u202e"}').content.decode()
        assert "The card proposes this answer:" in page
        assert '<button class="btn ok" name="proposed" value="yes">' in page
        assert "hidden-char" in page
        assert stored(review).status == Status.PENDING

    def test_is_sent_by_the_person(self, browser: Client, channel: Channel) -> None:
        review = make_review("form-submit", {}, channel=channel)
        assert answered(browser, review, {"name": "Ada", "n": 1.5}).status_code == 303
        assert stored(review).response == {"name": "Ada", "n": 1.5}
        assert stored(review).decided_by is not None

    def test_is_in_words_where_the_question_has_them(
        self, browser: Client, channel: Channel
    ) -> None:
        options = {"options": [{"id": "go", "label": "Ship it"}]}
        review = make_review("approval", options, channel=channel, metadata=BADGE)
        page = propose(browser, review, '{"selectedOption": "go"}').content.decode()
        assert "The card proposes this answer: Ship it" in page
        assert answered(browser, review, {"selectedOption": "go"}).status_code == 303
        assert stored(review).response == {"selectedOption": "go"}

    def test_that_does_not_fit_has_no_button(self, browser: Client, channel: Channel) -> None:
        review = make_review("approval", {}, channel=channel, metadata=BADGE)
        for wrong in ('{"selectedOption": "no such"}', "[]", "{", '{"a": NaN}', "7"):
            page = propose(browser, review, wrong).content.decode()
            assert "cannot be sent" in page
            assert 'name="proposed"' not in page
        sent = post(browser, review, open_form(browser, review) | {"proposed": "yes"})
        assert sent.status_code == 422
        assert 'href="#answer-proposal"' in sent.content.decode()
        assert stored(review).status == Status.PENDING

    def test_hides_passwords(self, browser: Client, channel: Channel) -> None:
        fields = {"fields": [{"name": "pin", "type": "password", "label": "PIN"}]}
        review = make_review("form", fields, channel=channel, metadata=BADGE)
        page = propose(browser, review, '{"pin": "1234"}').content.decode()
        assert "••••••••" in page

    def test_is_asked_about_once_more_like_any_answer(
        self, browser: Client, channel: Channel
    ) -> None:
        Channel.objects.update(confirm_answers=True)
        review = make_review("form-submit", {}, channel=channel)
        again = answered(browser, review, {"name": "Ada"})
        assert again.status_code == 200
        assert stored(review).status == Status.PENDING
        fields = hidden_fields(again) | {"confirmed": "yes"}
        assert post(browser, review, fields).status_code == 303
        assert stored(review).response == {"name": "Ada"}

    def test_of_a_viewer_is_nobody_s(self, viewer: Client, channel: Channel) -> None:
        review = make_review("form-submit", {}, channel=channel)
        assert 'name="proposed"' not in propose(viewer, review, "{}").content.decode()
        assert post(viewer, review, {"proposed": "yes", "proposal": "{}"}).status_code == 403


class TestCalls:
    URL = "/plugins/card/fetch/"

    @pytest.fixture(autouse=True)
    def _plugin(self, tmp_path: Path, settings: Settings) -> None:
        permissions = {"httpRequests": True, "maxHttpDomains": ["127.0.0.1"]}
        env = [{"key": "T", "label": "T", "secret": True}]
        write_plugin(tmp_path, permissions=permissions, env=env)
        settings.PLUGIN_FOLDERS, settings.EGRESS_ALLOW = [tmp_path], "127.0.0.1"

    def call(self, browser: Client, **asked: Any) -> Any:
        return browser.post(self.URL, json.dumps(asked), content_type="application/json")

    def test_leave_with_the_workspace_s_secret(
        self, browser: Client, workspace: Workspace, receiver: Receiver
    ) -> None:
        PluginConfig.objects.create(
            workspace=workspace, name="card", version="1.0.0", values_json='{"T": "hush"}'
        )
        receiver.answer = lambda _: (201, {}, b"done hush")
        headers = {"Authorization": "Bearer {{secret:T}}"}
        answer = self.call(browser, url=receiver.url, method="POST", headers=headers, body="x")
        assert answer.json() == {
            "ok": True,
            "status": 201,
            "statusText": "Created",
            "headers": answer.json()["headers"],
            "body": "done {{secret:T}}",
        }
        assert receiver.received[0].headers["authorization"] == "Bearer hush"

    def test_of_viewers_only_read(self, viewer: Client, receiver: Receiver) -> None:
        assert self.call(viewer, url=receiver.url).json()["ok"]
        refused = self.call(viewer, url=receiver.url, method="POST").json()
        assert (refused["ok"], refused["status"]) == (False, 0)
        assert len(receiver.received) == 1

    @pytest.mark.parametrize(
        "asked",
        [{}, {"url": 7}, {"url": "x", "headers": []}, {"url": "x", "headers": {"a": 1}}],
        ids=str,
    )
    def test_that_are_none_are_refused(self, browser: Client, asked: dict[str, Any]) -> None:
        assert self.call(browser, **asked).status_code == 400

    def test_are_json_and_ours(self, browser: Client, person: Any, receiver: Receiver) -> None:
        body = json.dumps({"url": receiver.url})
        assert browser.post(self.URL, body, content_type="text/plain").status_code == 400
        assert browser.post(self.URL, "{", content_type="application/json").status_code == 400
        assert browser.get(self.URL).status_code == 405
        guarded = Client(enforce_csrf_checks=True)
        guarded.force_login(person)
        assert guarded.post(self.URL, body, content_type="application/json").status_code == 403
        assert Client().post(self.URL, body, content_type="application/json").status_code == 302
        assert not receiver.received

    def test_are_counted(
        self, browser: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.RATE_LIMITS, settings.REDIS_URL = True, "redis://127.0.0.1:1/0"
        twice = RateLimitItemPerMinute(2, namespace="test-plugin-call")
        monkeypatch.setattr(plugins, "CALLS", (twice,))
        codes = [self.call(browser, url="https://a.org/").status_code for _ in range(3)]
        assert codes == [200, 200, 429]

    def test_of_a_plugin_that_is_off_are_none(
        self, browser: Client, workspace: Workspace, receiver: Receiver
    ) -> None:
        PluginConfig.objects.create(
            workspace=workspace, name="card", version="1.0.0", enabled=False
        )
        assert not self.call(browser, url=receiver.url).json()["ok"]
        assert not receiver.received
