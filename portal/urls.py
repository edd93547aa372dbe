"""Pages that join the apps."""

from django.urls import path

from portal import views
from portal.diagrams import diagram_frame

urlpatterns = [
    path("", views.home, name="home"),
    path("diagram/", diagram_frame, name="diagram-frame"),
    path("help/", views.help_page, name="help"),
    path("projects/<uuid:project_id>/", views.project, name="project"),
]
