"""Pages that join the apps."""

from django.urls import path

from portal import views

urlpatterns = [
    path("", views.home, name="home"),
    path("help/", views.help_page, name="help"),
    path("projects/<uuid:project_id>/", views.project, name="project"),
]
