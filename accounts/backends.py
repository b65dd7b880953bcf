"""How a session becomes a person."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from accounts.models import Membership, User


class PersonBackend(ModelBackend):
    """Loads a person together with their workspaces: every page needs both, in one statement."""

    def get_user(self, user_id: Any) -> User | None:
        rows = Membership.objects.filter(user=user_id).select_related("user", "workspace")
        memberships = list(rows.order_by("created_at"))
        if not memberships:
            person: User | None = super().get_user(user_id)
            return person
        user = memberships[0].user
        user.loaded_memberships = memberships
        return user if self.user_can_authenticate(user) else None
