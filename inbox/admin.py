from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.paging import FirstPages
from inbox.models import Channel, ChannelPicture, Message, Mute, StatusChange, StatusEvent, Thread
from inbox.services.pictures import remove_picture


@admin.register(Channel)
class ChannelAdmin(admin.ModelAdmin):
    list_display = ["name", "workspace", "status", "webhook_url", "created_at"]
    list_select_related = ["workspace"]
    list_filter = ["status"]
    search_fields = ["name", "id"]
    raw_id_fields = ["workspace", "parent"]
    readonly_fields = ["created_at"]


@admin.register(ChannelPicture)
class ChannelPictureAdmin(admin.ModelAdmin):
    """To take a picture away; it is set by the API, which draws it anew."""

    list_display = ["channel"]
    list_select_related = ["channel"]
    search_fields = ["channel__name"]
    readonly_fields = ["channel"]
    exclude = ["content"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: ChannelPicture) -> None:
        remove_picture(obj.channel)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ChannelPicture]) -> None:
        for picture in queryset.select_related("channel"):
            remove_picture(picture.channel)


@admin.register(Mute)
class MuteAdmin(admin.ModelAdmin):
    list_display = ["user", "channel", "created_at"]
    list_select_related = ["user", "channel"]
    raw_id_fields = ["user", "channel"]


@admin.register(Thread)
class ThreadAdmin(admin.ModelAdmin):
    list_display = ["id", "channel", "source", "title", "foreign_id", "created_at"]
    list_select_related = ["channel"]
    search_fields = ["=id", "=foreign_id", "title"]
    raw_id_fields = ["channel"]
    show_full_result_count = False
    paginator = FirstPages


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
    list_display = [
        "id",
        "channel",
        "sender",
        "source",
        "source_author_name",
        "text_start",
        "delivery_status",
        "created_at",
    ]
    list_select_related = ["channel"]
    list_filter = ["sender", "delivery_status"]
    search_fields = ["=id", "=source_id"]
    raw_id_fields = ["workspace", "channel", "thread", "reply_to", "author"]
    show_full_result_count = False
    paginator = FirstPages

    @admin.display(description="text")
    def text_start(self, message: Message) -> str:
        return (message.text or "")[:80]


@admin.register(StatusChange)
class StatusChangeAdmin(admin.ModelAdmin):
    list_display = ["channel", "status", "message", "changed_at"]
    show_full_result_count = False
    paginator = FirstPages
    list_select_related = ["channel"]
    list_filter = ["status"]
    raw_id_fields = ["channel"]


@admin.register(StatusEvent)
class StatusEventAdmin(admin.ModelAdmin):
    list_display = ["channel", "stream_id", "index", "tool_hint", "created_at"]
    show_full_result_count = False
    paginator = FirstPages
    list_select_related = ["channel"]
    raw_id_fields = ["channel"]
