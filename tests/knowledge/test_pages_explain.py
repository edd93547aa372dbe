import pytest
from django.urls import reverse

from knowledge.models import GoldenQuestion

CACHE = '''def evict_oldest(values):
    """Drop the value that was written first."""
    values.pop(min(values))
'''


@pytest.fixture
def texts(source, index):
    index(source, "src/cache.py", CACHE)
    index(source, "tests/test_cache.py", "def test_evict_oldest():\n    evict_oldest({1: 2})\n")
    return source


@pytest.fixture
def open_page(client_for, project, texts):
    def get(person, **fields: str):
        return client_for(person).get(reverse("search-why", args=[project.pk]), fields)

    return get


def test_before_a_question_the_page_says_what_it_is_for(open_page, bob) -> None:
    page = open_page(bob).content.decode()

    assert "Type a question" in page
    assert "Keep as a golden question" not in page


def test_words_legs_scores_rules_and_what_is_cut_are_shown(open_page, alice) -> None:
    page = open_page(alice, q="how does evict_oldest drop values in zeppelins").content.decode()

    assert "chooses and scores" in page
    assert "is nowhere" in page  # the zeppelins
    assert "Words: 2 found in" in page
    assert "Names: 1 found in" in page
    assert "symbol +0.40" in page
    assert "test -" in page
    assert "src/cache.py:1–3" in page


def test_two_ways_stand_side_by_side_with_each_others_ranks(open_page, alice) -> None:
    page = open_page(alice, q="evict oldest", method="usual", against="rrf").content.decode()

    assert page.count('class="beside__part"') == 2
    assert "As Nightowl searches" in page
    assert 'scope="col" class="number">Beside' in page


def test_a_question_is_kept_with_the_files_that_answer_it(
    client_for, alice, project, texts
) -> None:
    keep = reverse("search-keep", args=[project.pk])

    client_for(alice).post(keep, {"q": "what evicts?", "relevant": ["src/cache.py"]})

    kept = GoldenQuestion.objects.get(project=project)
    assert (kept.query, kept.relevant) == ("what evicts?", ["src/cache.py"])


def test_without_a_file_nothing_is_kept(client_for, alice, project, texts) -> None:
    keep = reverse("search-keep", args=[project.pk])

    answer = client_for(alice).post(keep, {"q": "what evicts?"}, follow=True)

    assert "Choose the files" in answer.content.decode()
    assert not GoldenQuestion.objects.exists()


def test_viewers_look_but_keep_nothing_and_strangers_see_nothing(
    open_page, client_for, bob, charlie, project
) -> None:
    keep = reverse("search-keep", args=[project.pk])
    given = {"q": "x", "relevant": ["src/cache.py"]}

    assert "Keep as a golden" not in open_page(bob, q="evict").content.decode()
    assert client_for(bob).post(keep, given).status_code == 404
    assert open_page(charlie, q="evict").status_code == 404
    assert client_for(charlie).post(keep, given).status_code == 404


@pytest.mark.parametrize(
    "query", ["<script>x</script>", "/((/", "since:soon", '"', "\0", "x" * 3000]
)
def test_odd_questions_are_no_errors(open_page, alice, query: str) -> None:
    answer = open_page(alice, q=query, method="nothing", against="words")

    assert answer.status_code in {200, 400}
    assert "<script>x" not in answer.content.decode()
