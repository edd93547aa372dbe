"""Pages about projects, their members, and the keys of a person."""

from django.urls import path

from projects import task_views, views

urlpatterns = [
    path("account/keys/", views.api_keys, name="api-keys"),
    path("account/keys/<uuid:key_id>/revoke/", views.api_key_revoke, name="api-key-revoke"),
    path("projects/new/", views.project_new, name="project-new"),
    path("projects/<uuid:project_id>/settings/", views.project_edit, name="project-edit"),
    path("projects/<uuid:project_id>/delete/", views.project_delete, name="project-delete"),
    path("projects/<uuid:project_id>/tasks/", task_views.tasks, name="tasks"),
    path("tasks/<uuid:task_id>/", task_views.task, name="task"),
    path("tasks/<uuid:task_id>/status/", task_views.task_status, name="task-status"),
    path("projects/<uuid:project_id>/members/", views.members, name="members"),
    path(
        "projects/<uuid:project_id>/members/<uuid:membership_id>/",
        views.member_change,
        name="member-change",
    ),
]
