"""Which storage the environment names, and what is said about one that cannot be meant."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.storage import BUCKET, FOLDER, file_storage, storage_quota, unlinked_files_kept

KEYS = {"S3_ACCESS_KEY_ID": "id", "S3_SECRET_ACCESS_KEY": "secret"}


def storage_of(environment: dict[str, str]) -> dict[str, object]:
    return file_storage(environment.get, Path("files"))


def options_of(environment: dict[str, str]) -> dict[str, object]:
    options = storage_of(environment)["OPTIONS"]
    assert isinstance(options, dict)
    return options


def test_files_are_in_a_folder_unless_a_bucket_is_named() -> None:
    assert storage_of({}) == {"BACKEND": FOLDER, "OPTIONS": {"location": Path("files")}}
    assert storage_of({"S3_BUCKET": "files"})["BACKEND"] == BUCKET


def test_server_of_ones_own_is_addressed_by_path_and_amazon_as_it_wishes() -> None:
    own = options_of({"S3_BUCKET": "files", "S3_ENDPOINT_URL": "http://127.0.0.1:9/"} | KEYS)
    assert (own["addressing_style"], own["region_name"]) == ("path", "us-east-1")
    assert (own["endpoint_url"], own["access_key"]) == ("http://127.0.0.1:9", "id")
    amazon = options_of({"S3_BUCKET": "files", "S3_REGION": "eu-central-1"})
    assert (amazon["addressing_style"], amazon["region_name"]) == ("auto", "eu-central-1")
    assert (amazon["access_key"], amazon["secret_key"]) == (None, None)


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"S3_ENDPOINT_URL": "http://127.0.0.1:9"}, "S3_BUCKET"),
        ({"S3_BUCKET": "no bucket"}, "S3_BUCKET"),
        ({"S3_BUCKET": "files", "S3_ENDPOINT_URL": "127.0.0.1:9"}, "S3_ENDPOINT_URL"),
        ({"S3_BUCKET": "files", "S3_PUBLIC_URL": "ftp://example.org"}, "S3_PUBLIC_URL"),
        ({"S3_BUCKET": "files", "S3_ACCESS_KEY_ID": "id"}, "S3_SECRET_ACCESS_KEY"),
        ({"S3_BUCKET": "files", "S3_SECRET_ACCESS_KEY": "secret"}, "S3_ACCESS_KEY_ID"),
        ({"S3_BUCKET": "files", "S3_ADDRESSING_STYLE": "dns"}, "S3_ADDRESSING_STYLE"),
    ],
)
def test_setting_that_cannot_be_meant_is_named(environment: dict[str, str], named: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=named):
        storage_of(environment)


def test_unlinked_files_are_kept_for_a_day_unless_said_otherwise() -> None:
    nothing: dict[str, str] = {}
    assert unlinked_files_kept(nothing.get) == timedelta(days=1)
    assert unlinked_files_kept({"UNLINKED_FILES_KEPT_HOURS": "0"}.get) == timedelta()


@pytest.mark.parametrize("text", ["never", "-1", "1.5", "9" * 20, "²"])
def test_odd_number_of_hours_is_refused(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="UNLINKED_FILES_KEPT_HOURS"):
        unlinked_files_kept({"UNLINKED_FILES_KEPT_HOURS": text}.get)


def test_quota_is_given_in_megabytes_and_there_is_none_by_default() -> None:
    nothing: dict[str, str] = {}
    assert storage_quota(nothing.get) == 0
    assert storage_quota({"STORAGE_QUOTA_MB": "3"}.get) == 3 * 1024 * 1024
    with pytest.raises(ImproperlyConfigured, match="STORAGE_QUOTA_MB"):
        storage_quota({"STORAGE_QUOTA_MB": "some"}.get)
