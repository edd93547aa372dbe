"""A small world to ask for, and people and keys to ask with."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey, User
from conversations.models import Conversation, Message
from knowledge.describing import describe
from knowledge.gaps import note_gap
from knowledge.models import (
    Document,
    EmbeddingSpace,
    Evaluation,
    GoldenQuestion,
    KnowledgeGap,
    Overview,
)
from knowledge.writing import create_document
from projects.keys import issue_key
from projects.models import Job, Membership, Project, Source
from providers.models import Call, Provider
from reviews.models import (
    ConventionScore,
    Finding,
    NightlyRun,
    Review,
    Standard,
    TestSuggestion,
)
from tests.reviews.rows import review_rows

V1 = "/api/v1"


@dataclass
class Caller:
    """Somebody who calls the API: a signed-in browser, or a program with a key."""

    client: Client = field(default_factory=Client)
    key: str = ""

    def __call__(
        self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str
    ) -> HttpResponse:
        if self.key:
            headers["authorization"] = f"Bearer {self.key}"
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        kind = headers.pop("content_type", "application/json")
        return self.client.generic(
            method, V1 + path, data, content_type=kind, headers=headers or None
        )

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self("POST", path, body, **headers)

    def patch(self, path: str, body: Any) -> HttpResponse:
        return self("PATCH", path, body)

    def delete(self, path: str) -> HttpResponse:
        return self("DELETE", path)


@pytest.fixture
def browser(client_for: Callable[[User | None], Client]) -> Callable[[User | None], Caller]:
    return lambda user: Caller(client_for(user))


@pytest.fixture
def program(db: None) -> Callable[..., Caller]:
    """Return a program with a key of a person: `program(alice, "read", projects=[project])`."""

    def issue(user: User, *scopes: str, projects: tuple[Project, ...] = ()) -> Caller:
        _, text = issue_key(
            user, name="CI", scopes=list(scopes or ApiKey.Scope.values), projects=projects
        )
        return Caller(key=text)

    return issue


@dataclass
class World:
    """One thing of each kind, of alice or of her project."""

    project: Project
    other_project: Project
    member: Membership
    source: Source
    upload: Source
    document: Document
    written: Document
    job: Job
    conversation: Conversation
    message: Message
    api_key: ApiKey
    call: Call
    provider: Provider
    space: EmbeddingSpace
    golden: GoldenQuestion
    evaluation: Evaluation
    gap: KnowledgeGap
    night: NightlyRun
    review: Review
    finding: Finding
    suggestion: TestSuggestion
    standard: Standard
    score: ConventionScore

    def address(self, path: str) -> str:
        """Fill in `{source}` and its like."""
        ids = {name: getattr(self, name).pk for name in self.__dataclass_fields__}
        return path.format_map(ids)


@pytest.fixture
def world(
    alice: User, bob: User, project: Project, source: Source, index: Callable[..., Document]
) -> World:
    document = index(source, "owl.py", "def hunt():\n    '''Hunt at night.'''\n    return 1\n")
    other = Project.objects.create(name="other", owner=alice)
    Membership.objects.create(project=other, user=alice, role=Membership.Role.OWNER)
    conversation = Conversation.objects.create(project=project, user=alice, title="Hunting")
    question = conversation.add(None, {"role": "user", "content": "How do owls hunt?"})
    passage = {"number": 1, "file_path": "owl.py", "commit": "c" * 40, "start_line": 1}
    passage |= {"end_line": 3, "url": "/x", "document_id": "", "source_id": "", "source": "code"}
    passage |= {"header_anchor": "", "header": "owl.py", "symbol": "hunt", "kind": "function"}
    passage |= {"language": "python", "similarity_score": 0.9, "text": "def hunt(): ..."}
    message = conversation.add(
        question.pk, {"role": "assistant", "content": "At night [1].", "sources": [passage]}
    )
    provider = Provider.objects.create(
        provider_name="openai",
        model_name="owl-1",
        # Without this variable a test of it ends before anything is sent.
        api_config={"base_url": "http://10.0.0.7/v1", "api_key_variable": "OWL_IS_NOT_THERE_KEY"},
    )
    key, _ = issue_key(alice, name="old", scopes=["read"])
    call = Call.objects.create(
        purpose="answer",
        provider=provider,
        provider_name="openai",
        model_name="owl-1",
        user=alice,
        project_id=project.pk,
    )
    EmbeddingSpace.objects.create(
        adapter="HashedWords", model_name="hashed-words", dimensions=1024, state="active"
    )
    Overview.objects.create(project=project, content=describe(project), made_at=timezone.now())
    return World(
        project=project,
        other_project=other,
        member=Membership.objects.get(project=project, user=bob),
        source=source,
        upload=Source.objects.create(project=project, name="files", kind="upload"),
        document=document,
        written=create_document(project, by=alice, title="Feathers", content="Quiet feathers.\n"),
        job=Job.objects.create(project=project, source=source, kind="sync"),
        conversation=conversation,
        message=message,
        api_key=key,
        call=call,
        provider=provider,
        space=EmbeddingSpace.objects.create(
            model_name="owl-2", dimensions=16, built_at=timezone.now()
        ),
        golden=GoldenQuestion.objects.create(
            project=project, query="Who hunts?", relevant=["owl.py"], lines=[["owl.py", 1, 3]]
        ),
        evaluation=Evaluation.objects.create(project=project, finished_at=timezone.now()),
        gap=note_gap(project.pk, "How do owls moor?", kind="low_evidence"),
        **vars(review_rows(source)),
    )
