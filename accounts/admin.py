from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey, Invitation, Membership, Session, User, Workspace
from accounts.paging import FirstPages
from accounts.services import issue_key, revoke_key


class MembershipInline(admin.TabularInline):
    model = Membership
    raw_id_fields = ["user"]
    extra = 0


@admin.register(User)
class PersonAdmin(UserAdmin):
    list_display = ["email", "display_name", "is_active", "is_staff", "created_at"]
    list_filter = ["is_active", "is_staff"]
    search_fields = ["email", "display_name"]
    ordering = ["email"]
    readonly_fields = ["created_at", "last_login"]
    fieldsets = [
        (None, {"fields": ["email", "display_name", "password", "must_change_password"]}),
        (_("Rights"), {"fields": ["is_active", "is_staff", "is_superuser"]}),
        (_("Times"), {"fields": ["created_at", "last_login"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "display_name", "password1", "password2"]})]


@admin.register(Workspace)
class WorkspaceAdmin(admin.ModelAdmin):
    list_display = ["name", "created_at"]
    search_fields = ["name"]
    inlines = [MembershipInline]


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    list_display = ["user", "workspace", "role", "created_at"]
    list_select_related = ["user", "workspace"]
    list_filter = ["role"]
    search_fields = ["user__email", "workspace__name"]
    raw_id_fields = ["user", "workspace"]


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):
    """Keys are issued here and shown once; afterwards they can only be revoked."""

    list_display = ["label", "key_prefix", "workspace", "last_used_at", "revoked_at"]
    list_select_related = ["workspace"]
    search_fields = ["label", "key_prefix"]
    fields = ["workspace", "label", "expires_at"]
    raw_id_fields = ["workspace"]
    actions = ["revoke"]

    def save_model(
        self,
        request: HttpRequest,
        obj: ApiKey,
        form: forms.ModelForm,
        change: bool,  # noqa: FBT001
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        person = request.user if isinstance(request.user, User) else None
        issued = issue_key(
            workspace=obj.workspace,
            created_by=person,
            label=obj.label,
            expires_at=obj.expires_at,
        )
        obj.pk = issued.row.pk
        shown = _("The key, shown only this once: %(key)s") % {"key": issued.clear}
        self.message_user(request, shown, messages.WARNING)

    @admin.action(description=_("Revoke the selected keys"))
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        for key in keys:
            revoke_key(key, now=timezone.now())


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):
    """Looked at only: the link is shown once, to the person who made it."""

    list_display = ["email", "workspace", "role", "created_by", "expires_at", "accepted_at"]
    list_select_related = ["workspace", "created_by"]
    search_fields = ["email"]
    readonly_fields = [
        "workspace",
        "email",
        "role",
        "created_by",
        "created_at",
        "expires_at",
        "accepted_at",
        "revoked_at",
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Session)
class SessionAdmin(admin.ModelAdmin):
    """Looked at, and ended. Addresses are between a person and themselves, so not here."""

    list_display = ["user", "signed_in_at", "last_seen_at", "expires_at"]
    show_full_result_count = False
    paginator = FirstPages
    list_select_related = ["user"]
    search_fields = ["user__email"]
    fields = ["user", "signed_in_at", "last_seen_at", "expires_at"]
    readonly_fields = ["user", "signed_in_at", "last_seen_at", "expires_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
