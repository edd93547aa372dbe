"""Files that are dropped beside a question."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from knowledge.models import Upload
from projects.models import Job, Source


@pytest.fixture
def address(project) -> str:
    return reverse("project-drop", args=[project.pk])


def dropped(client, address: str, *names: str, accept: str = "application/json"):
    files = [SimpleUploadedFile(name, b"Owls hunt at night.\n") for name in names]
    return client.post(address, {"loose": files}, headers={"Accept": accept})


def test_dropped_files_are_kept_in_one_source_and_indexed(client_for, alice, project, address):
    first = dropped(client_for(alice), address, "owls.md", "mice.md").json()
    source = Source.objects.get(project=project, name="Uploads")
    assert first == {"count": 2, "refused": [], "url": source.get_absolute_url()}
    assert dropped(client_for(alice), address, "bats.md").json()["count"] == 1
    assert Source.objects.filter(project=project, kind="upload").count() == 1
    paths = set(Upload.objects.filter(source=source).values_list("path", flat=True))
    assert paths == {"owls.md", "mice.md", "bats.md"}
    assert Job.objects.filter(source=source, kind="sync").exists()


def test_without_a_script_the_next_page_tells_of_it(client_for, alice, address):
    page = client_for(alice).post(
        address, {"loose": [SimpleUploadedFile("owls.md", b"Owls\n")]}, follow=True
    )
    assert "1 file was taken in." in page.content.decode()


def test_nothing_dropped_is_said_so(client_for, alice, address):
    answer = client_for(alice).post(address, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()) == (400, {"error": "Choose at least one file."})
    page = client_for(alice).post(address, follow=True)
    assert "Choose at least one file." in page.content.decode()


def test_a_name_that_another_source_has_is_left_alone(
    client_for, alice, project, address, tmp_path
):
    Source.objects.create(project=project, name="Uploads", path=str(tmp_path), kind="code")
    answer = dropped(client_for(alice), address, "owls.md")
    assert answer.status_code == 400
    assert not Upload.objects.exists()


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_only_editors_may_add_files(client_for, request, address, who):
    client = client_for(request.getfixturevalue(who))
    assert dropped(client, address, "owls.md").status_code == 404
    assert not Upload.objects.exists()
