from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiKey
from projects.models import Project

FORM = {"name": "deploy robot", "scopes": ["read"], "lifetime": "30"}


@pytest.fixture
def keys(client_for, alice):
    client = client_for(alice)

    def post(**changes: object):
        return client.post(reverse("api-keys"), {**FORM, **changes})

    post.get = lambda: client.get(reverse("api-keys"))
    post.client = client
    return post


def test_there_are_no_keys_at_first(keys) -> None:
    assert "No keys yet" in keys.get().content.decode()


def test_the_text_of_a_key_is_shown_once(keys) -> None:
    answer = keys()

    text = answer.context["key_text"]
    assert text in answer.content.decode()
    assert ApiKey.objects.get().hash == ApiKey.hash_of(text)
    assert "no-store" in answer["Cache-Control"]
    assert text not in keys.get().content.decode()
    assert text not in str(dict(keys.client.session))


@pytest.mark.parametrize(("lifetime", "days"), [("30", 30), ("365", 365)])
def test_a_key_expires_when_it_was_told_to(keys, lifetime: str, days: int) -> None:
    keys(lifetime=lifetime)

    expires = ApiKey.objects.get().expires_at
    assert expires is not None
    assert abs(expires - timezone.now() - timedelta(days=days)) < timedelta(minutes=1)


def test_a_key_may_last_for_ever(keys) -> None:
    keys(lifetime="")

    assert ApiKey.objects.get().expires_at is None


def test_a_key_is_limited_to_projects(keys, project) -> None:
    keys(projects=[str(project.pk)])

    assert ApiKey.objects.get().project_links.get().project == project
    assert "nightowl" in keys.get().content.decode()


def test_a_key_cannot_be_limited_to_what_its_person_cannot_see(keys, charlie) -> None:
    theirs = Project.objects.create(name="theirs", owner=charlie)

    answer = keys(projects=[str(theirs.pk)])

    assert answer.status_code == 400
    assert "theirs" not in answer.content.decode()
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    "changes", [{"name": ""}, {"scopes": []}, {"scopes": ["root"]}, {"lifetime": "9999"}]
)
def test_a_form_that_does_not_hold_makes_no_key(keys, changes: dict[str, object]) -> None:
    assert keys(**changes).status_code == 400
    assert not ApiKey.objects.exists()


def test_a_revoked_key_opens_nothing(keys, client_for) -> None:
    text = keys().context["key_text"]
    key = ApiKey.objects.get()

    keys.client.post(reverse("api-key-revoke", args=[key.pk]))

    assert not ApiKey.objects.usable().filter(hash=ApiKey.hash_of(text)).exists()
    assert "revoked" in keys.get().content.decode()


def test_nobody_revokes_the_key_of_another(keys, client_for, bob) -> None:
    keys()
    key = ApiKey.objects.get()

    assert client_for(bob).post(reverse("api-key-revoke", args=[key.pk])).status_code == 404
    assert ApiKey.objects.get().revoked_at is None
    assert "deploy robot" not in client_for(bob).get(reverse("api-keys")).content.decode()


def test_the_page_takes_the_same_queries_for_many(
    keys, alice, django_assert_max_num_queries
) -> None:
    for number in range(20):
        ApiKey.issue(user=alice, name=f"key {number}", scopes=["read"])

    with django_assert_max_num_queries(8):
        assert keys.get().content.decode().count("key 1") == 22
