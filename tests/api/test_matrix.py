"""Every operation of the API, asked for by everybody: who gets in, and what stays untouched."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator

from accounts.models import ApiKey, User
from conversations.models import Conversation, Message
from knowledge.models import Document, EmbeddingSpace
from projects.models import Job, Membership, Project, Source
from providers.models import Provider
from reviews.models import Finding, NightlyRun, TestSuggestion
from tests.api.conftest import Caller, World

READ, ASK, WRITE = ApiKey.Scope.READ, ApiKey.Scope.ASK, ApiKey.Scope.WRITE
Programs = Callable[..., Caller]
FILE = {"content_type": "multipart/form-data; boundary=x"}
PARTS = (
    b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.md"\r\n\r\nhi\r\n--x--\r\n'
)


@dataclass(frozen=True)
class Row:
    """An operation with the status for its owner, a viewer, a stranger and an admin.

    `limited` is for a key of the owner that is limited to another project.
    """

    operation: str
    path: str
    scope: str
    owner: int
    viewer: int
    stranger: int
    admin: int
    limited: int
    body: Any = None
    raw: bytes | None = None

    def ask(self, caller: Caller, world: World) -> int:
        body = world_body(self.body, world)
        headers = FILE if self.raw else {}
        method, _ = self.operation.split()
        return caller(method, world.address(self.path), body, raw=self.raw, **headers).status_code


def world_body(body: Any, world: World) -> Any:
    if isinstance(body, dict):
        return {
            name: world.address(value) if isinstance(value, str) else value
            for name, value in body.items()
        }
    return body


def own(operation: str, path: str, scope: str, status: int, body: Any = None) -> Row:
    """What everybody has of their own: nobody is a stranger to it."""
    return Row(operation, path, scope, status, status, status, status, status, body)


def private(operation: str, path: str, scope: str, status: int, body: Any = None) -> Row:
    """What belongs to one person, within a project that others see."""
    return Row(operation, path, scope, status, 404, 404, 404, 404, body)


def shared(operation: str, path: str, status: int = 200) -> Row:
    """What every member of a project may read."""
    return Row(operation, path, READ, status, status, 404, 404, 404)


def of_admins(operation: str, path: str, status: int, body: Any = None) -> Row:
    """What belongs to the installation: only admins see or change it."""
    scope = READ if operation.startswith("GET") else WRITE
    return Row(operation, path, scope, 403, 403, 403, status, 403, body)


def guarded(operation: str, path: str, status: int, body: Any = None, raw: Any = None) -> Row:
    """What only some members of a project may change."""
    return Row(operation, path, WRITE, status, 403, 404, 404, 404, body, raw)


SPACES = "/embedding-spaces"
OWL = [{"path": "owl.py"}]
OF_PROJECT = {"project": "{project}"}
MEMBERS = "/projects/{project}/members"
ROWS = [
    own("GET /me", "/me", READ, 200),
    Row("GET /api-keys", "/api-keys", READ, 200, 200, 200, 200, 403),
    Row(
        "POST /api-keys",
        "/api-keys",
        WRITE,
        201,
        201,
        201,
        201,
        403,
        {"name": "k", "scopes": ["read"]},
    ),
    Row("GET /api-keys/{id}", "/api-keys/{api_key}", READ, 200, 404, 404, 404, 403),
    Row("DELETE /api-keys/{id}", "/api-keys/{api_key}", WRITE, 204, 404, 404, 404, 403),
    own("GET /projects", "/projects", READ, 200),
    Row("POST /projects", "/projects", WRITE, 201, 201, 201, 201, 403, {"name": "barn"}),
    shared("GET /projects/{id}", "/projects/{project}"),
    guarded("PATCH /projects/{id}", "/projects/{project}", 200, {"description": "new"}),
    guarded("DELETE /projects/{id}", "/projects/{project}", 204),
    shared("GET /projects/{project_id}/members", MEMBERS),
    guarded("POST /projects/{project_id}/members", MEMBERS, 201, {"username": "charlie"}),
    guarded(
        "PATCH /projects/{project_id}/members/{id}", MEMBERS + "/{member}", 200, {"role": "editor"}
    ),
    # The viewer of the row is the member themselves, who may leave.
    Row(
        "DELETE /projects/{project_id}/members/{id}",
        MEMBERS + "/{member}",
        WRITE,
        204,
        204,
        404,
        404,
        404,
    ),
    shared("GET /projects/{project_id}/overview", "/projects/{project}/overview"),
    guarded("POST /projects/{project_id}/overview", "/projects/{project}/overview", 202),
    own("GET /knowledge-gaps", "/knowledge-gaps", READ, 200),
    shared("GET /knowledge-gaps/{id}", "/knowledge-gaps/{gap}"),
    guarded("PATCH /knowledge-gaps/{id}", "/knowledge-gaps/{gap}", 200, {"state": "dismissed"}),
    guarded("POST /knowledge-gaps/{id}/task", "/knowledge-gaps/{gap}/task", 200),
    own("GET /nightly-runs", "/nightly-runs", READ, 200),
    Row("POST /nightly-runs", "/nightly-runs", WRITE, 201, 403, 400, 400, 400, OF_PROJECT),
    shared("GET /nightly-runs/{id}", "/nightly-runs/{night}"),
    shared("GET /nightly-runs/{id}/digest", "/nightly-runs/{night}/digest"),
    guarded("POST /nightly-runs/{id}/cancel", "/nightly-runs/{night}/cancel", 200),
    own("GET /reviews", "/reviews", READ, 200),
    shared("GET /reviews/{id}", "/reviews/{review}"),
    own("GET /findings", "/findings", READ, 200),
    shared("GET /findings/{id}", "/findings/{finding}"),
    guarded("PATCH /findings/{id}", "/findings/{finding}", 200, {"state": "accepted"}),
    guarded("POST /findings/{id}/task", "/findings/{finding}/task", 200),
    own("GET /test-suggestions", "/test-suggestions", READ, 200),
    shared("GET /test-suggestions/{id}", "/test-suggestions/{suggestion}"),
    guarded(
        "PATCH /test-suggestions/{id}", "/test-suggestions/{suggestion}", 200, {"state": "used"}
    ),
    guarded("POST /test-suggestions/{id}/task", "/test-suggestions/{suggestion}/task", 200),
    own("GET /standards", "/standards", READ, 200),
    shared("GET /standards/{id}", "/standards/{standard}"),
    own("GET /convention-scores", "/convention-scores", READ, 200),
    shared("GET /convention-scores/{id}", "/convention-scores/{score}"),
    own("GET /sources", "/sources", READ, 200),
    Row(
        "POST /sources",
        "/sources",
        WRITE,
        201,
        403,
        400,
        400,
        400,
        {"project": "{project}", "name": "letters", "kind": "upload"},
    ),
    shared("GET /sources/{id}", "/sources/{source}"),
    guarded("PATCH /sources/{id}", "/sources/{source}", 200, {"name": "renamed"}),
    guarded("DELETE /sources/{id}", "/sources/{source}", 204),
    guarded("POST /sources/{id}/sync", "/sources/{source}/sync", 202),
    guarded("POST /sources/{id}/cancel", "/sources/{source}/cancel", 200),
    guarded("POST /sources/{id}/retry", "/sources/{source}/retry", 202, {}),
    guarded("POST /sources/{id}/answer", "/sources/{source}/answer", 200, {"forget": False}),
    guarded("POST /sources/{id}/upload", "/sources/{upload}/upload", 200, raw=PARTS),
    own("GET /jobs", "/jobs", READ, 200),
    shared("GET /jobs/{id}", "/jobs/{job}"),
    own("GET /documents", "/documents", READ, 200),
    shared("GET /documents/{id}", "/documents/{document}"),
    Row(
        "POST /documents",
        "/documents",
        WRITE,
        201,
        403,
        400,
        400,
        400,
        {"project": "{project}", "title": "Owls", "content": "# Owls"},
    ),
    guarded("PATCH /documents/{id}", "/documents/{written}", 200, {"title": "Mice"}),
    guarded("DELETE /documents/{id}", "/documents/{written}", 204),
    Row(
        "GET /documents/similar",
        "/documents/similar?document={document}",
        READ,
        200,
        200,
        400,
        400,
        400,
    ),
    Row(
        "POST /documents/similar",
        "/documents/similar",
        READ,
        200,
        200,
        400,
        400,
        400,
        {"document": "{document}"},
    ),
    Row("GET /search", "/search?q=hunt&project={project}", READ, 200, 200, 400, 400, 400),
    own("GET /golden-questions", "/golden-questions", READ, 200),
    Row(
        "POST /golden-questions",
        "/golden-questions",
        WRITE,
        201,
        403,
        400,
        400,
        400,
        {"project": "{project}", "query": "Who sleeps?", "relevant": OWL},
    ),
    shared("GET /golden-questions/{id}", "/golden-questions/{golden}"),
    guarded("DELETE /golden-questions/{id}", "/golden-questions/{golden}", 204),
    own("GET /evaluations", "/evaluations", READ, 200),
    Row("POST /evaluations", "/evaluations", WRITE, 202, 403, 400, 400, 400, OF_PROJECT),
    shared("GET /evaluations/{id}", "/evaluations/{evaluation}"),
    of_admins("GET /embedding-spaces", "/embedding-spaces", 200),
    of_admins("POST /embedding-spaces", "/embedding-spaces", 201, {"adapter": "minilm"}),
    of_admins("GET /embedding-spaces/{id}", SPACES + "/{space}", 200),
    of_admins("POST /embedding-spaces/{id}/compare", SPACES + "/{space}/compare", 202),
    of_admins("POST /embedding-spaces/{id}/reconcile", SPACES + "/{space}/reconcile", 400),
    of_admins("POST /embedding-spaces/{id}/rebuild", SPACES + "/{space}/rebuild", 400),
    of_admins("POST /embedding-spaces/{id}/activate", SPACES + "/{space}/activate", 200),
    of_admins("POST /embedding-spaces/{id}/retire", SPACES + "/{space}/retire", 200),
    of_admins("POST /embedding-spaces/roll-back", SPACES + "/roll-back", 400),
    own("GET /providers", "/providers", READ, 200),
    Row(
        "POST /providers",
        "/providers",
        WRITE,
        403,
        403,
        403,
        201,
        403,
        {"provider_name": "ollama", "model_name": "owl-2"},
    ),
    own("GET /providers/{id}", "/providers/{provider}", READ, 200),
    Row(
        "PATCH /providers/{id}",
        "/providers/{provider}",
        WRITE,
        403,
        403,
        403,
        200,
        403,
        {"is_enabled": False},
    ),
    Row("DELETE /providers/{id}", "/providers/{provider}", WRITE, 403, 403, 403, 204, 403),
    of_admins("POST /providers/{id}/test", "/providers/{provider}/test", 200),
    of_admins("POST /providers/{id}/make-default", "/providers/{provider}/make-default", 200),
    own("GET /calls", "/calls", READ, 200),
    Row("GET /calls/{id}", "/calls/{call}", READ, 200, 404, 404, 200, 404),
    own("GET /conversations", "/conversations", READ, 200),
    Row(
        "POST /conversations",
        "/conversations",
        ASK,
        201,
        201,
        400,
        400,
        400,
        {"project": "{project}"},
    ),
    private("GET /conversations/{id}", "/conversations/{conversation}", READ, 200),
    private(
        "PATCH /conversations/{id}", "/conversations/{conversation}", WRITE, 200, {"title": "Owls"}
    ),
    private("DELETE /conversations/{id}", "/conversations/{conversation}", WRITE, 204),
    private(
        "POST /conversations/{id}/ask",
        "/conversations/{conversation}/ask",
        ASK,
        200,
        {"question": "why?", "stream": True},
    ),
    private("GET /conversations/{id}/export", "/conversations/{conversation}/export", READ, 200),
    private(
        "GET /conversations/{id}/messages", "/conversations/{conversation}/messages", READ, 200
    ),
    private("POST /conversations/{id}/restore", "/conversations/{conversation}/restore", ASK, 404),
    private("GET /messages/{id}/stream", "/messages/{message}/stream", READ, 200),
    private(
        "POST /messages/{id}/regenerate",
        "/messages/{message}/regenerate",
        ASK,
        200,
        {"stream": True},
    ),
    private("POST /messages/{id}/show", "/messages/{message}/show", ASK, 200),
    private("GET /messages/{id}", "/messages/{message}", READ, 200),
    private("POST /messages/{id}/stop", "/messages/{message}/stop", ASK, 200),
    private(
        "POST /messages/{id}/feedback", "/messages/{message}/feedback", ASK, 200, {"value": "up"}
    ),
    private("POST /messages/{id}/report-gap", "/messages/{message}/report-gap", ASK, 400),
]
BY_NAME = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.operation)


def what_is_kept() -> list[Any]:
    kept: list[Any] = [
        list(model.objects.order_by("pk").values())
        for model in (Project, Membership, Source, Job, Document, Conversation, Message, Provider)
    ]
    kept += [
        list(model.objects.order_by("pk").values())
        for model in (EmbeddingSpace, NightlyRun, Finding, TestSuggestion)
    ]
    return [*kept, list(ApiKey.objects.order_by("pk").values("pk", "revoked_at"))]


def test_every_operation_has_a_row() -> None:
    document = SchemaGenerator().get_schema(request=None, public=True)
    operations = {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert operations == {row.operation for row in ROWS}


@BY_NAME
def test_nobody_gets_in_who_may_not(
    row: Row, world: World, bob: User, charlie: User, admin: User, browser: Any, program: Programs
) -> None:
    alice = world.project.owner
    callers = [
        (browser(None), 401),
        (Caller(key="nightowl_guessed"), 401),
        (browser(bob), row.viewer),
        (browser(charlie), row.stranger),
        (browser(admin), row.admin),
        (program(alice, projects=(world.other_project,)), row.limited),
        *((program(alice, scope), 403) for scope in ApiKey.Scope.values if scope != row.scope),
    ]
    before = what_is_kept()
    for caller, status in callers:
        if status >= 400:
            assert row.ask(caller, world) == status
    assert what_is_kept() == before


ROLES = ("owner", "viewer", "stranger", "admin", "limited", "key")


@BY_NAME
def test_those_get_in_who_may(
    row: Row, world: World, bob: User, charlie: User, admin: User, browser: Any, program: Programs
) -> None:
    alice = world.project.owner
    callers = {
        "owner": browser(alice),
        "viewer": browser(bob),
        "stranger": browser(charlie),
        "admin": browser(admin),
        "key": program(alice, row.scope),
        "limited": program(alice, projects=(world.other_project,)),
    }
    for role in ROLES:
        status = getattr(row, role, row.owner)
        if role == "key" and row.operation == "POST /api-keys":
            status = 400  # a key can't hand out the right to read when it does not have it
        if getattr(row, role, row.owner) < 400:
            # Each finds the world as it was.
            with transaction.atomic():
                assert (role, row.ask(callers[role], world)) == (role, status)
                transaction.set_rollback(True)


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.stranger == 404], ids=lambda row: row.operation
)
def test_a_strangers_answer_is_that_of_an_id_that_is_not_there(
    row: Row, world: World, charlie: User, browser: Any
) -> None:
    caller, method = browser(charlie), row.operation.split()[0]
    headers = FILE if row.raw else {}
    theirs = caller(method, world.address(row.path), row.body, raw=row.raw, **headers)
    for name in world.__dataclass_fields__:
        setattr(world, name, type(getattr(world, name))(pk=uuid4()))
    nobodys = caller(method, world.address(row.path), row.body, raw=row.raw, **headers)
    assert (theirs.status_code, theirs.content) == (404, nobodys.content)
    assert dict(theirs.headers) == dict(nobodys.headers)


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if not row.operation.startswith("GET")],
    ids=lambda row: row.operation,
)
def test_a_browser_needs_its_csrf_token_to_change(row: Row, world: World, alice: User) -> None:
    caller = Caller()
    caller.client.handler.enforce_csrf_checks = True
    caller.client.force_login(alice)
    before = what_is_kept()
    assert row.ask(caller, world) == 403
    assert what_is_kept() == before
