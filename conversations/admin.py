"""What people asked and what was answered, for admins."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin import DeletedWhole, WrittenBySystem
from conversations import asking
from conversations.models import Conversation, Message


@admin.register(Conversation)
class ConversationAdmin(WrittenBySystem, DeletedWhole):
    may_delete = True
    list_display = ("title", "project", "user", "provider", "updated_at")
    list_select_related = ("project", "user", "provider")
    search_fields = ("title", "user__username", "project__name")
    ordering = ("-updated_at", "pk")


@admin.register(Message)
class MessageAdmin(WrittenBySystem):
    list_display = ("beginning", "conversation", "role", "state", "feedback", "created_at")
    list_filter = ("role", "state", "feedback")
    list_select_related = ("conversation",)
    search_fields = ("conversation__title",)
    ordering = ("-created_at", "pk")
    exclude = ("sources",)
    actions = ("stop",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        return super().get_queryset(request).defer("sources")

    @admin.display(description="message")
    def beginning(self, message: Message) -> str:
        return message.content[:80]

    @admin.action(description="Stop the selected answers", permissions=["view"])
    def stop(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        for message in queryset:
            asking.stop(message)
