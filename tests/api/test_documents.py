"""Documents over REST: listed, read, written, changed, and what is similar to them."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import User
from knowledge.models import Document
from knowledge.writing import LARGEST_TEXT
from projects.jobs import run_all
from projects.models import Membership, Source
from tests.api.conftest import World

TEXT = "# Hunting\n\nOwls hunt at night.\n"


def test_documents_are_listed_without_their_text(
    world: World, bob: User, browser: Any, skip_file: Callable[[Source, str, str], Document]
) -> None:
    skip_file(world.source, "big.bin", "binary")
    caller = browser(bob)
    rows = caller.get(f"/documents?source={world.source.pk}").json()["results"]
    assert [(row["path"], row["state"]) for row in rows] == [
        ("big.bin", "skipped"),
        ("owl.py", "indexed"),
    ]
    assert rows[0]["error"] == "binary"
    assert "content" not in rows[0]
    assert caller.get("/documents?state=skipped").json()["count"] == 1
    assert caller.get("/documents?path=owl").json()["count"] == 1
    assert caller.get("/documents?path=%25").json()["count"] == 0
    assert caller.get("/documents?language=python&collection=x").json()["count"] == 0
    assert caller.get("/documents?state=lost").status_code == 400


def test_a_document_has_its_text(world: World, bob: User, browser: Any) -> None:
    document = browser(bob).get(f"/documents/{world.document.pk}").json()
    assert document["content"].startswith("def hunt():")
    assert document["commit"] == "c" * 40


def test_the_list_of_documents_reads_no_texts(
    world: World, bob: User, browser: Any, index: Any, django_assert_num_queries: Any
) -> None:
    for number in range(10):
        index(world.source, f"n{number}.md", f"# {number}\n\ntext\n")
    caller = browser(bob)
    with django_assert_num_queries(4) as queries:  # session, person, count, rows
        assert len(caller.get("/documents").json()["results"]) == 12
    assert not any("knowledge_blob" in query["sql"] for query in queries.captured_queries)


def test_documents_are_found_by_what_they_are(
    world: World, alice: User, bob: User, charlie: User, browser: Any, index: Any
) -> None:
    index(world.source, "docs/standards/naming.md", "# Naming\n")
    caller = browser(alice)

    def paths(query: str) -> set[str]:
        return {row["path"] for row in caller.get(f"/documents?{query}").json()["results"]}

    assert paths(f"user={alice.pk}") == {"feathers.md"}
    assert paths(f"user={bob.pk}") == set()
    for stranger in (charlie.pk, uuid4()):
        assert caller.get(f"/documents?user={stranger}").status_code == 400
    assert paths("collection=standards") == {"docs/standards/naming.md"}
    assert paths("q=NAM") == {"docs/standards/naming.md"}
    assert paths("q=FEATHERS") == {"feathers.md"}
    assert paths("q=%25") == set()
    assert paths(f"source={world.written.source_id}") == {"feathers.md"}
    assert paths(f"project={world.project.pk}") == {
        *("owl.py", "feathers.md", "docs/standards/naming.md")
    }


def body(world: World, **more: Any) -> dict[str, Any]:
    return {"project": str(world.project.pk), "title": "Owls", "content": TEXT, **more}


def test_a_document_is_written(world: World, alice: User, browser: Any) -> None:
    caller = browser(alice)
    answer = caller.post("/documents", body(world, metadata={"tags": "a, b", "deep": {"er": [1]}}))

    made = answer.json()
    assert answer.status_code == 201
    assert (made["title"], made["path"], made["content"]) == ("Owls", "owls.md", TEXT)
    assert made["metadata"] == {"tags": ["a", "b"], "deep": {"er": [1]}}
    assert (made["user"], made["state"]) == (str(alice.pk), "indexed")
    assert [version["by"] for version in made["versions"]] == ["Alice"]
    assert caller.get(f"/documents/{made['id']}").json() == made
    hits = caller.get("/search?q=owls+hunt+at+night").json()["hits"]
    assert made["id"] in {hit["document"] for hit in hits}


def test_a_document_is_changed_in_part(world: World, alice: User, browser: Any) -> None:
    caller, path = browser(alice), f"/documents/{world.written.pk}"
    before = caller.get(path).json()

    changed = caller.patch(path, {"content": "New.\n", "version": before["version"]}).json()

    assert (changed["title"], changed["content"]) == (before["title"], "New.\n")
    assert changed["version"] != before["version"]
    assert [one["commit"] for one in changed["versions"]] == [
        changed["commit"],
        before["commit"],
    ]
    assert caller.patch(path, {"metadata": {"a": 1}}).json()["metadata"] == {"a": 1}
    assert caller.patch(path, {}).json()["content"] == "New.\n"


def test_a_change_that_began_from_another_version_conflicts(
    world: World, alice: User, browser: Any
) -> None:
    caller, path = browser(alice), f"/documents/{world.written.pk}"
    began = caller.get(path).json()["version"]
    assert caller.patch(path, {"title": "First", "version": began}).status_code == 200

    second = caller.patch(path, {"title": "Second", "version": began})

    assert second.status_code == 409
    assert "meanwhile" in second.json()["error"]["message"]
    assert caller.delete(f"{path}?version={began}").status_code == 409
    assert caller.get(path).json()["title"] == "First"


def test_a_file_of_a_source_can_not_be_changed_here(
    world: World, alice: User, browser: Any
) -> None:
    caller, path = browser(alice), f"/documents/{world.document.pk}"

    for answer in (caller.patch(path, {"title": "x"}), caller.delete(path)):
        assert answer.status_code == 400
        assert "where it is from" in answer.json()["error"]["message"]
    assert caller.get(path).json()["version"] == ""


def test_a_deleted_document_is_gone(world: World, alice: User, browser: Any) -> None:
    caller, path = browser(alice), f"/documents/{world.written.pk}"

    assert caller.delete(path).status_code == 204
    assert caller.get(path).status_code == 404
    assert caller.delete(path).status_code == 404


def test_an_author_who_may_only_look_may_not_write(
    world: World, alice: User, bob: User, browser: Any
) -> None:
    Membership.objects.filter(user=bob).update(role=Membership.Role.EDITOR)
    made = browser(bob).post("/documents", body(world)).json()
    Membership.objects.filter(user=bob).update(role=Membership.Role.VIEWER)

    assert browser(bob).patch(f"/documents/{made['id']}", {"title": "x"}).status_code == 403
    assert browser(bob).delete(f"/documents/{made['id']}").status_code == 403
    assert browser(alice).patch(f"/documents/{made['id']}", {"title": "x"}).status_code == 200


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("title", {"title": ""}),
        ("title", {"title": "x" * 513}),
        ("title", {"title": None}),
        ("content", {"content": " "}),
        ("content", {"content": "a\x07b"}),
        ("content", {"content": "x" * (LARGEST_TEXT + 1)}),
        ("content", {"content": ["x"]}),
        ("metadata", {"metadata": [1]}),
        ("metadata", {"metadata": "x"}),
        ("metadata", {"metadata": {"a": "x" * 17_000}}),
        ("project", {"project": str(uuid4())}),
    ],
)
def test_what_can_not_be_kept_is_refused(
    world: World, alice: User, browser: Any, field: str, given: dict[str, Any]
) -> None:
    before = Document.objects.count()

    answer = browser(alice).post("/documents", body(world, **given))

    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]
    assert Document.objects.count() == before


@pytest.fixture
def embedded(world: World, index: Any) -> World:
    index(world.source, "docs/mice.md", "Owls hunt mice at night, by ear.\n")
    index(world.source, "docs/bills.md", "Invoices are paid within thirty days.\n")
    world.source.jobs.create(project=world.project, source=world.source, kind="embed")
    run_all()
    return world


def test_similar_documents_are_found_for_a_text(embedded: World, alice: User, browser: Any) -> None:
    caller = browser(alice)
    asked = {"text": "Owls hunt mice at night", "threshold": 0.3, "limit": 2}

    found = caller.post("/documents/similar", asked).json()

    assert found["notes"] == []
    assert 1 <= len(found["results"]) <= 2
    first = found["results"][0]
    assert set(first) == {"document", "score", "passage", "url"}
    assert first["document"]["path"] == "docs/mice.md"
    assert 0.3 <= first["score"] <= 1
    assert first["passage"]["text"] == "Owls hunt mice at night, by ear."
    assert caller.client.get(first["url"].partition("#")[0]).status_code == 200
    query = "text=Owls+hunt+mice+at+night&threshold=0.3&limit=2"
    assert caller.get(f"/documents/similar?{query}").json() == found


def test_similar_documents_are_found_for_a_document(
    embedded: World, alice: User, bob: User, browser: Any
) -> None:
    caller = browser(alice)
    query = f"/documents/similar?document={embedded.document.pk}&threshold=0"

    paths = [row["document"]["path"] for row in caller.get(query).json()["results"]]
    assert paths[0] == "docs/mice.md"
    assert "owl.py" not in paths
    others = caller.get(f"{query}&user={bob.pk}").json()["results"]
    elsewhere = caller.get(f"{query}&project={embedded.other_project.pk}").json()["results"]
    assert others == elsewhere == []


def test_similar_documents_are_ones_own(
    embedded: World, alice: User, charlie: User, browser: Any, program: Any
) -> None:
    asked = {"text": "Owls hunt mice at night", "threshold": 0}

    assert browser(charlie).post("/documents/similar", asked).json()["results"] == []
    limited = program(alice, "read", projects=(embedded.other_project,))
    assert limited.post("/documents/similar", asked).json()["results"] == []
    reading = program(alice, "read")
    assert reading.post("/documents/similar", asked).json()["results"]
    assert reading.post("/documents", body(embedded)).status_code == 403


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"text": ""},
        {"text": "x" * 20_001},
        {"text": "x", "limit": 0},
        {"text": "x", "limit": 51},
        {"text": "x", "threshold": 1.1},
        {"text": "x", "threshold": -0.1},
        {"text": "x", "threshold": "high"},
        {"text": "x", "user": "me"},
        {"document": "x"},
        {"document": str(uuid4())},
    ],
)
def test_what_makes_no_sense_is_refused(
    world: World, alice: User, browser: Any, asked: dict[str, Any]
) -> None:
    answer = browser(alice).post("/documents/similar", asked)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_either_a_text_or_a_document_is_asked_for(world: World, alice: User, browser: Any) -> None:
    both = {"text": "x", "document": str(world.document.pk)}

    answer = browser(alice).post("/documents/similar", both)
    assert answer.status_code == 400
    assert "either" in answer.json()["error"]["message"]
