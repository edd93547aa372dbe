"""`manage.py first_start`: what a new installation needs before anybody signs in."""

import secrets
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from accounts.models import User
from projects.jobs import enqueue
from projects.models import Project
from projects.sourcing import SourceRefused, add_source, create_project
from providers.seeding import seed_providers

PROJECT = "nightowl"
USER = "admin"


class Command(BaseCommand):
    help = "Make the first admin and the first project; does nothing that was done before."

    def handle(self, *args: Any, **options: Any) -> None:
        seed_providers()
        admin = User.objects.filter(role=User.Role.ADMIN).order_by("created_at").first()
        if admin is None:
            admin = self._make_admin()
        if not Project.objects.exists():
            self._make_project(admin)
        for project in Project.objects.filter(name=PROJECT):
            for source in project.sources.filter(path=str(settings.BASE_DIR)):
                enqueue(source)

    def _make_admin(self) -> User:
        password = secrets.token_urlsafe(12)
        admin = User.objects.create_superuser(USER, password)
        self.stdout.write(f"user: {USER}")
        self.stdout.write(f"password: {password}")
        return admin

    def _make_project(self, admin: User) -> None:
        project = create_project(admin, PROJECT, "Nightowl's own code and documents.")
        try:
            add_source(project, by=admin, name="checkout", path=str(settings.BASE_DIR))
        except SourceRefused as refusal:
            self.stderr.write(f"Nightowl's own checkout was not added: {refusal}")
