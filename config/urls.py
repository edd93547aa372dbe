"""The map of the pages."""

from django.contrib import admin
from django.urls import include, path

from config.health import healthz, readyz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("projects.urls")),
    path("", include("providers.urls")),
    path("", include("knowledge.urls")),
    path("", include("conversations.urls")),
    path("", include("reviews.urls")),
    path("", include("config.api")),
    path("", include("portal.urls")),
]

handler500 = "config.busy.explain_failure"
