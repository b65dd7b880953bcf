"""Both kinds of storage: a folder, and a bucket of a real S3 server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from pytest_django.fixtures import Settings

from attachments.backends import Objects
from config.storage import file_storage
from tests.ceph import BUCKET, Ceph


def use_storage(settings: Settings, environment: dict[str, str], folder: Path) -> Objects:
    """Store files as this environment says, until the test ends."""
    storage = file_storage(environment.get, folder)
    settings.STORAGES = settings.STORAGES | {"default": storage}
    objects: Objects = default_storage  # type: ignore[assignment]  # what the settings name
    return objects


def environment_of(ceph: Ceph, **over: str) -> dict[str, str]:
    return ceph.environment | over


@pytest.fixture
def bucket(ceph: Ceph, settings: Settings, tmp_path: Path) -> Iterator[Objects]:
    """An empty bucket, and what is stored goes there."""
    yield use_storage(settings, ceph.environment, tmp_path)
    client = ceph.client()
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for entry in page.get("Contents", ()):
            client.delete_object(Bucket=BUCKET, Key=entry["Key"])


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Objects:
    return use_storage(settings, {}, tmp_path / "files")


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.s3)])
def objects(request: pytest.FixtureRequest) -> Objects:
    """The storage; each test that asks for it runs on both kinds."""
    found: Objects = request.getfixturevalue(request.param)
    return found
