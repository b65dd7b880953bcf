from django.contrib import admin
from django.http import HttpRequest

from accounts.paging import FirstPages
from reviews.models import PluginConfig, ReviewRead, ReviewRequest


@admin.register(ReviewRequest)
class ReviewRequestAdmin(admin.ModelAdmin):
    """To look at. A review is closed by its own door only, never by an edited row."""

    list_display = ["message_id", "kind", "channel", "status", "expires_at", "decided_by"]
    list_select_related = ["channel", "decided_by"]
    list_filter = ["status", "kind"]
    search_fields = ["=message__id"]
    exclude = ["form_token"]
    show_full_result_count = False
    paginator = FirstPages

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ReviewRequest | None = None) -> bool:
        return False


@admin.register(ReviewRead)
class ReviewReadAdmin(admin.ModelAdmin):
    """To look at: who has seen what."""

    list_display = ["review_id", "user", "read_at"]
    list_select_related = ["user"]
    raw_id_fields = ["review", "user"]
    show_full_result_count = False
    paginator = FirstPages

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ReviewRead | None = None) -> bool:
        return False


@admin.register(PluginConfig)
class PluginConfigAdmin(admin.ModelAdmin):
    """To look at; the workspace's own people set values, and nobody sees the secret ones."""

    list_display = ["name", "version", "workspace", "enabled", "updated_at"]
    list_select_related = ["workspace"]
    list_filter = ["enabled"]
    search_fields = ["name"]
    exclude = ["values_json"]
    show_full_result_count = False
    paginator = FirstPages

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: PluginConfig | None = None) -> bool:
        return False
