"""Preferences (Placet contract 3.2)."""

from typing import Literal

from msgspec import UNSET, UnsetType

from api.placet.serializers.base import WireStruct

Theme = Literal["light", "dark", "system"]


class PreferencesIn(WireStruct):
    """What is left out stays."""

    theme: Theme | UnsetType = UNSET
    management_dashboard: bool | UnsetType = UNSET


class PreferencesOut(WireStruct):
    """`managementDashboard` is kept for Placet's web app; pages here do not look at it."""

    user_id: str
    theme: Theme
    management_dashboard: bool
    updated_at: str
