"""Pages about nights, reviews, findings, standards and the reviewer's own record."""

from django.urls import path

from reviews import finding_views, plan_views, record_views, views

OF_PROJECT = "projects/<uuid:project_id>/reviews/"

urlpatterns = [
    path(OF_PROJECT, views.reviews, name="reviews"),
    path(f"{OF_PROJECT}now/", views.review_now, name="review-now"),
    path(f"{OF_PROJECT}runs/", views.nightly_runs, name="nightly-runs"),
    path(f"{OF_PROJECT}findings/", finding_views.findings, name="findings"),
    path(f"{OF_PROJECT}record/", record_views.track_record, name="review-record"),
    path(f"{OF_PROJECT}mute/", record_views.rule_mute, name="rule-mute"),
    path(f"{OF_PROJECT}unmute/", record_views.rule_unmute, name="rule-unmute"),
    path(f"{OF_PROJECT}conventions/", record_views.scores, name="conventions"),
    path(f"{OF_PROJECT}standards/", plan_views.standards, name="standards"),
    path(f"{OF_PROJECT}standards/new/", plan_views.standard_new, name="standard-new"),
    path(f"{OF_PROJECT}plan/", plan_views.plan, name="review-plan"),
    path(f"{OF_PROJECT}webhooks/", plan_views.webhook_add, name="webhook-add"),
    path("webhooks/<uuid:webhook_id>/", plan_views.webhook_change, name="webhook-change"),
    path("standards/<uuid:standard_id>/", plan_views.standard_edit, name="standard-edit"),
    path(
        "standards/<uuid:standard_id>/delete/", plan_views.standard_delete, name="standard-delete"
    ),
    path("nights/<uuid:run_id>/", views.nightly_run, name="nightly-run"),
    path("nights/<uuid:run_id>/progress/", views.nightly_run_progress, name="nightly-progress"),
    path("nights/<uuid:run_id>/cancel/", views.nightly_run_cancel, name="nightly-cancel"),
    path("reviews/<uuid:review_id>/", views.review, name="review"),
    path("findings/<uuid:finding_id>/", finding_views.finding, name="finding"),
    path("findings/<uuid:finding_id>/decide/", finding_views.finding_decide, name="finding-decide"),
    path("findings/<uuid:finding_id>/task/", finding_views.finding_task, name="finding-task"),
    path(
        "test-suggestions/<uuid:suggestion_id>/settle/",
        finding_views.suggestion_settle,
        name="suggestion-settle",
    ),
    path(
        "test-suggestions/<uuid:suggestion_id>/task/",
        finding_views.suggestion_task,
        name="suggestion-task",
    ),
]
