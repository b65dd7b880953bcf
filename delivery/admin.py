"""What operators see and may do: deliveries and their receivers, of every workspace."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.ids import uuid7
from accounts.paging import FirstPages
from delivery.addresses import shown_address, shown_reason
from delivery.lanes import enable
from delivery.models import (
    Attempt,
    Delivery,
    EngineBeat,
    Event,
    FeedHead,
    GoneUrl,
    Lane,
    Push,
    PushKey,
    PushSubscription,
    SigningKeyPair,
    SigningSecret,
)
from delivery.outbox import cancel, repeat
from delivery.queries import overview


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that the engine writes and people look at."""

    show_full_result_count = False
    paginator = FirstPages

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Who could change rows of this kind may use the actions, which change them safely."""
        return super().has_change_permission(request)


ATTEMPT_FIELDS = (
    "number",
    "started_at",
    "ended_at",
    "ip",
    "http_status",
    "duration_ms",
    "reason",
    "response_head",
)


class AttemptInline(admin.TabularInline):
    model = Attempt
    extra = 0
    can_delete = False
    fields = list(ATTEMPT_FIELDS)
    readonly_fields = ["reason"]

    @admin.display(description=_("error"))
    def reason(self, attempt: Attempt) -> str:
        return shown_reason(attempt.error)

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
class LaneAdmin(ReadOnlyAdmin):
    """Receivers. Each origin has up to four lanes in a workspace."""

    list_display = [
        "origin",
        "slot",
        "workspace",
        "fail_streak",
        "failing_since",
        "open_until",
        "lease_until",
        "disabled_at",
    ]
    list_select_related = ["workspace"]
    list_filter = [("disabled_at", admin.EmptyFieldListFilter), "workspace"]
    search_fields = ["origin"]
    actions = ["switch_on"]

    @admin.action(description=_("Switch on"), permissions=["act"])
    def switch_on(self, request: HttpRequest, lanes: QuerySet[Lane]) -> None:
        number = enable(lanes)
        text = ngettext(
            "%(number)d lane was switched on.", "%(number)d lanes were switched on.", number
        )
        self.message_user(request, text % {"number": number})


class MadeFilter(admin.SimpleListFilter):
    """Ids follow the time, so this needs no index of its own."""

    title = _("made")
    parameter_name = "made"
    spans = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        return [("hour", _("Past hour")), ("day", _("Past day")), ("week", _("Past week"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        span = self.spans.get(self.value() or "")
        return queryset.filter(pk__gte=uuid7(timezone.now() - span)) if span else queryset


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """With what waits and what ended lately on top."""

    change_list_template = "admin/deliveries.html"
    list_display = [
        "event",
        "state",
        "attempts",
        "last_status",
        "next_attempt_at",
        "address",
        "reason",
        "workspace",
        "created_at",
    ]
    list_select_related = ["event__workspace"]
    list_filter = ["state", MadeFilter, "event__workspace"]
    search_fields = ["=event__id", "=event__reference", "=signing_scope", "lane__origin"]
    search_help_text = _("An event id, a message id, a channel id, or part of a receiver's origin")
    ordering = ["-id"]
    fields = [
        "event",
        "address",
        "method",
        "lane",
        "state",
        "attempts",
        "next_attempt_at",
        "give_up_at",
        "finished_at",
        "last_status",
        "reason",
        "replay_no",
        "replay_of",
        "created_at",
    ]
    readonly_fields = ["address", "reason"]
    inlines = [AttemptInline]
    actions = ["send_again", "cancel"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return super().get_queryset(request).defer("headers_json", "event__body")

    @admin.display(description=_("address"))
    def address(self, delivery: Delivery) -> str:
        return shown_address(delivery.url)

    @admin.display(description=_("last error"))
    def reason(self, delivery: Delivery) -> str:
        return shown_reason(delivery.last_error)

    @admin.display(description=_("workspace"))
    def workspace(self, delivery: Delivery) -> str:
        return delivery.event.workspace.name

    @admin.action(description=_("Send again"), permissions=["act"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> None:
        """The same event with the same id to the same address; only what failed for good."""
        whole = chosen.defer(None).select_related("event")
        number = repeat(whole.order_by("pk"), now=timezone.now())
        text = ngettext("%(number)d is sent again.", "%(number)d are sent again.", number)
        self.message_user(request, text % {"number": number})

    @admin.action(description=_("Cancel what waits"), permissions=["act"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> None:
        waiting = Delivery.objects.filter(pk__in=[delivery.pk for delivery in chosen])
        number = cancel(waiting, now=timezone.now())
        text = ngettext("%(number)d was cancelled.", "%(number)d were cancelled.", number)
        self.message_user(request, text % {"number": number})

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        shown = {"overview": overview(timezone.now())}
        return super().changelist_view(request, (extra_context or {}) | shown)


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    list_display = ["delivery_id", "number", "started_at", "http_status", "duration_ms", "reason"]
    fields = list(ATTEMPT_FIELDS)
    readonly_fields = ["reason"]
    ordering = ["-id"]

    @admin.display(description=_("error"))
    def reason(self, attempt: Attempt) -> str:
        return shown_reason(attempt.error)


@admin.register(GoneUrl)
class GoneUrlAdmin(admin.ModelAdmin):
    """Delete a row to send to that address again."""

    list_display = ["address", "workspace", "since", "reason"]
    list_select_related = ["workspace"]
    fields = ["address", "workspace", "since", "reason"]
    readonly_fields = ["address", "workspace", "since", "reason"]

    @admin.display(description=_("address"))
    def address(self, gone: GoneUrl) -> str:
        return shown_address(gone.url)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


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


@admin.register(PushKey)
class PushKeyAdmin(ReadOnlyAdmin):
    list_display = ["public_key", "is_live", "created_at"]
    exclude = ["private_key"]


@admin.register(PushSubscription)
class PushSubscriptionAdmin(ReadOnlyAdmin):
    """Devices. Delete one to notify it no more."""

    list_display = ["label", "user", "created_at", "last_sent_at", "last_error"]
    list_select_related = ["user"]
    search_fields = ["user__email"]
    exclude = ["endpoint", "auth", "p256dh"]


@admin.register(Push)
class PushAdmin(ReadOnlyAdmin):
    list_display = ["about", "subscription", "attempts", "due_at", "sent_at"]
    list_select_related = ["subscription"]
    exclude = ["payload"]
