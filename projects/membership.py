"""Who belongs to a project, and as what. A project keeps at least one owner."""

from uuid import UUID

from django.db import transaction

from accounts.auditing import record
from accounts.models import User
from accounts.viewers import Viewer
from projects.models import Membership, Project


class LastOwner(Exception):
    """The change would leave the project without an owner."""

    def __init__(self) -> None:
        super().__init__("A project needs an owner: make somebody else an owner first.")


class MemberRefused(Exception):
    """Nobody can be added so; the message says why."""


def role_of(viewer: Viewer, project_id: UUID) -> str:
    """Return the viewer's role in a project, or nothing for a stranger."""
    role = (
        Membership.objects.filter(
            project__in=Project.objects.visible_to(viewer).filter(pk=project_id), user=viewer.user
        )
        .values_list("role", flat=True)
        .first()
    )
    return role or ""


@transaction.atomic
def add_member(project: Project, *, by: User, username: str, role: str) -> Membership:
    """Return the new membership of a person, found by their username."""
    user = User.objects.filter(username__iexact=username.strip(), is_active=True).first()
    if user is None:
        raise MemberRefused("Nobody here has this username.")
    membership, is_new = Membership.objects.get_or_create(
        project=project, user=user, defaults={"role": role}
    )
    if not is_new:
        raise MemberRefused(f"{user} belongs to this project already.")
    record(by, "added", membership, project_id=project.pk, role=role)
    return membership


@transaction.atomic
def set_role(membership: Membership, role: str, *, by: User) -> None:
    """Give a member another role; raises `LastOwner` for the last owner."""
    if role != Membership.Role.OWNER:
        _keep_an_owner(membership)
    before, membership.role = membership.role, role
    membership.save(update_fields=["role", "updated_at"])
    _follow_the_owners(membership.project)
    record(
        by,
        "changed",
        membership,
        project_id=membership.project_id,
        before=before,
        role=role,
    )


@transaction.atomic
def remove_member(membership: Membership, *, by: User) -> None:
    """Take a person out of a project; raises `LastOwner` for the last owner."""
    _keep_an_owner(membership)
    record(by, "removed", membership, project_id=membership.project_id)
    membership.delete()
    _follow_the_owners(membership.project)


def _keep_an_owner(membership: Membership) -> None:
    # Locked, so that two owners who leave at once do not both find the other one there.
    owners = Membership.objects.select_for_update().filter(
        project=membership.project, role=Membership.Role.OWNER
    )
    if {owner.pk for owner in owners} <= {membership.pk}:
        raise LastOwner


def _follow_the_owners(project: Project) -> None:
    """Keep the owner that the project names one of its owners."""
    owners = project.memberships.filter(role=Membership.Role.OWNER)
    if not owners.filter(user=project.owner_id).exists():
        project.owner = owners.select_related("user").earliest("created_at").user
        project.save(update_fields=["owner", "updated_at"])
