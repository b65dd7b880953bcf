from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from delivery.models import (
    Attempt,
    Delivery,
    EngineBeat,
    Event,
    FeedHead,
    GoneUrl,
    Lane,
    SigningKeyPair,
    SigningSecret,
)


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that the engine writes and people look at."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class AttemptInline(admin.TabularInline):
    model = Attempt
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        return False


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["id", "type", "reference", "workspace", "created_at"]
    list_select_related = ["workspace"]
    list_filter = ["type"]
    search_fields = ["=id", "=reference"]
    exclude = ["body"]


@admin.register(Lane)
class LaneAdmin(admin.ModelAdmin):
    list_display = ["origin", "slot", "workspace", "lease_until", "fail_streak", "disabled_at"]
    list_select_related = ["workspace"]
    search_fields = ["origin"]
    raw_id_fields = ["workspace"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["event", "url", "state", "attempts", "next_attempt_at", "last_status"]
    list_select_related = ["event"]
    list_filter = ["state"]
    search_fields = ["=event__id", "=event__reference"]
    inlines = [AttemptInline]


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    list_display = ["delivery", "number", "started_at", "http_status", "duration_ms", "error"]
    list_select_related = ["delivery__event"]


@admin.register(GoneUrl)
class GoneUrlAdmin(admin.ModelAdmin):
    """Delete a row to send to that address again."""

    list_display = ["url", "workspace", "since", "reason"]
    list_select_related = ["workspace"]
    raw_id_fields = ["workspace"]


@admin.register(SigningSecret)
class SigningSecretAdmin(ReadOnlyAdmin):
    list_display = ["scope", "workspace", "created_at", "expires_at"]
    list_select_related = ["workspace"]
    exclude = ["secret"]


@admin.register(SigningKeyPair)
class SigningKeyPairAdmin(ReadOnlyAdmin):
    list_display = ["public_key", "workspace", "created_at", "expires_at"]
    list_select_related = ["workspace"]
    exclude = ["private_key"]


@admin.register(FeedHead)
class FeedHeadAdmin(ReadOnlyAdmin):
    list_display = ["workspace", "position"]
    list_select_related = ["workspace"]


@admin.register(EngineBeat)
class EngineBeatAdmin(ReadOnlyAdmin):
    list_display = ["name", "seen_at"]
