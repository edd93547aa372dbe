"""The pages about the search model."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from knowledge.models import EmbeddingSpace
from projects.models import Job
from tests.knowledge.space_samples import (
    build_beside,
    embed,
    know_other_words,
    reach_of_server,
    state_of,
    the_active,
)
from tests.model_server import model_server


@pytest.fixture
def embedded(source, index):
    for n in range(4):
        index(source, f"src/part_{n}.py", f"def hunt_{n}(mouse):\n    return mouse\n")
    embed(source)
    return source


@pytest.fixture
def browser(client_for, admin, embedded):
    return client_for(admin)


@pytest.fixture
def server():
    with model_server() as running:
        yield running


def page(browser) -> str:
    answer = browser.get(reverse("spaces"))
    assert answer.status_code == 200
    return answer.content.decode()


def click(browser, name: str, *args) -> str:
    answer = browser.post(reverse(name, args=args), follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def form(server, **fields) -> dict:
    return {
        "adapter": "compatible",
        "model_name": "owl-1",
        "base_url": server.url,
        "texts_at_once": "64",
        **fields,
    }


def test_before_anything_is_embedded_the_page_says_what_will_be(client_for, admin):
    assert "Nothing is embedded yet." in page(client_for(admin))


def test_the_active_model_is_shown(browser):
    text = page(browser)
    assert "hashed-words" in text
    assert "Answers now" in text
    assert "in this installation, without a network" in text
    assert "Retire</a>" not in text


def test_trying_a_model_tells_its_size_and_stores_nothing(browser, server):
    answer = browser.post(reverse("space-new"), form(server, **{"try": "yes"}))
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "16 dimensions" in text
    assert "Nothing was stored" in text
    assert 'value="owl-1"' in text
    assert EmbeddingSpace.objects.count() == 1


def test_a_model_is_built_beside_from_the_page(browser, server, embedded):
    prefixed = form(server, query_prefix="query: ", usd_per_million="0.02", takes_over="on")
    answer = browser.post(reverse("space-new"), prefixed)
    assert (answer.status_code, answer.url) == (302, reverse("spaces"))
    space = EmbeddingSpace.objects.get(model_name="owl-1")
    assert (space.query_prefix, space.takes_over_when_built) == ("query: ", True)
    text = page(browser)
    assert "0 of 4 passages" in text
    assert "It answers by itself as soon as it is built." in text
    assert "about $0.00 in all" in text
    embed(embedded)
    assert state_of(space) == "active"
    text = page(browser)
    assert "Go back to it" in text
    assert "passages</span>" not in text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"model_name": ""}, "Needed for a model on a server."),
        ({"base_url": "owl"}, "An address begins with"),
        ({"base_url": "http://me:secret@owl.test"}, "must not hold a name or a password"),
        ({"key_variable": "sk-live-123"}, "never the key itself"),
        ({"key_variable": "GIT_TOKEN_OWL_KEY"}, "for nobody else"),
        ({"texts_at_once": "0"}, "greater than or equal to 1"),
        ({"base_url": "http://127.0.0.1:1/v1"}, "can&#x27;t be reached"),
    ],
)
def test_a_form_that_does_not_hold_says_where(browser, server, fields, sentence):
    answer = browser.post(reverse("space-new"), form(server, **fields))
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert EmbeddingSpace.objects.count() == 1


def test_a_built_model_is_used_gone_back_from_and_compared(browser, embedded, settings):
    old = the_active()
    new = build_beside(embedded, know_other_words(settings))
    assert "Use it" in page(browser)
    assert "other-words answers from now on." in click(browser, "space-activate", new.pk)
    assert "hashed-words answers again." in click(browser, "space-roll-back")
    assert state_of(old) == "active"
    assert "Comparing." in click(browser, "space-compare", new.pk)
    assert "is being compared" in page(browser)


def test_a_comparison_is_shown_with_its_figures(browser, embedded, settings):
    new = build_beside(embedded, know_other_words(settings))
    figures = {"hit_at_1": 0.5, "hit_at_5": 0.75, "hit_at_10": 1, "mrr": 0.61, "ndcg_at_10": 0.7}
    new.comparison = {"verdict": "Finds better.", "against": "old (16)", "this": figures}
    new.comparison["other"] = figures
    new.save()
    text = page(browser)
    assert "Finds better." in text
    assert text.count("0.700") == 2


def test_refusals_are_said_on_the_page(browser, embedded, settings):
    assert "nothing to go back to" in click(browser, "space-roll-back")
    assert "no other space" in click(browser, "space-compare", the_active().pk)
    new = build_beside(embedded, know_other_words(settings))
    EmbeddingSpace.objects.filter(pk=new.pk).update(built_at=None)
    assert "not built yet" in click(browser, "space-activate", new.pk)


def test_retiring_asks_for_the_name_and_says_what_is_lost(browser, embedded, settings):
    new = build_beside(embedded, know_other_words(settings))
    address = reverse("space-retire", args=[new.pk])
    asked = browser.get(address).content.decode()
    assert "<strong>4</strong> vectors" in asked
    assert "<strong>8</strong> embedded texts" in asked
    assert browser.post(address, {"name": "owl"}).status_code == 400
    assert state_of(new) == "building"
    assert browser.post(address, {"name": "other-words"}).status_code == 302
    assert state_of(new) == "retired"
    text = page(browser)
    assert "being removed" in text
    assert browser.get(address).status_code == 404


def test_the_active_model_is_not_retired_by_hand(browser):
    address = reverse("space-retire", args=[the_active().pk])
    answer = browser.post(address, {"name": "hashed-words"})
    assert answer.status_code == 400
    assert "use another one first" in answer.content.decode()


def test_limits_are_changed_on_a_page_of_their_own(browser, embedded, server):
    space = build_beside(embedded, reach_of_server(server))
    address = reverse("space-edit", args=[space.pk])
    assert "Token budget" in browser.get(address).content.decode()
    body = {"texts_at_once": "8", "token_budget": "500", "weight": "0.5"}
    assert browser.post(address, body).status_code == 302
    space.refresh_from_db()
    assert (space.texts_at_once, space.token_budget, space.weight) == (8, 500, 0.5)
    assert browser.post(address, {**body, "weight": "7"}).status_code == 400


def test_a_model_of_the_house_has_no_limits_but_its_weight(browser):
    text = browser.get(reverse("space-edit", args=[the_active().pk])).content.decode()
    assert "Weight" in text
    assert "Token budget" not in text


def test_what_went_wrong_is_told_with_a_way_on(browser, embedded, server):
    space = build_beside(embedded, reach_of_server(server))
    EmbeddingSpace.objects.filter(pk=space.pk).update(error="The budget is used up.", built_at=None)
    space.vectors.all().delete()
    text = page(browser)
    assert "The budget is used up. What is embedded stays." in text
    assert "Try again" in text
    assert "is asked for what is missing" in click(browser, "space-build", space.pk)
    assert Job.objects.filter(kind=Job.Kind.EMBED, state="queued").exists()


def test_how_far_it_is_comes_with_a_guess_of_the_rest(browser, embedded, server):
    space = build_beside(embedded, reach_of_server(server))
    space.vectors.filter(chunk__document__path__lt="src/part_2.py").delete()
    Job.objects.create(
        project=embedded.project,
        source=embedded,
        kind="embed",
        state="running",
        stage="embedding with owl-1",
        done=2,
        total=4,
        started_at=timezone.now() - timedelta(seconds=60),
    )
    text = browser.get(reverse("spaces-progress")).content.decode()
    assert 'data-busy="yes"' in text
    assert "2 of 4 passages" in text
    assert "about 60 s left" in text
    assert 'value="50"' in text


def test_who_is_no_admin_is_not_led_there(client_for, alice, admin, project):
    address = reverse("spaces")
    assert address not in client_for(alice).get("/").content.decode()
    assert address in client_for(admin).get("/").content.decode()


def test_a_page_costs_a_few_queries(browser, embedded, settings, django_assert_max_num_queries):
    build_beside(embedded, know_other_words(settings))
    with django_assert_max_num_queries(14):
        page(browser)
