"""People, their keys, and the record of what was done, for admins."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import BaseUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from accounts.auditing import record
from accounts.models import ApiKey, AuditEntry, User

admin.site.site_header = admin.site.site_title = "Nightowl administration"
admin.site.index_title = "Everything that is kept"
admin.site.unregister(Group)


@login_not_required
def _same_door(request: HttpRequest, extra_context: object = None) -> HttpResponseBase:
    """Send people to the one page that lets them in, which slows down those who guess."""
    if request.user.is_authenticated:
        raise PermissionDenied
    wanted = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
    return redirect_to_login(wanted)


admin.site.login = _same_door  # type: ignore[method-assign, assignment]


class DeletedWhole(admin.ModelAdmin[Any]):
    """Rows that take much with them: the page names them, and not each of a million chunks."""

    def get_deleted_objects(
        self, objs: Iterable[Any], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        names = [str(thing) for thing in objs]
        return names, {str(self.opts.verbose_name_plural): len(names)}, set(), []


class WrittenBySystem(admin.ModelAdmin[Any]):
    """Rows that the system writes: people look, and delete what may be deleted."""

    may_delete = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_delete and super().has_delete_permission(request, obj)


class NewUserForm(BaseUserCreationForm[User]):
    class Meta:
        model = User
        fields = ("username",)


class UserForm(UserChangeForm[User]):
    class Meta:
        model = User
        fields = ("username", "name", "email", "role", "github_id", "is_active")


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    add_form = NewUserForm
    form = UserForm
    list_display = ("username", "name", "email", "role", "is_active", "last_login", "created_at")
    list_filter = ("role", "is_active")
    search_fields = ("username", "name", "email")
    ordering = ("username",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("username", "password", "name", "email")}),
        ("Rights", {"fields": ("role", "is_active")}),
        ("Elsewhere", {"fields": ("github_id",)}),
        ("When", {"fields": ("last_login", "created_at", "updated_at")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "password1", "password2")}),)
    actions = ("soft_delete",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # What a person wrote stays theirs: the action below ends the account instead.
        return False

    def save_model(
        self, request: HttpRequest, obj: User, form: forms.ModelForm[User], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        if isinstance(request.user, User):
            record(request.user, "changed" if change else "added", obj, role=obj.role)

    @admin.action(description="Delete the selected people; what they wrote stays")
    def soft_delete(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        if not isinstance(request.user, User):
            return
        others = queryset.exclude(pk=request.user.pk)
        for user in others:
            user.soft_delete()
            record(request.user, "deleted", user)
        if queryset.filter(pk=request.user.pk).exists():
            self.message_user(request, "You can't delete yourself.", messages.WARNING)


@admin.register(AuditEntry)
class AuditEntryAdmin(WrittenBySystem):
    list_display = ("created_at", "actor_name", "action", "kind", "object_name")
    list_filter = ("kind", "action")
    search_fields = ("actor_name", "object_name")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)


@admin.register(ApiKey)
class ApiKeyAdmin(WrittenBySystem):
    """Keys are issued by their people; an admin sees who has which, and revokes."""

    list_display = ("name", "prefix", "user", "scopes", "expires_at", "last_used_at", "revoked_at")
    list_filter = ("revoked_at",)
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__username")
    ordering = ("-created_at",)
    fields: ClassVar[tuple[str, ...]] = (
        "name",
        "prefix",
        "user",
        "scopes",
        "expires_at",
        "last_used_at",
        "revoked_at",
        "created_at",
    )
    readonly_fields = fields
    actions = ("revoke",)

    @admin.action(description="Revoke the selected keys", permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        if not isinstance(request.user, User):
            return
        keys = queryset.filter(revoked_at=None)
        for key in keys:
            key.revoke()
            record(request.user, "revoked", key)
        self.message_user(request, "The keys open nothing any more.")
