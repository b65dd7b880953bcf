"""The session engine: rows that say whose session it is, where it was opened, and when last used.

A row is found by the hash of the key in the cookie, so nobody signs in with what stands in the
database. Deleting the row ends the session.
"""

from datetime import datetime
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.ids import parse_uuid
from accounts.models import Session, hash_token

# What a row says beside its data; a session that changes its key takes it along.
TOLD = ("user_agent", "address", "push_device", "signed_in_at", "last_seen_at")


class SessionStore(SessionBase):
    """Django's interface. `row` is the row as it was loaded, or as a sign-in wants it."""

    row: Session | None = None

    @property
    def key_hash(self) -> str:
        return hash_token(self.session_key) if self.session_key else ""

    def load(self) -> dict[str, Any]:
        live = Session.objects.filter(key_hash=self.key_hash, expires_at__gt=timezone.now())
        self.row = live.first()
        if self.row is None:
            self._session_key = None
            return {}
        return self.decode(self.row.data)

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(key_hash=hash_token(session_key)).exists()

    def create(self) -> None:
        while True:
            self._session_key = self._get_new_session_key()  # type: ignore[attr-defined]  # Django's
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002  # Django's
        """A session that was ended meanwhile stays ended.

        Raises: CreateError, UpdateError.
        """
        if self.session_key is None:
            self.create()
            return
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]  # Django's
        values = self._values(data)
        if must_create:
            self._insert(values)
        elif not Session.objects.filter(key_hash=self.key_hash).update(**values):
            raise UpdateError

    def _insert(self, values: dict[str, Any]) -> None:
        """Raises: CreateError."""
        try:
            with transaction.atomic():
                Session.objects.create(key_hash=self.key_hash, **values)
        except IntegrityError:
            raise CreateError from None

    def _values(self, data: dict[str, Any]) -> dict[str, Any]:
        user_id = parse_uuid(str(data.get(SESSION_KEY, "")))
        told = {name: getattr(self.row, name) for name in TOLD} if user_id and self.row else {}
        return {
            "data": self.encode(data),
            "expires_at": self.get_expiry_date(),
            "user_id": user_id,
        } | told

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            Session.objects.filter(key_hash=hash_token(key)).delete()

    @classmethod
    def clear_expired(cls) -> None:
        forget_expired(timezone.now())


def row_of(request: Any) -> Session | None:
    """The row of a request's session, if it was looked at and somebody is signed in."""
    row: Session | None = request.session.row
    return row


def forget_expired(now: datetime) -> int:
    """Remove the sessions that nobody used to the end. Returns how many there were."""
    removed, _rows = Session.objects.filter(expires_at__lte=now).delete()
    return removed


def data_of(row: Session) -> dict[str, Any]:
    """What a session keeps; nothing where it was tampered with or signed with another secret."""
    return SessionStore().decode(row.data)
