"""Writes about who belongs to a workspace, and as what.

Whoever changes that locks the workspace's row first. So a workspace always keeps an owner, and
somebody who is being demoted cannot promote anybody meanwhile.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.errors import RefusedError
from accounts.models import Membership, Role, User, Workspace


@transaction.atomic
def create_owner(*, email: str, password: str, workspace_name: str) -> Membership:
    """Create the first person of a new workspace: its owner, who is an operator too."""
    owner = User.objects.create_superuser(email, password)
    workspace = Workspace.objects.create(name=workspace_name)
    return Membership.objects.create(workspace=workspace, user=owner, role=Role.OWNER)


class NotYoursToChangeError(RefusedError):
    """The person's role does not allow this change."""

    code = "not_yours_to_change"


class LastOwnerError(RefusedError):
    """A workspace without an owner could never get one again."""

    code = "last_owner"


class NoMemberError(RefusedError):
    """Somebody removed them meanwhile."""

    code = "no_member"


def lock_workspace(workspace: Workspace) -> Workspace:
    """The row as it is now, ours until the transaction ends."""
    return Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)


def require_assigning(workspace: Workspace, by: User, *roles: str) -> None:
    """Under the lock: whether a person may, as things stand now, give and take these roles.

    Raises: NotYoursToChangeError.
    """
    actor = Membership.objects.filter(workspace=workspace, user=by).first()
    allowed = actor.assignable_roles if actor else ()
    if not set(roles) <= set(allowed):
        raise NotYoursToChangeError(
            _("Your role does not allow this: only owners may change owners, and admins the rest.")
        )


class EmailInUseError(RefusedError):
    """One account for an address: whose it is stays unsaid."""

    code = "email_in_use"


def create_member(
    *,
    workspace: Workspace,
    email: str,
    name: str,
    password: str,
    role: Role,
    by: User,
    now: datetime,
) -> Membership:
    """Make an account with a password that its person has to change first, and let them in.

    Raises: NotYoursToChangeError, EmailInUseError.
    """
    user = User(email=email.strip().lower(), display_name=name, must_change_password=True)
    user.created_at = now
    user.set_password(password)  # slow on purpose, so before the transaction
    with transaction.atomic():
        lock_workspace(workspace)
        require_assigning(workspace, by, role)
        _insert(user)
        return Membership.objects.create(workspace=workspace, user=user, role=role, created_at=now)


def _insert(user: User) -> None:
    """Raises: EmailInUseError."""
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        raise EmailInUseError("Email already in use") from None


@transaction.atomic
def change_role(member: Membership, *, role: Role, by: User) -> Membership:
    """Raises: NotYoursToChangeError, LastOwnerError, NoMemberError."""
    lock_workspace(member.workspace)
    current = _current(member)
    require_assigning(member.workspace, by, current.role, role)
    if role != Role.OWNER:
        _refuse_last_owner(current)
    current.role = role
    current.save(update_fields=["role"])
    return current


@transaction.atomic
def remove_member(member: Membership, *, by: User) -> None:
    """Take somebody out of a workspace; everybody may leave by themselves.

    Raises: NotYoursToChangeError, LastOwnerError, NoMemberError.
    """
    lock_workspace(member.workspace)
    current = _current(member)
    if current.user_id != by.pk:
        require_assigning(member.workspace, by, current.role)
    _refuse_last_owner(current)
    current.delete()


def _current(member: Membership) -> Membership:
    """Raises: NoMemberError."""
    row = Membership.objects.filter(pk=member.pk).first()
    if row is None:
        raise NoMemberError(_("They do not belong to this workspace any more."))
    return row


def _refuse_last_owner(member: Membership) -> None:
    """Raises: LastOwnerError."""
    if member.role != Role.OWNER:
        return
    others = Membership.objects.filter(workspace=member.workspace_id, role=Role.OWNER)
    if not others.exclude(pk=member.pk).exists():
        raise LastOwnerError(_("A workspace needs an owner: make somebody else an owner first."))


@transaction.atomic
def rename_workspace(workspace: Workspace, *, name: str, by: User) -> Workspace:
    """Raises: NotYoursToChangeError."""
    current = lock_workspace(workspace)
    require_assigning(current, by, Role.ADMIN)
    current.name = name
    current.save(update_fields=["name"])
    return current
