"""The person at the machine, who acts with the rights of a project's owner."""

from django.core.management.base import CommandError

from accounts.models import User
from accounts.viewers import Viewer
from projects.models import Project


def find_project(name: str) -> Project:
    project = Project.objects.select_related("owner").filter(name=name).first()
    if project is None:
        known = ", ".join(Project.objects.order_by("name").values_list("name", flat=True)[:20])
        raise CommandError(f"There is no project “{name}”. There are: {known or 'none yet'}.")
    return project


def operator_of(project: Project) -> Viewer:
    return Viewer(project.owner)


def first_admin() -> User:
    admin = User.objects.filter(role=User.Role.ADMIN, is_active=True).order_by("created_at").first()
    if admin is None:
        raise CommandError("There is no admin yet: `manage.py createsuperuser` makes one.")
    return admin
