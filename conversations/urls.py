from django.urls import path

from conversations import keeping_views, views

CONVERSATION = "conversations/<uuid:conversation_id>/"
MESSAGE = "messages/<uuid:message_id>/"

urlpatterns = [
    path("projects/<uuid:project_id>/ask/", views.ask_project, name="project-ask"),
    path("projects/<uuid:project_id>/conversations/", views.conversations, name="conversations"),
    path(CONVERSATION, views.conversation, name="conversation"),
    path(f"{CONVERSATION}ask/", views.ask_further, name="conversation-ask"),
    path(f"{CONVERSATION}name/", keeping_views.rename, name="conversation-rename"),
    path(f"{CONVERSATION}pin/", keeping_views.pin, name="conversation-pin"),
    path(f"{CONVERSATION}share/", keeping_views.share, name="conversation-share"),
    path(f"{CONVERSATION}model/", keeping_views.choose_provider, name="conversation-provider"),
    path(f"{CONVERSATION}delete/", keeping_views.delete, name="conversation-delete"),
    path(f"{CONVERSATION}restore/", keeping_views.restore, name="conversation-restore"),
    path(f"{MESSAGE}stream/", views.stream, name="message-stream"),
    path(f"{MESSAGE}stop/", views.stop, name="message-stop"),
    path(f"{MESSAGE}ask/", views.ask_otherwise, name="message-ask"),
    path(f"{MESSAGE}anew/", views.answer_anew, name="message-anew"),
    path(f"{MESSAGE}show/", views.show, name="message-show"),
    path(f"{MESSAGE}feedback/", views.feedback, name="message-feedback"),
    path(f"{MESSAGE}gap/", views.report, name="message-gap"),
]
