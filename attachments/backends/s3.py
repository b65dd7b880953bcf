"""Objects in a bucket of an S3 server."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage

from attachments.backends import StoredObject
from attachments.backends.s3_errors import explained, is_missing
from attachments.storage import UNREADABLE, StorageUnavailableError

CONNECT_SECONDS = 3
SILENCE_SECONDS = 15
MOST_TRIES = 2
REST_SECONDS = 2
PART = 8 * 1024 * 1024
OBJECT = {"ContentType": "application/octet-stream", "ContentDisposition": "attachment"}


class S3Objects(S3Storage):  # type: ignore[misc]  # it has no types
    """django-storages' backend, with downloads that stream and waits that end.

    Objects are private, and are only ever saved by a browser that comes across one.
    """

    def __init__(
        self, *, addressing_style: str, public_url: str | None = None, **options: Any
    ) -> None:
        self.public_url = public_url
        self._connecting = threading.RLock()
        self._connected: Any = None
        self._resting_until = 0.0
        super().__init__(
            **options,
            object_parameters=OBJECT,
            client_config=_config(addressing_style),
            transfer_config=TransferConfig(
                use_threads=False, multipart_threshold=PART, multipart_chunksize=PART
            ),
        )

    @property
    def connection(self) -> Any:
        """One for all threads: making one takes a tenth of a second and megabytes.

        Raises: StorageUnavailableError for a moment after it could not be reached. A page of
        fifty files must not wait fifty times.
        """
        if time.monotonic() < self._resting_until:
            raise StorageUnavailableError(UNREADABLE)
        with self._connecting:
            if self._connected is None:
                self._connected = self._connect(self.endpoint_url)
            return self._connected

    @property
    def bucket(self) -> Any:
        """Each call has one of its own: threads may share boto's clients, but not these."""
        with self._connecting:
            return self.connection.Bucket(self.bucket_name)

    def failed(self, failure: Exception) -> None:
        if isinstance(failure, HTTPClientError):
            self._resting_until = time.monotonic() + REST_SECONDS

    def _connect(self, address: str | None) -> Any:
        return self._create_session().resource(
            "s3", region_name=self.region_name, endpoint_url=address, config=self.client_config
        )

    @property
    def _client(self) -> Any:
        return self.connection.meta.client

    def _open(self, name: str, mode: str = "rb") -> "Download":
        return self.open_from(name, 0)

    def open_from(self, key: str, start: int) -> "Download":
        """Raises: FileNotFoundError, and boto's own for everything else."""
        return Download(self._client, self.bucket_name, key, start)

    def listing(self) -> Iterator[StoredObject]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket_name)
        for page in pages:
            for entry in page.get("Contents", ()):
                yield StoredObject(entry["Key"], entry["Size"], entry["LastModified"])

    def drop_unfinished(self, *, before: datetime) -> int:
        """Parts of uploads that were never completed stand in no listing, and cost room."""
        pages = self._client.get_paginator("list_multipart_uploads")
        count = 0
        for page in pages.paginate(Bucket=self.bucket_name):
            for upload in page.get("Uploads", ()):
                if upload["Initiated"] < before:
                    self._abort(upload)
                    count += 1
        return count

    def _abort(self, upload: dict[str, Any]) -> None:
        with suppress(self._client.exceptions.NoSuchUpload):
            self._client.abort_multipart_upload(
                Bucket=self.bucket_name, Key=upload["Key"], UploadId=upload["UploadId"]
            )

    def download_link(self, key: str, *, seconds: int, disposition: str) -> str | None:
        """The bucket, as browsers reach it, is asked for a type and a name that are forced."""
        if self.public_url is None:
            return None
        asked = {
            "Bucket": self.bucket_name,
            "Key": key,
            "ResponseContentType": OBJECT["ContentType"],
            "ResponseContentDisposition": disposition,
        }
        link: str = self._public_client.generate_presigned_url(
            "get_object", Params=asked, ExpiresIn=seconds
        )
        return link

    @property
    def _public_client(self) -> Any:
        """It signs for the host that browsers name, and never connects to it."""
        with self._connecting:
            if not hasattr(self, "_public"):
                self._public = self._connect(self.public_url).meta.client
            return self._public

    def problem(self) -> str | None:
        self._resting_until = 0.0
        try:
            self._client.list_objects_v2(Bucket=self.bucket_name, MaxKeys=1)
        except (BotoCoreError, ClientError) as error:
            return explained(error, bucket=self.bucket_name, endpoint=self.endpoint_url)
        return None


def _config(addressing_style: str) -> Config:
    """No call may hang, and no checksums of a kind that older servers do not know."""
    return Config(
        signature_version="s3v4",
        s3={"addressing_style": addressing_style},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=SILENCE_SECONDS,
        retries={"mode": "standard", "total_max_attempts": MOST_TRIES},
        max_pool_connections=32,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


class Download(File):  # type: ignore[type-arg]  # Django's class cannot be subscripted
    """An object that is read as it arrives. After a `seek` it is asked for from there."""

    def __init__(self, client: Any, bucket: str, key: str, start: int) -> None:
        self.name = key
        self.mode = "rb"
        self._ask = {"Bucket": bucket, "Key": key}
        self._client = client
        self._at = self._arriving_at = start
        self._body: Any = None
        self._length: int | None = None
        self._fetch()

    def _fetch(self) -> None:
        """Raises: FileNotFoundError."""
        try:
            answer = self._client.get_object(**self._ask, **self._range())
        except ClientError as error:
            if is_missing(error):
                raise FileNotFoundError(self.name) from None
            raise
        self._drop()
        self._body, self._arriving_at = answer["Body"], self._at
        said = answer.get("ContentRange", "").rpartition("/")[2]
        self._length = int(said) if said.isdigit() else answer["ContentLength"]

    def _range(self) -> dict[str, str]:
        return {"Range": f"bytes={self._at}-"} if self._at else {}

    @property
    def size(self) -> int:
        return self._length or 0

    @property
    def closed(self) -> bool:
        return self._body is None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = (0, self._at, self.size)[whence] + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        if self._at >= self.size:
            return b""
        if self._at != self._arriving_at:
            self._fetch()
        try:
            content: bytes = self._body.read(None if size is None or size < 0 else size)
        except BotoCoreError as failure:
            raise StorageUnavailableError(UNREADABLE) from failure
        self._at += len(content)
        self._arriving_at = self._at
        return content

    def close(self) -> None:
        self._drop()

    def _drop(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None
