from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.paging import FirstPages
from attachments.models import Attachment, Preview, Reconciliation, Removal, Sighting
from attachments.previews import want_again


@admin.register(Attachment)
class AttachmentAdmin(admin.ModelAdmin):
    list_display = ["filename", "mime_type", "size", "channel", "state", "created_at"]
    show_full_result_count = False
    paginator = FirstPages
    list_select_related = ["channel"]
    list_filter = ["state"]
    search_fields = ["filename", "=id"]
    raw_id_fields = [
        *("workspace", "channel", "message", "edit_of", "uploaded_by_key", "uploaded_by_user")
    ]
    readonly_fields = ["storage_key", "sha256", "size"]


@admin.register(Preview)
class PreviewAdmin(admin.ModelAdmin):
    list_display = ["attachment", "kind", "state", "failure", "attempts", "created_at", "made_at"]
    show_full_result_count = False
    paginator = FirstPages
    list_select_related = ["attachment"]
    list_filter = ["state", "kind", "failure"]
    search_fields = ["attachment__filename", "=attachment__id"]
    readonly_fields = [field.name for field in Preview._meta.fields]  # noqa: SLF001  # documented
    actions = ["make_again"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description=_("Make again"))
    def make_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        want_again(queryset)


@admin.register(Removal)
class RemovalAdmin(admin.ModelAdmin):
    list_display = ["key", "due_at"]
    search_fields = ["key"]
    readonly_fields = ["key", "due_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Sighting)
class SightingAdmin(admin.ModelAdmin):
    list_display = ["key", "first_seen_at", "last_seen_at"]
    search_fields = ["key"]
    readonly_fields = ["key", "first_seen_at", "last_seen_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Reconciliation)
class ReconciliationAdmin(admin.ModelAdmin):
    list_display = ["day", "started_at", "finished_at", "counts"]
    readonly_fields = ["day", "started_at", "finished_at", "counts"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
