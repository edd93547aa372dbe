"""Pages about sources, documents, search and files."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from knowledge import (
    document_views,
    drop_views,
    explain_views,
    gap_views,
    golden_views,
    overview_views,
    source_views,
    space_views,
    views,
)


class FilePathConverter(StringConverter):
    """The path of a file: any characters, among them the line breaks that Django's own refuses."""

    regex = "(?s:.+)"


register_converter(FilePathConverter, "file_path")

SEARCH_MODEL = "settings/search-model/"

urlpatterns = [
    path("projects/<uuid:project_id>/search/", views.search_page, name="search"),
    path("projects/<uuid:project_id>/search/why/", explain_views.explain_page, name="search-why"),
    path(
        "projects/<uuid:project_id>/search/keep/", explain_views.keep_as_golden, name="search-keep"
    ),
    path("projects/<uuid:project_id>/overview/", overview_views.overview_page, name="overview"),
    path(
        "projects/<uuid:project_id>/overview/remake/",
        overview_views.overview_remake,
        name="overview-remake",
    ),
    path("projects/<uuid:project_id>/golden/", golden_views.golden, name="golden"),
    *(
        path(f"projects/<uuid:project_id>/golden/{name}/", view, name=f"golden-{name}")
        for name, view in {
            "new": golden_views.golden_new,
            "undo": golden_views.golden_undo,
            "import": golden_views.golden_import,
            "export": golden_views.golden_export,
            "run": golden_views.golden_run,
            "progress": golden_views.golden_progress,
        }.items()
    ),
    path("golden/<uuid:question_id>/edit/", golden_views.golden_edit, name="golden-edit"),
    path("golden/<uuid:question_id>/delete/", golden_views.golden_delete, name="golden-delete"),
    path("evaluations/<uuid:evaluation_id>/", golden_views.evaluation, name="evaluation"),
    path(
        "evaluations/<uuid:evaluation_id>/dismiss/",
        golden_views.evaluation_dismiss,
        name="evaluation-dismiss",
    ),
    path("projects/<uuid:project_id>/gaps/", gap_views.gaps, name="gaps"),
    path("gaps/<uuid:gap_id>/", gap_views.gap_settle, name="gap-settle"),
    path("gaps/<uuid:gap_id>/task/", gap_views.gap_task, name="gap-task"),
    path("projects/<uuid:project_id>/documents/", document_views.documents, name="documents"),
    path(
        "projects/<uuid:project_id>/documents/new/",
        document_views.document_new,
        name="document-new",
    ),
    path(
        "projects/<uuid:project_id>/documents/undo/",
        document_views.document_undo,
        name="document-undo",
    ),
    path("documents/<uuid:document_id>/", document_views.document_page, name="document"),
    path("documents/<uuid:document_id>/edit/", document_views.document_edit, name="document-edit"),
    path(
        "documents/<uuid:document_id>/history/",
        document_views.document_history,
        name="document-history",
    ),
    path(
        "documents/<uuid:document_id>/restore/",
        document_views.document_restore,
        name="document-restore",
    ),
    path(
        "documents/<uuid:document_id>/delete/",
        document_views.document_delete,
        name="document-delete",
    ),
    path("projects/<uuid:project_id>/sources/", source_views.sources, name="sources"),
    path("projects/<uuid:project_id>/sources/new/", source_views.source_new, name="source-new"),
    path("sources/<uuid:source_id>/", source_views.source, name="source"),
    path(
        "sources/<uuid:source_id>/progress/", source_views.source_progress, name="source-progress"
    ),
    path("sources/<uuid:source_id>/sync/", source_views.source_sync, name="source-sync"),
    path("sources/<uuid:source_id>/cancel/", source_views.source_cancel, name="source-cancel"),
    path("sources/<uuid:source_id>/retry/", source_views.source_retry, name="source-retry"),
    path("sources/<uuid:source_id>/answer/", source_views.source_answer, name="source-answer"),
    path("sources/<uuid:source_id>/settings/", source_views.source_edit, name="source-edit"),
    path("sources/<uuid:source_id>/delete/", source_views.source_delete, name="source-delete"),
    path("projects/<uuid:project_id>/drop/", drop_views.drop, name="project-drop"),
    path("sources/<uuid:source_id>/upload/", source_views.source_upload, name="source-upload"),
    path("sources/<uuid:source_id>/files/", views.files, name="files"),
    path("sources/<uuid:source_id>/at/<str:commit>/<file_path:path>", views.file, name="file"),
    path(
        "sources/<uuid:source_id>/raw/<str:commit>/<file_path:path>",
        views.file_raw,
        name="file-raw",
    ),
    path(SEARCH_MODEL, space_views.spaces, name="spaces"),
    path(f"{SEARCH_MODEL}progress/", space_views.spaces_progress, name="spaces-progress"),
    path(f"{SEARCH_MODEL}new/", space_views.space_new, name="space-new"),
    path(f"{SEARCH_MODEL}back/", space_views.space_roll_back, name="space-roll-back"),
    path(f"{SEARCH_MODEL}<uuid:space_id>/limits/", space_views.space_edit, name="space-edit"),
    path(f"{SEARCH_MODEL}<uuid:space_id>/build/", space_views.space_build, name="space-build"),
    path(
        f"{SEARCH_MODEL}<uuid:space_id>/compare/", space_views.space_compare, name="space-compare"
    ),
    path(
        f"{SEARCH_MODEL}<uuid:space_id>/reconcile/",
        space_views.space_reconcile,
        name="space-reconcile",
    ),
    path(
        f"{SEARCH_MODEL}<uuid:space_id>/rebuild/", space_views.space_rebuild, name="space-rebuild"
    ),
    path(f"{SEARCH_MODEL}<uuid:space_id>/use/", space_views.space_activate, name="space-activate"),
    path(f"{SEARCH_MODEL}<uuid:space_id>/retire/", space_views.space_retire, name="space-retire"),
]
