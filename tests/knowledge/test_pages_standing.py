"""What the page of a source tells while work waits, fails or asks, and what can be done there."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from knowledge.models import Chunk, Document, EmbeddingSpace, Vector
from projects.models import ForgeQuota, Job, Project, Source, WorkerBeat

QUESTION = "A sync would forget 90 of 100 files, because the branch no longer holds them."


@pytest.fixture
def alices(client_for, alice):
    return client_for(alice)


def shown(client, name: str, thing, query: str = "") -> str:
    answer = client.get(reverse(name, args=[thing.pk]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def wait(source: Source, **fields: object) -> Job:
    given = {"project": source.project, "source": source, "kind": "sync", **fields}
    return Job.objects.create(**given)


@pytest.fixture
def crowd(alice) -> list[Source]:
    """Two sources of somebody else's project, whose work has waited for longer."""
    other = Project.objects.create(name="other", owner=alice)
    sources = [Source.objects.create(project=other, name=f"s{n}", kind="upload") for n in (1, 2)]
    for source in sources:
        wait(source, due_at=timezone.now() - timedelta(hours=1))
    WorkerBeat.objects.create(name="worker")
    return sources


@pytest.fixture
def failed_files(source) -> list[Document]:
    return Document.objects.bulk_create(
        Document(
            project=source.project,
            source=source,
            path=f"f{n}.py",
            state="failed",
            error="its content could not be read" if n else "Too deep",
            attempts=3,
        )
        for n in range(3)
    )


def test_a_waiting_source_tells_its_place_in_the_queue(alices, project, source, crowd) -> None:
    wait(crowd[0], kind="embed", due_at=timezone.now() - timedelta(hours=1))
    wait(source)

    assert "2nd in the queue, 1 source before it" in shown(alices, "source", source)
    assert "2nd in the queue, 1 source before it" in shown(alices, "sources", project)
    Job.objects.filter(source__in=crowd).delete()
    assert "next in the queue" in shown(alices, "source-progress", source)


def test_a_job_that_is_tried_again_later_says_when(alices, source) -> None:
    wait(source, due_at=timezone.now() + timedelta(minutes=1), error="No answer.", attempts=2)

    page = shown(alices, "source", source)
    assert "to try again at" in page
    assert "No answer." in page
    assert "Tried 2 times without getting further; it is given up after 3." in page


def test_a_space_that_is_built_is_shown_beside_the_one_that_answers(alices, source, index) -> None:
    index(source, "a.py", "a = 1\n")
    index(source, "b.py", "b = 1\n")
    active = EmbeddingSpace.objects.create(model_name="small", dimensions=16, state="active")
    built = EmbeddingSpace.objects.create(model_name="large", dimensions=32, state="building")
    EmbeddingSpace.objects.create(model_name="old", dimensions=16, state="kept")
    first = Chunk.objects.first()
    for space in (active, built):
        vector = [0.25] * space.dimensions
        Vector.objects.create(space=space, chunk=first, project=source.project, embedding=vector)
    Vector.objects.create(
        space=active, chunk=Chunk.objects.last(), project=source.project, embedding=[0.25] * 16
    )

    page = shown(alices, "source", source)
    assert "Searchable by words and by meaning. Beside it, large is filled to 50 %." in page
    assert "old is" not in page


def test_reasons_choose_which_files_are_listed(alices, source, failed_files, skip_file) -> None:
    skip_file(source, "b.bin", "binary")

    page = shown(alices, "source", source, "?state=failed&reason=Too%20deep")
    table = page.partition('id="Files"')[2]
    assert "f0.py" in table
    assert "f1.py" not in table
    assert "?state=failed&amp;reason=its%20content%20could%20not%20be%20read#Files" in page
    assert "No file was left out for this reason" in shown(alices, "source", source, "?reason=x")


def test_a_failed_file_tells_how_often_it_was_read(alices, source, failed_files) -> None:
    assert "Read 3 times." in shown(alices, "source", source)


def test_one_failed_file_is_read_again(alices, source, failed_files) -> None:
    answer = alices.post(reverse("source-retry", args=[source.pk]), {"path": "f1.py"}, follow=True)

    assert "1 file is read again." in answer.content.decode()
    attempts = Document.objects.order_by("path").values_list("attempts", flat=True)
    assert list(attempts) == [3, 0, 3]
    assert Job.objects.get().kind == "sync"


def test_all_failed_files_are_read_again(alices, source, failed_files) -> None:
    assert "Read all 3 failed files again" in shown(alices, "source", source)
    alices.post(reverse("source-retry", args=[source.pk]))

    assert set(Document.objects.values_list("attempts", flat=True)) == {0}
    assert Job.objects.count() == 1


def test_where_nothing_failed_nothing_is_read_again(alices, source, skip_file) -> None:
    skip_file(source, "b.bin", "binary")
    answer = alices.post(reverse("source-retry", args=[source.pk]), follow=True)

    assert "There is no failed file" in answer.content.decode()
    assert not Job.objects.exists()


@pytest.fixture
def asking(source) -> Source:
    Source.objects.filter(pk=source.pk).update(
        state="asks", question=QUESTION, head="c" * 40, may_shrink=False
    )
    source.refresh_from_db()
    return source


def test_a_question_is_asked_on_every_page_that_leads_there(
    alices, client_for, bob, charlie, project, asking, index
) -> None:
    for name, args in (
        ("source", [asking.pk]),
        ("sources", [project.pk]),
        ("project", [project.pk]),
        ("home", []),
    ):
        index(asking, "a.py", "a = 1\n")
        page = alices.get(reverse(name, args=args)).content.decode()
        assert QUESTION in page
        assert "Yes, forget them" in page
        seen = client_for(bob).get(reverse(name, args=args)).content.decode()
        assert QUESTION in seen
        assert "Yes, forget them" not in seen
    assert QUESTION not in client_for(charlie).get(reverse("home")).content.decode()


def test_yes_lets_the_next_sync_forget(alices, alice, asking) -> None:
    alices.post(reverse("source-answer", args=[asking.pk]), {"forget": "yes"})

    asking.refresh_from_db()
    assert (asking.question, asking.may_shrink) == ("", True)
    assert Job.objects.get().requested_by == alice
    assert AuditEntry.objects.get(action="let go").object_id == asking.pk


def test_no_keeps_everything(alices, asking) -> None:
    answer = alices.post(reverse("source-answer", args=[asking.pk]), {"forget": "no"}, follow=True)

    asking.refresh_from_db()
    assert (asking.question, asking.may_shrink, asking.state) == ("", False, "ready")
    assert not Job.objects.exists()
    assert AuditEntry.objects.filter(action="kept").exists()
    assert "the next sync asks again" in answer.content.decode()


def test_a_second_answer_changes_nothing(alices, asking) -> None:
    for _ in range(2):
        answer = alices.post(
            reverse("source-answer", args=[asking.pk]), {"forget": "yes"}, follow=True
        )
    assert "Nothing is asked here any more." in answer.content.decode()
    assert Job.objects.count() == 1


@pytest.mark.parametrize("name", ["source-retry", "source-answer"])
def test_only_editors_retry_and_answer(
    client_for, bob, charlie, asking, failed_files, name: str
) -> None:
    address = reverse(name, args=[asking.pk])
    for person in (bob, charlie):
        assert client_for(person).post(address, {"forget": "yes"}).status_code == 404
    assert client_for(None).post(address).status_code == 302
    asking.refresh_from_db()
    assert asking.question == QUESTION
    assert not Job.objects.exists()


def edited(client, source, **fields: object):
    data = {"name": "code", "description": "", "branch": "", "folder_path": "", **fields}
    return client.post(reverse("source-edit", args=[source.pk]), data)


def test_an_editor_says_which_files_are_read(alices, source) -> None:
    edited(alices, source, include="docs/\r\n*.md\r\n", exclude="old/", poll_minutes="0")

    source.refresh_from_db()
    assert (source.include, source.exclude, source.poll_minutes) == ("docs/\n*.md", "old/", 0)
    assert source.may_shrink
    assert Job.objects.count() == 1
    page = shown(alices, "source", source)
    assert "<code>*.md</code>" in page
    assert "never by itself" in page


def test_saving_without_a_change_syncs_nothing(alices, source) -> None:
    edited(alices, source, poll_minutes="60")

    source.refresh_from_db()
    assert (source.poll_minutes, source.may_shrink) == (60, False)
    assert not Job.objects.exists()


def test_a_changed_collection_has_every_file_read_again(alices, source, index) -> None:
    index(source, "a.py", "a = 1\n")
    edited(alices, source, collection="standards")

    assert Document.objects.get().chunker_version == 0
    assert Job.objects.get().kind == "sync"


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"include": "docs/\n["}, "Line 2 is not a pattern: ["),
        ({"exclude": "a\n" * 201}, "Give at most 200 lines."),
        ({"exclude": "x" * 501}, "Line 1 is longer than 500 characters."),
        ({"collection": "secrets"}, "secrets is not one of the available choices"),
        ({"poll_minutes": "-1"}, "greater than or equal to 0"),
        ({"poll_minutes": "10081"}, "less than or equal to 10080"),
    ],
)
def test_what_cannot_be_read_is_told(alices, source, fields: dict[str, str], complaint) -> None:
    answer = edited(alices, source, **fields)

    assert answer.status_code == 400
    assert complaint in answer.content.decode()
    source.refresh_from_db()
    assert (source.include, source.exclude, source.poll_minutes) == ("", "", None)


def test_files_that_people_gave_have_no_patterns(alices, project) -> None:
    shelf = Source.objects.create(project=project, name="papers", kind="upload")

    page = shown(alices, "source-edit", shelf)
    assert 'name="collection"' in page
    assert 'name="include"' not in page
    assert "Next look" not in shown(alices, "source", shelf)


def test_how_a_repository_is_watched_is_told(alices, project) -> None:
    soon = timezone.now() + timedelta(minutes=7, seconds=5)
    source = Source.objects.create(
        project=project,
        name="far",
        url="https://github.com/team/app",
        next_poll_at=soon,
        forge={"repository": {"id": 42, "full_name": "team/app", "default_branch": "main"}},
    )
    ForgeQuota.objects.create(
        host="api.github.com", is_anonymous=True, limit=60, remaining=58, resets_at=soon
    )

    page = shown(alices, "source", source)
    assert "in 7 min" in page
    assert "repository 42" in page
    assert "58 of 60 requests left, without a token" in page
