from django.urls import path

from conversations import views

urlpatterns = [
    path("projects/<uuid:project_id>/ask/", views.ask_project, name="project-ask"),
    path("conversations/<uuid:conversation_id>/", views.conversation, name="conversation"),
    path("conversations/<uuid:conversation_id>/ask/", views.ask_again, name="conversation-ask"),
    path("conversations/<uuid:conversation_id>/name/", views.rename, name="conversation-rename"),
    path("conversations/<uuid:conversation_id>/delete/", views.delete, name="conversation-delete"),
    path("messages/<uuid:message_id>/stream/", views.stream, name="message-stream"),
    path("messages/<uuid:message_id>/stop/", views.stop, name="message-stop"),
    path("messages/<uuid:message_id>/feedback/", views.feedback, name="message-feedback"),
    path("messages/<uuid:message_id>/gap/", views.report, name="message-gap"),
]
