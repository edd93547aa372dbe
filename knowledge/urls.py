"""Pages about sources, search and files."""

from django.urls import path

from knowledge import source_views, views

urlpatterns = [
    path("projects/<uuid:project_id>/search/", views.search_page, name="search"),
    path("projects/<uuid:project_id>/sources/", source_views.sources, name="sources"),
    path("projects/<uuid:project_id>/sources/new/", source_views.source_new, name="source-new"),
    path("sources/<uuid:source_id>/", source_views.source, name="source"),
    path(
        "sources/<uuid:source_id>/progress/", source_views.source_progress, name="source-progress"
    ),
    path("sources/<uuid:source_id>/sync/", source_views.source_sync, name="source-sync"),
    path("sources/<uuid:source_id>/cancel/", source_views.source_cancel, name="source-cancel"),
    path("sources/<uuid:source_id>/settings/", source_views.source_edit, name="source-edit"),
    path("sources/<uuid:source_id>/delete/", source_views.source_delete, name="source-delete"),
    path("sources/<uuid:source_id>/upload/", source_views.source_upload, name="source-upload"),
    path("sources/<uuid:source_id>/files/", views.files, name="files"),
    path("sources/<uuid:source_id>/at/<str:commit>/<path:path>", views.file, name="file"),
    path("sources/<uuid:source_id>/raw/<str:commit>/<path:path>", views.file_raw, name="file-raw"),
]
