"""Who may open what: every page, for an owner, a viewer, a stranger and nobody."""

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from conversations import keeping
from conversations.models import Conversation
from knowledge.models import Document, EmbeddingSpace
from knowledge.writing import create_document
from projects.models import Job, Membership, Project, Source

COMMIT = "c" * 40
OPEN_TO_ALL = ["home", "help", "account", "api-keys", "project-new", "api-reference"]
# Page: what it needs, what a viewer of the project gets.
OF_A_PROJECT = {
    "project": 200,
    "members": 200,
    "search": 200,
    "search-why": 200,
    "overview": 200,
    "golden": 200,
    "golden-progress": 200,
    "golden-export": 200,
    "golden-new": 404,
    "gaps": 200,
    "conversations": 200,
    "sources": 200,
    "source-new": 404,
    "documents": 200,
    "document-new": 404,
    "project-edit": 404,
    "project-delete": 404,
    "reviews": 200,
    "nightly-runs": 200,
    "findings": 200,
    "conventions": 200,
    "standards": 200,
    "review-record": 200,
    "tasks": 200,
    "standard-new": 404,
    "review-plan": 404,
}
OF_A_SOURCE = {
    "source": 200,
    "source-progress": 200,
    "files": 200,
    "source-edit": 404,
    "source-delete": 404,
}
OF_A_FILE = ["file", "file-raw"]
OF_A_DOCUMENT = {
    "document": 200,
    "document-history": 200,
    "document-edit": 404,
    "document-delete": 404,
}
# Address, with what a viewer's click gets.
CLICKS_ON_A_DOCUMENT = ["document-edit", "document-delete", "document-restore"]
CLICKS_ON_A_SOURCE = dict.fromkeys(
    ("source-sync", "source-cancel", "source-upload", "source-retry", "source-answer"), 404
)
# Pages and clicks for admins alone; others can't tell that anything is there.
FOR_ADMINS = {"spaces", "spaces-progress", "space-new"}
OF_A_SPACE = {"space-edit", "space-retire"}
CLICKS_ON_A_SPACE = {
    *("space-build", "space-compare", "space-activate", "space-reconcile", "space-rebuild"),
}
# Told of in tests/providers/test_pages.py.
ABOUT_PROVIDERS = {
    "providers",
    *(f"provider-{name}" for name in ("new", "edit", "delete")),
    *(f"provider-{name}" for name in ("test", "default", "disable", "enable")),
}
# Told of in tests/reviews/test_pages.py.
ABOUT_REVIEWS = {
    *("nightly-run", "nightly-progress", "nightly-cancel", "review", "review-now"),
    *("finding", "finding-decide", "finding-task", "suggestion-settle", "suggestion-task"),
    *("rule-mute", "rule-unmute", "webhook-add", "webhook-change"),
    *("standard-edit", "standard-delete", "task", "task-status"),
}
ELSEWHERE = {
    *ABOUT_REVIEWS,
    "space-roll-back",
    *CLICKS_ON_A_SPACE,
    *OF_A_SPACE,
    *FOR_ADMINS,
    *ABOUT_PROVIDERS,
    "login",
    "logout",
    "healthz",
    "readyz",
    "api-key-revoke",
    "member-change",
    "conversation",
    "project-ask",
    "project-drop",
    "diagram-frame",
    "conversation-ask",
    "conversation-rename",
    "conversation-delete",
    "conversation-pin",
    "conversation-share",
    "conversation-provider",
    "conversation-restore",
    "message-ask",
    "message-anew",
    "message-show",
    "message-stream",
    "message-stop",
    "message-feedback",
    "message-gap",
    "search-keep",
    "document-undo",
    "overview-remake",
    "golden-edit",
    "golden-delete",
    "golden-undo",
    "golden-import",
    "golden-run",
    "evaluation",
    "evaluation-dismiss",
    "gap-settle",
    "gap-task",
}


@pytest.fixture
def addresses(project, source, index, alice) -> dict[str, str]:
    index(source, "a.py", "a = 1\n", commit=COMMIT)
    document = create_document(project, by=alice, title="Owls", content="# Owls\n")
    Job.objects.all().delete()
    own = [*OF_A_DOCUMENT, *CLICKS_ON_A_DOCUMENT]
    return {
        **{name: reverse(name, args=[document.pk]) for name in own},
        **{name: reverse(name) for name in OPEN_TO_ALL},
        **{name: reverse(name, args=[project.pk]) for name in OF_A_PROJECT},
        **{name: reverse(name, args=[source.pk]) for name in (OF_A_SOURCE | CLICKS_ON_A_SOURCE)},
        **{name: reverse(name, args=[source.pk, COMMIT, "a.py"]) for name in OF_A_FILE},
    }


PAGES = [*OPEN_TO_ALL, *OF_A_PROJECT, *OF_A_SOURCE, *OF_A_FILE, *OF_A_DOCUMENT]


@pytest.mark.parametrize("name", PAGES)
def test_an_owner_opens_every_page(client_for, alice, addresses, name: str) -> None:
    assert client_for(alice).get(addresses[name]).status_code == 200


@pytest.mark.parametrize("name", PAGES)
def test_a_viewer_opens_what_does_not_change_things(client_for, bob, addresses, name: str) -> None:
    expected = {**OF_A_PROJECT, **OF_A_SOURCE, **OF_A_DOCUMENT}.get(name, 200)

    assert client_for(bob).get(addresses[name]).status_code == expected


@pytest.mark.parametrize("name", [*OF_A_PROJECT, *OF_A_SOURCE, *OF_A_FILE, *OF_A_DOCUMENT])
def test_a_stranger_cannot_tell_that_anything_is_there(
    client_for, charlie, addresses, name: str
) -> None:
    client = client_for(charlie)
    theirs = client.get(addresses[name])
    nothing = client.get("/projects/00000000-0000-4000-8000-000000000000/")

    assert theirs.status_code == 404
    assert theirs.content == nothing.content


@pytest.mark.parametrize("name", PAGES)
def test_nobody_is_asked_to_sign_in(client_for, addresses, name: str) -> None:
    answer = client_for(None).get(addresses[name])

    assert answer.status_code == 302
    assert answer.url.startswith("/login/?next=")


@pytest.mark.parametrize("who", ["bob", "charlie", None])
@pytest.mark.parametrize("name", CLICKS_ON_A_SOURCE)
def test_only_editors_set_things_going(client_for, request, addresses, name: str, who) -> None:
    person = request.getfixturevalue(who) if who else None
    answer = client_for(person).post(addresses[name])

    assert answer.status_code == (CLICKS_ON_A_SOURCE[name] if who else 302)
    assert not Job.objects.exists()


@pytest.mark.parametrize("who", ["bob", "charlie", None])
@pytest.mark.parametrize("name", [*CLICKS_ON_A_DOCUMENT, "document-new"])
def test_only_editors_write(client_for, request, addresses, name: str, who) -> None:
    person = request.getfixturevalue(who) if who else None
    before = list(Document.objects.order_by("pk").values())
    said = {"title": "New", "content": "new", "commit": before[0]["commit"]}

    assert client_for(person).post(addresses[name], said).status_code == (404 if who else 302)
    assert list(Document.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("name", CLICKS_ON_A_SOURCE)
def test_links_set_nothing_going(client_for, alice, addresses, name: str) -> None:
    assert client_for(alice).get(addresses[name]).status_code == 405
    assert not Job.objects.exists()


def test_an_editor_sets_things_going(client_for, bob, addresses) -> None:
    Membership.objects.filter(user=bob).update(role=Membership.Role.EDITOR)
    client = client_for(bob)

    assert client.get(addresses["source-edit"]).status_code == 200
    assert client.post(addresses["source-sync"]).status_code == 302
    assert Job.objects.get().requested_by == bob


@pytest.mark.parametrize("who", ["alice", "bob", "charlie", "admin", None])
def test_the_search_model_is_for_admins_alone(client_for, request, index, source, who) -> None:
    index(source, "a.py", "a = 1\n")
    space = EmbeddingSpace.objects.create(model_name="owl", dimensions=16)
    client = client_for(request.getfixturevalue(who) if who else None)
    nothing = client.get("/settings/nothing/")
    for name in (*FOR_ADMINS, *OF_A_SPACE):
        answer = client.get(reverse(name, args=[space.pk] if name in OF_A_SPACE else []))
        if who == "admin":
            assert answer.status_code == 200
            assert "unsafe" not in answer["Content-Security-Policy"]
        elif who:
            assert (answer.status_code, answer.content) == (404, nothing.content)
        else:
            assert (answer.status_code, answer.url[:13]) == (302, "/login/?next=")
    for name in (*CLICKS_ON_A_SPACE, "space-roll-back", "space-retire", "space-new"):
        address = reverse(name, args=[] if name in {"space-roll-back", "space-new"} else [space.pk])
        if who != "admin":
            assert client.post(address).status_code == (404 if who else 302)
        elif name not in {"space-retire", "space-new"}:
            assert client.get(address).status_code == 405
    assert not Job.objects.exists()
    space.refresh_from_db()
    assert (space.state, space.comparison) == ("building", {})


@pytest.mark.parametrize("change", ["removed", "deactivated", "deleted"])
def test_who_loses_their_rights_loses_them_at_once(client_for, bob, addresses, change: str) -> None:
    client = client_for(bob)
    assert client.get(addresses["project"]).status_code == 200

    if change == "removed":
        Membership.objects.filter(user=bob).delete()
    elif change == "deactivated":
        type(bob).objects.filter(pk=bob.pk).update(is_active=False)
    else:
        bob.soft_delete()

    assert client.get(addresses["project"]).status_code in {302, 404}


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_a_conversation_is_open_to_its_person_alone(
    client_for, request, alice, project, who: str
) -> None:
    conversation = Conversation.objects.create(project=project, user=alice)
    conversation.add(None, {"role": "user", "content": "secret?"})

    answer = client_for(request.getfixturevalue(who)).get(conversation.get_absolute_url())
    assert answer.status_code == 404
    assert client_for(alice).get(conversation.get_absolute_url()).status_code == 200


def test_a_shared_conversation_can_be_read_by_who_sees_the_project_and_by_nobody_else(
    client_for, alice, bob, charlie, project
) -> None:
    conversation = Conversation.objects.create(project=project, user=alice)
    asked = conversation.add(None, {"role": "user", "content": "secret?"})
    keeping.share(conversation, shared=True)

    address = conversation.get_absolute_url()
    assert b"secret?" in client_for(bob).get(address).content
    assert client_for(charlie).get(address).status_code == 404
    for change in ("ask", "name", "pin", "share", "model", "delete"):
        assert client_for(bob).post(f"{address}{change}/").status_code == 404
    for change in ("stop", "ask", "anew", "show", "feedback", "gap"):
        assert client_for(bob).post(f"/messages/{asked.pk}/{change}/").status_code == 404
    keeping.share(conversation, shared=False)
    assert client_for(bob).get(address).status_code == 404


def test_a_project_of_another_is_nowhere_on_ones_pages(
    client_for, charlie, project, source
) -> None:
    Project.objects.create(name="own", owner=charlie).memberships.create(user=charlie, role="owner")
    client = client_for(charlie)

    for name in OPEN_TO_ALL:
        page = client.get(reverse(name)).content.decode()
        assert str(project.pk) not in page
    assert Source.objects.exists()


@pytest.mark.parametrize("name", PAGES)
def test_every_answer_forbids_what_pages_do_not_need(
    client_for, alice, addresses, name: str
) -> None:
    answer = client_for(alice).get(addresses[name])

    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


def test_every_page_of_the_site_has_its_rule_here() -> None:
    known = set(PAGES) | set(CLICKS_ON_A_SOURCE) | set(CLICKS_ON_A_DOCUMENT) | ELSEWHERE
    names = {
        pattern.name
        for resolver in get_resolver().url_patterns
        for pattern in getattr(resolver, "url_patterns", [resolver])
        if getattr(pattern, "name", None) and getattr(resolver, "app_name", None) != "admin"
    }
    pages = {name for name in names if not reverse_of(name).startswith("/api/v1")}

    assert pages - {"api-schema"} <= known


def reverse_of(name: str) -> str:
    """Return the route of a named address, its parts left open."""
    [(possibilities, *_), *_] = get_resolver().reverse_dict.getlist(name)
    return "/" + possibilities[0][0]


def test_broken_addresses_are_no_errors(client_for, alice, project, source) -> None:
    client = client_for(alice)

    for address in [
        "/projects/x/",
        "/sources/1/",
        f"/sources/{source.pk}/at/x/",
        "/projects//",
        "/login",
        f"/sources/{source.pk}/at/{COMMIT}/../../etc/passwd",
        "/static/nothing.css",
    ]:
        assert client.get(address).status_code in {301, 404}, address


@pytest.mark.parametrize(
    "query", ["?page=x", "?page=-1", "?page=99999", "?state=zz", "?state=", "?x=%FF"]
)
def test_odd_queries_are_no_errors(client_for: object, alice, addresses, query: str) -> None:
    client: Client = client_for(alice)  # type: ignore[operator]

    for name in PAGES:
        assert client.get(addresses[name] + query).status_code in {200, 400}, name
