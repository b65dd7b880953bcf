"""People, the workspaces they share, and the API keys that agents carry."""

import hashlib
import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7

KEY_PREFIX_LENGTH = 11
SESSION_SALT = "accounts.models.User.session"


def new_id() -> uuid.UUID:
    return uuid7(timezone.now())


def normal_email(typed: str) -> str:
    """How an address is stored, counted and looked for."""
    return typed.strip().lower()


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        """Addresses are stored in lower case, so one spelling is looked for, with the index."""
        return self.get(email=normal_email(username or ""))

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=normal_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class Theme(models.TextChoices):
    SYSTEM = "system", _("As the system")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class Density(models.TextChoices):
    COMFORTABLE = "comfortable", _("Comfortable")
    COMPACT = "compact", _("Compact")


class AfterAnswer(models.TextChoices):
    """Where a person is led once an answer is sent."""

    NEXT = "next", _("Open the next review")
    PREVIOUS = "previous", _("Open the previous review")
    LIST = "list", _("Go back to the list")
    STAY = "stay", _("Stay on the review")


class User(AbstractBaseUser, PermissionsMixin):
    """A person. The e-mail address is the login name, whatever its case."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(_("e-mail"), max_length=254, unique=True)
    display_name = models.CharField(_("name"), max_length=100, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("operator"), default=False)
    must_change_password = models.BooleanField(default=False)
    # Counted up to end every session: sessions are signed with it and with the password.
    session_generation = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # How the pages look and behave. Columns, because the user is loaded for each request anyway.
    language = models.CharField(max_length=10, blank=True)  # empty: what the browser asks for
    time_zone = models.CharField(max_length=64, blank=True)  # empty: the server's
    theme = models.CharField(max_length=6, choices=Theme.choices, default=Theme.SYSTEM)
    density = models.CharField(max_length=11, choices=Density.choices, default=Density.COMFORTABLE)
    after_answer = models.CharField(
        max_length=8, choices=AfterAnswer.choices, default=AfterAnswer.NEXT
    )
    single_keys = models.BooleanField(default=True)
    own_keys = models.JSONField(default=dict, blank=True)  # action to key, where it is not ours
    enter_sends = models.BooleanField(default=True)

    objects: ClassVar[UserManager] = UserManager()
    # Of a person who was loaded for a request, see `accounts.backends`.
    loaded_memberships: "list[Membership] | None" = None

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            # With the unique column: one account for an address, whatever its case.
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="user_email_lower"
            ),
            models.CheckConstraint(
                condition=models.Q(theme__in=Theme.values), name="user_theme_known"
            ),
            models.CheckConstraint(
                condition=models.Q(density__in=Density.values), name="user_density_known"
            ),
            models.CheckConstraint(
                condition=models.Q(after_answer__in=AfterAnswer.values),
                name="user_after_answer_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        self.email = self.email.lower()

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Django's, which a new password changes, and the end of all sessions changes, too."""
        signed = f"{self.password}{self.session_generation or ''}"
        return salted_hmac(SESSION_SALT, signed, secret=secret, algorithm="sha256").hexdigest()

    @property
    def name(self) -> str:
        return self.display_name or self.email


class Session(models.Model):
    """A browser in which somebody signed in. Without the row it is signed out.

    Only the hash of the key in its cookie is kept, see `accounts.sessions`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    data = models.TextField(editable=False)
    # Nobody's, before somebody signs in.
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    user_agent = models.CharField(max_length=400, blank=True, editable=False)
    address = models.CharField(max_length=45, blank=True, editable=False)
    # The subscription that notifies in this browser, which has to end with the session.
    push_device = models.UUIDField(null=True, editable=False)
    signed_in_at = models.DateTimeField(default=timezone.now, editable=False)
    last_seen_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    def __str__(self) -> str:
        return str(self.pk)


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Admin")
    REVIEWER = "reviewer", _("Reviewer")
    VIEWER = "viewer", _("Viewer")


ANSWERING_ROLES = frozenset({Role.OWNER, Role.ADMIN, Role.REVIEWER})
MANAGING_ROLES = frozenset({Role.OWNER, Role.ADMIN})


class Workspace(models.Model):
    """The tenant: everything an agent or a person can reach hangs on one workspace."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person in a workspace, with the role that says what they may do there."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "user"], name="membership_unique"),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="membership_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.workspace_id} as {self.role}"

    @property
    def may_answer(self) -> bool:
        return self.role in ANSWERING_ROLES

    @property
    def may_manage(self) -> bool:
        """They may see and change secrets."""
        return self.role in MANAGING_ROLES

    @property
    def assignable_roles(self) -> tuple[Role, ...]:
        """The roles that they may give, and whose holders they may change."""
        if not self.may_manage:
            return ()
        return tuple(role for role in Role if role != Role.OWNER or self.role == Role.OWNER)


class Invitation(models.Model):
    """A link that lets one person into a workspace, once. Only the hash of its token is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=10, choices=Role.choices)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(User, models.CASCADE, related_name="invitations")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="invitation_role_known"
            ),
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="invitation_email_lower"
            ),
        ]
        indexes = [
            models.Index(
                fields=["workspace", "email"],
                name="invitation_open",
                condition=models.Q(accepted_at=None, revoked_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} as {self.role}"


def hash_key(key: str) -> str:
    """SHA-256 of the whole key, lower-case hex: keys are random, so a slow hash buys nothing."""
    return hashlib.sha256(key.encode()).hexdigest()


def hash_token(token: str) -> str:
    """The same for the token of an invitation and the key of a session: both are random, too."""
    return hashlib.sha256(token.encode()).hexdigest()


class ApiKey(models.Model):
    """What an agent shows to act in one workspace; its hash and first 11 characters are kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="api_keys")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="api_keys")
    label = models.CharField(max_length=64, default="Default")
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    key_prefix = models.CharField(max_length=KEY_PREFIX_LENGTH, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    replaced_by = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, editable=False, related_name="replaced"
    )
    # The rendering of the form that made it: sent twice, it makes one key.
    form_id = models.UUIDField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("API key")
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "form_id"],
                name="api_key_form_unique",
                condition=models.Q(form_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} ({self.key_prefix}…)"

    def works_at(self, moment: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > moment)
