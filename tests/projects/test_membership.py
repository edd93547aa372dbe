import pytest

from accounts.models import AuditEntry
from accounts.viewers import Viewer
from projects.membership import LastOwner, MemberRefused, add_member, remove_member, set_role
from projects.models import Membership, Project


def membership_of(user) -> Membership:
    return Membership.objects.select_related("project", "user").get(user=user)


@pytest.mark.parametrize("username", ["charlie", "CHARLIE", " charlie "])
def test_people_are_added_by_their_username(project, alice, charlie, username: str) -> None:
    member = add_member(project, by=alice, username=username, role="editor")

    assert (member.user, member.role) == (charlie, "editor")
    assert Project.objects.editable_by(Viewer(charlie)).get() == project
    assert AuditEntry.objects.get(action="added").detail == {"role": "editor"}


def test_nobody_is_added_twice(project, alice, bob) -> None:
    with pytest.raises(MemberRefused, match="already"):
        add_member(project, by=alice, username="bob", role="owner")
    assert membership_of(bob).role == "viewer"


def test_only_people_who_are_here_are_added(project, alice, charlie) -> None:
    charlie.soft_delete()

    for username in ("charlie", "nobody", ""):
        with pytest.raises(MemberRefused, match="Nobody"):
            add_member(project, by=alice, username=username, role="viewer")


def test_a_member_gets_another_role(project, alice, bob) -> None:
    set_role(membership_of(bob), "editor", by=alice)

    assert membership_of(bob).role == "editor"
    assert AuditEntry.objects.get(action="changed").detail == {"before": "viewer", "role": "editor"}


def test_the_last_owner_stays_an_owner(project, alice) -> None:
    with pytest.raises(LastOwner):
        set_role(membership_of(alice), "viewer", by=alice)
    with pytest.raises(LastOwner):
        remove_member(membership_of(alice), by=alice)
    assert membership_of(alice).role == "owner"


def test_an_owner_may_go_once_there_is_another(project, alice, bob) -> None:
    set_role(membership_of(bob), "owner", by=alice)
    remove_member(membership_of(alice), by=alice)

    project.refresh_from_db()
    assert project.owner == bob
    assert not Project.objects.visible_to(Viewer(alice)).exists()


def test_the_last_owner_may_be_made_an_owner_again(project, alice) -> None:
    set_role(membership_of(alice), "owner", by=alice)

    assert membership_of(alice).role == "owner"


def test_who_is_removed_sees_nothing_any_more(project, source, alice, bob) -> None:
    remove_member(membership_of(bob), by=alice)

    assert not Project.objects.visible_to(Viewer(bob)).exists()
    assert not type(source).objects.visible_to(Viewer(bob)).exists()
