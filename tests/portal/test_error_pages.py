import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import path

from config.urls import urlpatterns as known


def break_down(request: object) -> None:
    raise RuntimeError("a secret detail")


urlpatterns = [*known, path("broken/", break_down)]


@pytest.mark.parametrize("code", ["400", "403", "404", "403_csrf", "500", "503"])
def test_error_pages_need_neither_a_request_nor_the_database(
    code: str, django_assert_num_queries, db
) -> None:
    with django_assert_num_queries(0):
        page = render_to_string(f"{code}.html")

    assert "<h1" in page
    assert "css/tokens" in page


def test_a_missing_page_asks_the_database_for_nothing_but_who_is_there(
    client_for, alice, project, django_assert_max_num_queries
) -> None:
    client = client_for(alice)

    with django_assert_max_num_queries(2):
        answer = client.get("/nowhere/")
    assert answer.status_code == 404
    assert "nightowl" not in answer.content.decode()


@pytest.mark.urls(__name__)
def test_a_broken_page_tells_no_details(db) -> None:
    client = Client(raise_request_exception=False)
    client.cookies["nightowl-theme"] = "dark"

    answer = client.get("/broken/")

    assert answer.status_code in {302, 500}
    assert "secret detail" not in answer.content.decode()


@pytest.mark.urls(__name__)
def test_a_broken_page_says_that_nothing_was_lost(client_for, alice) -> None:
    client = client_for(alice)
    client.raise_request_exception = False

    answer = client.get("/broken/")

    assert answer.status_code == 500
    assert "Something broke here" in answer.content.decode()
    assert "secret detail" not in answer.content.decode()


def test_too_many_files_at_once_are_refused_in_words(client_for, alice, project, settings) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 5

    answer = client_for(alice).post("/projects/new/", {f"f{n}": "x" for n in range(10)})

    assert answer.status_code == 400
    assert "can't be read" in answer.content.decode().replace("&#x27;", "'")
