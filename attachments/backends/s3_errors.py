"""What S3 servers say when they refuse, in the words of the settings."""

from botocore.exceptions import ClientError, NoCredentialsError, PartialCredentialsError

# `NoSuchBucket` is a 404 too, and means that nothing can be stored at all.
MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
REFUSALS = {
    "NoSuchBucket": "there is no bucket {bucket}: make it, or mend S3_BUCKET",
    "InvalidAccessKeyId": "the server does not know the key: mend S3_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the secret of the key is wrong: mend S3_SECRET_ACCESS_KEY",
    "AccessDenied": "the key may not list the bucket {bucket}: allow it to list, read, write and "
    "delete there",
    "AuthorizationHeaderMalformed": "the bucket {bucket} is in another region: mend S3_REGION",
    "PermanentRedirect": "the bucket {bucket} is in another region: mend S3_REGION",
    "RequestTimeTooSkewed": "this machine's clock differs from the server's by too much",
}


def is_missing(error: ClientError) -> bool:
    return _code(error) in MISSING


def explained(error: Exception, *, bucket: str, endpoint: str | None) -> str:
    """One line for an operator."""
    if isinstance(error, ClientError):
        known = REFUSALS.get(_code(error), "the server answers {code}: {message}")
        said = error.response.get("Error", {}).get("Message", "")
        return known.format(bucket=bucket, code=_code(error), message=said)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return "no key was found: set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY"
    return f"{endpoint or 'S3'} cannot be reached: mend S3_ENDPOINT_URL, or start it ({error})"


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
