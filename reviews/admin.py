from django.contrib import admin
from django.http import HttpRequest

from reviews.models import ReviewRequest


@admin.register(ReviewRequest)
class ReviewRequestAdmin(admin.ModelAdmin):
    """To look at. A review is closed by its own door only, never by an edited row."""

    list_display = ["message_id", "kind", "channel", "status", "expires_at", "decided_by"]
    list_select_related = ["channel", "decided_by"]
    list_filter = ["status", "kind"]
    search_fields = ["=message__id"]
    exclude = ["form_token"]
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ReviewRequest | None = None) -> bool:
        return False
