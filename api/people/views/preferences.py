"""How a person wants to have it (Placet contract 3.2)."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.services.preferences import change_preferences
from api.models import PersonPreference
from api.people.documentation import operation
from api.people.serializers.preferences import PreferencesIn, PreferencesOut
from api.people.views.base import PersonView, person_of
from api.placet.times import wire_time
from api.placet.views.base import given, read_body


def preferences_body(user: User) -> dict[str, Any]:
    chosen = PersonPreference.objects.filter(user=user).first()
    return {
        "userId": str(user.pk),
        "theme": user.theme,
        "managementDashboard": chosen.management_dashboard if chosen else False,
        "updatedAt": wire_time(chosen.updated_at if chosen else user.created_at),
    }


class Preferences(PersonView):
    @operation("getPreferences", tag="Preferences", answers={200: PreferencesOut}, errors=[403])
    def get(self, request: Request) -> Response:
        """Yours, in all workspaces."""
        return Response(preferences_body(person_of(request)))

    @operation(
        "updatePreferences",
        tag="Preferences",
        body=PreferencesIn,
        answers={200: PreferencesOut},
        errors=[403],
    )
    @transaction.atomic
    def patch(self, request: Request) -> Response:
        """Change some; what is left out stays."""
        user, body = person_of(request), read_body(request, PreferencesIn)
        theme, dashboard = given(body.theme), given(body.management_dashboard)
        if theme is not None:
            change_preferences(user, theme=theme)
        changes: dict[str, Any] = {"updated_at": timezone.now()}
        if dashboard is not None:
            changes["management_dashboard"] = dashboard
        PersonPreference.objects.update_or_create(user=user, defaults=changes)
        return Response(preferences_body(user))
