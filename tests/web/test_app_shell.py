"""The manifest, the service worker and the page without a network: public, small, and honest."""

import gzip
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.management import call_command
from django.test import Client
from PIL import Image
from pytest_django.fixtures import Settings

SMALL = 2048
STATIC = Path(project.ASSETS) / "static"
IMPORTED = re.compile(r"""(?:from|import) ?\(?["'](\.[^"']+)["']""")


def size(content: bytes) -> int:
    return len(gzip.compress(content, 9))


def facts_of(script: str) -> dict[str, Any]:
    (found,) = re.findall(r"^const \{.*\} = (\{.*\});$", script, re.MULTILINE)
    facts: dict[str, Any] = json.loads(found)
    return facts


@pytest.mark.parametrize("path", ["/manifest.webmanifest", "/sw.js", "/offline/"])
def test_shell_is_the_same_for_everybody_and_touches_no_session(client: Client, path: str) -> None:
    answer = client.get(path)  # a test without a database: any look at it would fail
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer
    assert not client.cookies
    assert client.post(path).status_code == 405


class TestManifest:
    def test_it_is_an_installable_application(self, client: Client, settings: Settings) -> None:
        settings.APP_NAME = "Approvals of Northwind"
        answer = client.get("/manifest.webmanifest")
        assert answer["Content-Type"] == "application/manifest+json"
        manifest = answer.json()
        assert manifest["name"] == manifest["short_name"] == "Approvals of Northwind"
        assert manifest["display"] == "standalone"
        assert (manifest["id"], manifest["scope"]) == ("/", "/")
        assert manifest["start_url"] == "/inbox/"
        assert (manifest["lang"], manifest["dir"]) == ("en", "ltr")
        assert [each["url"] for each in manifest["shortcuts"]] == ["/inbox/", "/channels/"]

    def test_every_icon_has_the_size_that_it_claims(self, client: Client) -> None:
        manifest = client.get("/manifest.webmanifest").json()
        icons = manifest["icons"] + [
            icon for each in manifest["shortcuts"] for icon in each["icons"]
        ]
        assert {(icon["sizes"], icon["purpose"]) for icon in icons} == {
            ("192x192", "any"),
            ("512x512", "any"),
            ("512x512", "maskable"),
        }
        for icon in icons:
            picture = STATIC / icon["src"].removeprefix("/static/")
            width, height = Image.open(io.BytesIO(picture.read_bytes())).size
            assert f"{width}x{height}" == icon["sizes"]
            assert len(picture.read_bytes()) < 5000


class TestServiceWorker:
    def test_it_may_serve_the_whole_site_and_is_asked_for_anew(self, client: Client) -> None:
        answer = client.get("/sw.js")
        assert answer["Content-Type"].startswith("text/javascript")
        assert answer["Service-Worker-Allowed"] == "/"
        assert answer["Cache-Control"] == "no-cache"
        assert "default-src 'none'" in answer["Content-Security-Policy"]
        assert "connect-src 'self'" in answer["Content-Security-Policy"]

    def test_it_keeps_the_offline_page_and_static_files_only(self, client: Client) -> None:
        kept = facts_of(client.get("/sw.js").text)["kept"]
        assert kept[0] == "/offline/"
        assert all(path.startswith("/static/") for path in kept[1:])
        assert all(client.get(path).status_code == 200 for path in kept[:1])

    def test_its_cache_is_another_one_after_a_release(
        self, client: Client, settings: Settings
    ) -> None:
        before = facts_of(client.get("/sw.js").text)["cache"]
        assert facts_of(client.get("/sw.js").text)["cache"] == before
        settings.VERSION = "99.0.0"
        assert facts_of(client.get("/sw.js").text)["cache"] != before

    def test_scripts_are_small(self, client: Client) -> None:
        assert size(client.get("/sw.js").content) < SMALL
        assert size((STATIC / "js" / "lazy" / "push.js").read_bytes()) < SMALL


def test_collected_files_are_named_by_their_hash(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    collected = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    settings.STATIC_ROOT = tmp_path
    # Ours only: compressing those of the API browser takes half a minute.
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STORAGES = settings.STORAGES | {"staticfiles": collected}
    call_command("collectstatic", interactive=False, verbosity=0)
    facts = facts_of(client.get("/sw.js").text)
    manifest = client.get("/manifest.webmanifest").json()
    files = [*facts["kept"][1:], facts["icon"], *(icon["src"] for icon in manifest["icons"])]
    assert all(re.search(r"\.[0-9a-f]{12}\.\w+$", name) for name in files)
    assert all((tmp_path / name.removeprefix(facts["statics"])).exists() for name in files)


def test_offline_page_says_nothing_about_anybody(browser: Client) -> None:
    page = browser.get("/offline/").text
    assert "No connection" in page
    assert 'href="">Try again' in page
    assert "csrf" not in page
    assert "Sign out" not in page


def test_modules_import_each_other_by_names_that_change_with_their_content(
    settings: Settings, tmp_path: Path
) -> None:
    """Dynamic imports, too; an old name would be answered by an old file, or by none."""
    settings.STATIC_ROOT = tmp_path
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    hashed = {"BACKEND": "config.static_files.HashedStaticFiles"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": hashed}
    call_command("collectstatic", interactive=False, verbosity=0)
    modules = list((tmp_path / "js").rglob(f"*.{'?' * 12}.js"))
    imported = [
        (module.parent / name).resolve()
        for module in modules
        for name in IMPORTED.findall(module.read_text())
    ]
    assert (tmp_path / "js" / "lazy").resolve() in {each.parent for each in imported}
    assert {each for each in imported if each not in {path.resolve() for path in modules}} == set()
