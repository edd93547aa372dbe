"""What every page's frame shows, read only when a template asks for it."""

from dataclasses import dataclass
from functools import cached_property

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from accounts.viewers import viewer_of
from projects.models import Project

THEMES = {"light", "dark"}
PROJECTS_SHOWN = 50


@dataclass
class Frame:
    request: HttpRequest

    @property
    def theme(self) -> str:
        theme = self.request.COOKIES.get("nightowl-theme", "")
        return theme if theme in THEMES else ""

    @cached_property
    def projects(self) -> list[Project]:
        """The projects to switch between."""
        if isinstance(getattr(self.request, "user", AnonymousUser()), AnonymousUser):
            return []
        found = Project.objects.visible_to(viewer_of(self.request)).only("pk", "name")
        return list(found.order_by("name")[:PROJECTS_SHOWN])


def frame(request: HttpRequest) -> dict[str, Frame]:
    return {"frame": Frame(request)}
