"""The admin: every model has its pages, the system's rows stay as they are, actions act."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin as site
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.auditing import record
from accounts.models import ApiKey, AuditEntry, User
from conversations.models import Conversation, Message
from knowledge.models import (
    Blob,
    Chunk,
    Document,
    DocumentVersion,
    EmbeddedText,
    EmbeddingSpace,
    Evaluation,
    GoldenQuestion,
    KnowledgeGap,
    Overview,
    Replica,
    TermCount,
    Upload,
    Vector,
    VectorChange,
)
from projects.keys import issue_key
from projects.models import Commit, ForgeQuota, Job, Membership, Project, Source, Task, WorkerBeat
from providers.models import Budget, Call, Price, Provider
from reviews.models import Finding, Mute, NightlyPlan, NightlyRun, Standard
from tests.model_server import model_server
from tests.reviews.rows import review_rows

REGISTERED = sorted(site.site._registry, key=lambda model: model._meta.label)
EVERY_MODEL = pytest.mark.parametrize("model", REGISTERED, ids=lambda m: m._meta.label)
ADDED_BY_PEOPLE = {User, Project, Task, Provider, Price, Budget, GoldenQuestion, Standard}
ADDED_BY_PEOPLE |= {NightlyPlan}
CHANGED_BY_PEOPLE = ADDED_BY_PEOPLE | {Source}


@pytest.fixture
def rows(
    admin: User, alice: User, source: Source, index: Callable[..., Document]
) -> dict[type[Model], Model]:
    """A row of every model that the admin knows."""
    index(source, "owl.py", "def hunt():\n    return 1\n")
    project, chunk = source.project, Chunk.objects.get()
    space = EmbeddingSpace.objects.create(model_name="m", dimensions=16)
    vector = [0.25] * 16
    Vector.objects.create(space=space, chunk=chunk, project=project, embedding=vector)
    EmbeddedText.objects.create(space=space, text_hash=b"h" * 32, embedding=vector)
    Replica.objects.create(space=space, generation=1, layout="1: 16 float")
    VectorChange.objects.create(space_id=space.pk, chunk_id=chunk.pk)
    Upload.objects.create(source=source, path="a.md", content=b"hi", git_sha="0" * 40, size=2)
    GoldenQuestion.objects.create(project=project, query="Who hunts?", relevant=["owl.py"])
    KnowledgeGap.objects.create(project=project, reason="Nothing about mice")
    Overview.objects.create(project=project, made_at=timezone.now())
    Evaluation.objects.create(project=project, finished_at=timezone.now())
    conversation = Conversation.objects.create(project=project, user=alice)
    conversation.messages.create(position=1, role="user", content="<script>alert(1)</script>")
    issue_key(alice, name="CI", scopes=["read"], projects=[project])
    Job.objects.create(project=project, source=source, kind="sync")
    Task.objects.create(project=project, title="Hunt")
    Commit.objects.create(project=project, sha="c" * 40, message="Add owls", author="A <a@b>")
    WorkerBeat.objects.create(name="worker")
    ForgeQuota.objects.create(
        host="api.github.com", is_anonymous=True, limit=60, remaining=7, resets_at=timezone.now()
    )
    provider = Provider.objects.create(provider_name="ollama", model_name="owl-1")
    Call.objects.create(purpose="answer", provider=provider, model_name="owl-1", user=alice)
    Price.objects.create(
        provider_name="ollama", model_name="owl-1", token_kind="input", usd_per_million=1
    )
    Budget.objects.create(limit_usd=5)
    review_rows(source)
    record(alice, "created", project)
    found = {model: model._default_manager.order_by("pk").first() for model in REGISTERED}
    return {model: row for model, row in found.items() if row is not None}


def page(model: type[Model], name: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def act(client: Client, action: str, *things: Model) -> Any:
    body = {"action": action, "_selected_action": [str(thing.pk) for thing in things]}
    answer = client.post(page(type(things[0]), "changelist"), body)
    assert answer.status_code == 302
    return answer


def test_an_admin_dismisses_gaps_and_makes_them_candidates_again(
    rows: dict[type[Model], Model], admin: User, client_for: Any
) -> None:
    client, gap = client_for(admin), rows[KnowledgeGap]
    act(client, "dismiss", gap)
    assert KnowledgeGap.objects.get().state == KnowledgeGap.State.DISMISSED
    act(client, "reopen", gap)
    assert KnowledgeGap.objects.get().state == KnowledgeGap.State.CANDIDATE


def test_every_model_of_ours_is_registered() -> None:
    ours = {"accounts", "projects", "providers", "knowledge", "conversations", "reviews"}
    found = {model for model in REGISTERED if model._meta.app_label in ours}
    assert len(found) == len(REGISTERED) == 44
    assert {Blob, DocumentVersion, TermCount, Membership, AuditEntry, ApiKey} <= found


@EVERY_MODEL
def test_an_admin_opens_every_page(
    model: type[Model], rows: dict[type[Model], Model], admin: User, client_for: Any
) -> None:
    client, row = client_for(admin), rows[model]
    listed = client.get(page(model, "changelist"))
    assert listed.status_code == 200
    assert b"<script>alert(1)" not in listed.content
    assert client.get(page(model, "changelist") + "?q=owl").status_code == 200
    shown = client.get(page(model, "change", row.pk))
    assert shown.status_code == 200
    assert b"0.25" not in shown.content
    assert (b'name="_save"' in shown.content) is (model in CHANGED_BY_PEOPLE)
    added = client.get(page(model, "add"))
    assert added.status_code == (200 if model in ADDED_BY_PEOPLE else 403)
    assert client.get(page(model, "history", row.pk)).status_code == 200


@EVERY_MODEL
def test_others_are_sent_away(
    model: type[Model], rows: dict[type[Model], Model], alice: User, client_for: Any
) -> None:
    for client in (client_for(alice), client_for(None)):
        for path in (page(model, "changelist"), page(model, "change", rows[model].pk)):
            assert client.get(path).status_code == 302
            assert client.post(path, {}).status_code == 302


@EVERY_MODEL
def test_a_list_reads_no_row_by_row_and_nothing_heavy(
    model: type[Model],
    rows: dict[type[Model], Model],
    admin: User,
    client_for: Any,
    django_assert_max_num_queries: Any,
) -> None:
    client = client_for(admin)
    with django_assert_max_num_queries(9) as captured:
        client.get(page(model, "changelist"))
    queries = [query["sql"] for query in captured.captured_queries]
    # What Django fetches for a single row: the session and the person alone.
    assert sum("LIMIT 21" in query for query in queries) == 2
    heavy = ("weights", "terms", "embedding", "text", "metadata", "sources", "hunk", "reply")
    assert not [q for q in queries for column in heavy if f'."{column}"' in q]


def test_the_admins_own_door_is_the_one_that_counts_tries(alice: User, client_for: Any) -> None:
    answer = client_for(None).get("/admin/login/?next=/admin/accounts/")
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/admin/accounts/")
    assert client_for(None).post("/admin/login/", {"username": "a"}).status_code == 302
    assert client_for(alice).get("/admin/login/?next=/admin/").status_code == 403


def test_no_secret_is_shown(rows: dict[type[Model], Model], admin: User, client_for: Any) -> None:
    key = ApiKey.objects.get()
    for path in (page(ApiKey, "changelist"), page(ApiKey, "change", key.pk)):
        assert key.hash.encode() not in client_for(admin).get(path).content
    text = client_for(admin).get(page(User, "change", admin.pk)).content.decode()
    assert admin.password not in text


def test_what_the_record_says_can_not_be_undone(
    rows: dict[type[Model], Model], admin: User, client_for: Any
) -> None:
    entry, client = rows[AuditEntry], client_for(admin)
    assert client.post(page(AuditEntry, "delete", entry.pk), {"post": "yes"}).status_code == 403
    assert client.post(page(AuditEntry, "change", entry.pk), {"action": "x"}).status_code == 403
    body = {"action": "delete_selected", "_selected_action": [str(entry.pk)], "post": "yes"}
    client.post(page(AuditEntry, "changelist"), body)
    assert AuditEntry.objects.filter(pk=entry.pk).exists()


def test_a_person_is_added_with_a_password(admin: User, client_for: Any) -> None:
    body = {
        "username": "dora",
        "usable_password": "true",
        "password1": "night flight 8",
        "password2": "night flight 8",
    }
    assert client_for(admin).post(page(User, "add"), body).status_code == 302
    dora = User.objects.get(username="dora")
    assert dora.check_password("night flight 8")
    assert dora.role == User.Role.USER
    assert AuditEntry.objects.filter(action="added", object_id=dora.pk).exists()


def test_deleting_people_keeps_what_they_wrote(
    rows: dict[type[Model], Model], admin: User, alice: User, client_for: Any
) -> None:
    act(client_for(admin), "soft_delete", alice, admin)
    assert not User.objects.filter(pk=alice.pk).exists()
    assert User.objects.filter(pk=admin.pk).exists()
    assert Conversation.objects.filter(user_id=alice.pk).exists()
    assert client_for(admin).post(page(User, "delete", admin.pk)).status_code == 403


def test_keys_are_revoked(rows: dict[type[Model], Model], admin: User, client_for: Any) -> None:
    act(client_for(admin), "revoke", rows[ApiKey])
    assert ApiKey.objects.get().revoked_at
    assert AuditEntry.objects.filter(action="revoked", actor_id=admin.pk).exists()


def test_sources_are_synced_and_stopped(
    rows: dict[type[Model], Model], admin: User, client_for: Any
) -> None:
    source = rows[Source]
    act(client_for(admin), "cancel_work", source)
    assert not Job.objects.open().exists()
    act(client_for(admin), "sync_now", source)
    job = Job.objects.open().get()
    assert job.requested_by == admin
    act(client_for(admin), "cancel", job)
    assert not Job.objects.open().exists()


def test_a_source_with_another_folder_is_synced_anew(
    rows: dict[type[Model], Model], admin: User, client_for: Any
) -> None:
    Job.objects.all().delete()
    path = page(Source, "change", rows[Source].pk)
    body = {"name": "code", "description": "", "branch": "", "folder_path": "../up"}
    assert client_for(admin).post(path, body).status_code == 200
    assert not Job.objects.exists()
    assert client_for(admin).post(path, {**body, "include": "["}).status_code == 200
    assert client_for(admin).post(path, {**body, "folder_path": "docs"}).status_code == 302
    assert Job.objects.open().count() == 1
    assert Source.objects.get(name="code").may_shrink


def test_a_project_is_deleted_with_all_of_it(
    rows: dict[type[Model], Model], admin: User, client_for: Any
) -> None:
    project = rows[Project]
    path = page(Project, "delete", project.pk)
    assert client_for(admin).get(path).status_code == 200
    assert client_for(admin).post(path, {"post": "yes"}).status_code == 302
    assert not Project.objects.exists()
    assert AuditEntry.objects.filter(action="deleted", kind="project").exists()


def test_a_project_that_is_added_has_its_owner(admin: User, alice: User, client_for: Any) -> None:
    body = {
        "name": "barn",
        "default_branch": "main",
        "owner": str(alice.pk),
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
    }
    assert client_for(admin).post(page(Project, "add"), body).status_code == 302
    assert Membership.objects.get(project__name="barn").role == Membership.Role.OWNER


def test_one_provider_is_the_default(
    rows: dict[type[Model], Model], admin: User, client_for: Any
) -> None:
    first = rows[Provider]
    second = Provider.objects.create(provider_name="openai", model_name="x", is_enabled=False)
    act(client_for(admin), "use_as_default", first)
    act(client_for(admin), "use_as_default", second)
    act(client_for(admin), "use_as_default", first, second)
    assert Provider.objects.get(is_default=True) == second
    act(client_for(admin), "disable_selected", second)
    assert not Provider.objects.filter(is_default=True).exists()


def test_models_are_greeted_and_say_what_they_replied(
    rows: dict[type[Model], Model], admin: User, client_for: Any
) -> None:
    client = client_for(admin)
    with model_server() as server:
        server.pieces = ["<i>Hello</i>"]
        Provider.objects.update(api_config={"base_url": server.url})
        act(client, "greet", rows[Provider])
    text = client.get(page(Provider, "changelist")).content.decode()
    assert "Ollama: owl-1: answered in " in text
    assert "&lt;i&gt;Hello&lt;/i&gt;" in text
    assert Call.objects.filter(purpose="test", user=admin).count() == 1
    many = [Provider.objects.create(provider_name="ollama", model_name=f"m{n}") for n in range(6)]
    act(client, "greet", *many)
    assert "Select 5 at most." in client.get(page(Provider, "changelist")).content.decode()
    assert Call.objects.filter(purpose="test").count() == 1


def test_the_order_after_a_failure_is_set_in_the_admin(admin: User, client_for: Any) -> None:
    body = {"provider_name": "openai", "model_name": "x", "is_enabled": "on", "api_config": "{}"}
    for order, status in (("0", 200), ("2", 302)):
        answer = client_for(admin).post(page(Provider, "add"), {**body, "fallback_order": order})
        assert answer.status_code == status
    assert Provider.objects.get().fallback_order == 2


def test_the_built_in_provider_is_neither_disabled_nor_changed(
    admin: User, client_for: Any
) -> None:
    built_in = Provider.objects.create(provider_name="offline", model_name="extractive")
    act(client_for(admin), "disable_selected", built_in)
    path = page(Provider, "change", built_in.pk)
    assert client_for(admin).post(path, {"model_name": "x"}).status_code == 403
    assert Provider.objects.get().is_enabled


def test_a_key_in_a_providers_settings_is_refused(admin: User, client_for: Any) -> None:
    body = {"provider_name": "openai", "model_name": "x", "is_enabled": "on"}
    wrong = {**body, "api_config": '{"api_key": "secret"}'}
    assert client_for(admin).post(page(Provider, "add"), wrong).status_code == 200
    assert not Provider.objects.exists()
    right = {**body, "api_config": '{"api_key_variable": "MY_KEY"}'}
    assert client_for(admin).post(page(Provider, "add"), right).status_code == 302
    assert AuditEntry.objects.filter(kind="provider", action="added").exists()


def test_what_the_environment_names_is_not_changed_here(
    rows: dict[type[Model], Model], admin: User, client_for: Any
) -> None:
    Provider.objects.update(from_environment=True)
    path = page(Provider, "change", rows[Provider].pk)
    assert client_for(admin).post(path, {"model_name": "x"}).status_code == 403
    act_body = {"action": "delete_selected", "_selected_action": [str(rows[Provider].pk)]}
    client_for(admin).post(page(Provider, "changelist"), {**act_body, "post": "yes"})
    assert Provider.objects.exists()


def test_answers_are_stopped(rows: dict[type[Model], Model], admin: User, client_for: Any) -> None:
    Message.objects.update(state="streaming")
    act(client_for(admin), "stop", rows[Message])
    assert Message.objects.get().state == "stopped"


def test_spaces_are_changed_by_the_same_rules_as_on_their_page(
    rows: dict[type[Model], Model], admin: User, client_for: Any
) -> None:
    space = EmbeddingSpace.objects.get()
    client = client_for(admin)
    act(client, "activate", space)
    space.refresh_from_db()
    assert space.state == "building"  # it is not built yet
    EmbeddingSpace.objects.update(built_at=space.created_at)
    act(client, "compare", space)  # there is no other
    act(client, "activate", space)
    act(client, "retire", space)  # not while it is active
    space.refresh_from_db()
    assert (space.state, space.comparison) == ("active", {})
    assert AuditEntry.objects.filter(object_id=space.pk, actor_id=admin.pk).count() == 1
    other = EmbeddingSpace.objects.create(model_name="other", dimensions=16)
    act(client, "retire", other)
    other.refresh_from_db()
    assert other.state == "retired"


def test_a_golden_question_names_who_asked(
    rows: dict[type[Model], Model], admin: User, project: Project, client_for: Any
) -> None:
    body = {"project": project.pk, "query": "Where do owls sleep?", "relevant": "barn.py,tree.py"}
    assert client_for(admin).post(page(GoldenQuestion, "add"), body).status_code == 302
    kept = GoldenQuestion.objects.get(query="Where do owls sleep?")
    assert (kept.user, kept.relevant) == (admin, ["barn.py", "tree.py"])


def test_a_kind_of_finding_is_told_again(
    rows: dict[type[Model], Model], admin: User, client_for: Any
) -> None:
    act(client_for(admin), "lift", rows[Mute])
    mute = Mute.objects.get()
    assert mute.lifted_at
    assert mute.lifted_by == admin


def test_findings_are_dismissed_and_their_projects_reviewed(
    rows: dict[type[Model], Model], admin: User, client_for: Any
) -> None:
    client = client_for(admin)
    act(client, "dismiss", rows[Finding])
    finding = Finding.objects.get()
    assert (finding.state, finding.reason, finding.decided_by) == ("dismissed", "false", admin)
    act(client, "review_again", rows[NightlyRun])
    begun = NightlyRun.objects.get(state=NightlyRun.State.WAITING)
    assert begun.requested_by == admin
    act(client, "review_again", rows[NightlyRun])
    assert NightlyRun.objects.count() == 2
