from django.contrib import admin

from attachments.models import Attachment


@admin.register(Attachment)
class AttachmentAdmin(admin.ModelAdmin):
    list_display = ["filename", "mime_type", "size", "channel", "state", "created_at"]
    list_select_related = ["channel"]
    list_filter = ["state"]
    search_fields = ["filename", "=id"]
    raw_id_fields = ["workspace", "channel", "message", "uploaded_by_key", "uploaded_by_user"]
    readonly_fields = ["storage_key", "sha256", "size"]
