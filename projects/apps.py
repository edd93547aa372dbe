from django.apps import AppConfig

from projects import checks

__all__ = ["ProjectsConfig", "checks"]


class ProjectsConfig(AppConfig):
    name = "projects"
