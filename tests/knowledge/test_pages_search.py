import pytest
from django.urls import reverse

CHUNKER = '''def split_into_chunks(text):
    """Split a document into chunks."""
    return text.split("\\n\\n")
'''
GUIDE = "# Guide\n\nDocuments are split into chunks by their headings.\n"


@pytest.fixture
def search(client_for, alice, project, source, index):
    index(source, "src/chunking.py", CHUNKER)
    index(source, "docs/guide.md", GUIDE)
    client = client_for(alice)

    def ask(query: str = "", **fields: str) -> str:
        address = reverse("search", args=[project.pk])
        answer = client.get(address, {"q": query, **fields})
        assert answer.status_code == 200
        return answer.content.decode()

    return ask


def test_before_a_question_the_page_says_how_to_ask(search) -> None:
    page = search()

    assert "<result-list>" not in page
    assert "narrow the search" in page
    assert 'id="PageSearch"' in page


def test_passages_are_grouped_by_file_with_the_words_lit(search) -> None:
    page = search("split chunks")

    assert "src/chunking.py" in page
    assert "docs/guide.md" in page
    assert "<mark>split</mark>" in page
    assert "2 passages in 2 files" in page


def test_a_result_opens_at_its_lines(search, source) -> None:
    page = search("split chunks")

    address = reverse("file", args=[source.pk, "c" * 40, "src/chunking.py"])
    assert f'href="{address}?lines=1-3#L1" data-result' in page


def test_a_result_says_why_it_is_there(search) -> None:
    page = search("split_into_chunks")

    assert "why here" in page
    assert '<meter min="0" max="1" value="1.000" aria-label="words">' in page


@pytest.mark.parametrize(
    ("query", "fields", "left"),
    [
        ("split chunks lang:python", {}, "src/chunking.py"),
        ("split chunks path:docs", {}, "docs/guide.md"),
        ("split chunks", {"lang": "markdown"}, "docs/guide.md"),
        ("split chunks", {"path": "src/"}, "src/chunking.py"),
    ],
)
def test_filters_narrow_the_search(search, query: str, fields: dict[str, str], left: str) -> None:
    page = search(query, **fields)

    assert "1 passage in 1 file" in page
    assert left in page
    assert "chip--on" in page


def test_filters_are_taken_away_by_their_chip(search) -> None:
    page = search("split chunks lang:python path:src")

    assert 'href="?q=split+chunks&amp;path=src"' in page
    assert 'href="?q=split+chunks&amp;lang=python"' in page


def test_filters_that_would_part_the_results_are_offered(search) -> None:
    page = search("split chunks")

    assert 'href="?q=split+chunks&amp;lang=python"' in page
    assert 'href="?q=split+chunks&amp;lang=markdown"' in page


def test_when_nothing_matches_the_page_says_so(search) -> None:
    page = search("split lang:cobol")

    assert "Nothing matches" in page
    assert 'href="?q=split"' in page


@pytest.mark.parametrize(
    "query",
    [
        *(
            "<script>alert(1)</script>",
            "' OR 1=1 --",
            "%",
            "\\",
            '"',
            "a" * 2_000,
            "🦉",
            "&&|!():*",
            "\u202e",
        ),
        *("lang:", "path:%", "lang:' in:\" x", "x" + " y" * 900),
    ],
)
def test_odd_questions_are_no_errors(search, query: str) -> None:
    assert "<script>alert" not in search(query)


def test_passages_of_other_projects_are_not_found(
    client_for, charlie, project, source, index, alice
) -> None:
    index(source, "secret.py", "canary_of_alice = 1\n")
    theirs = type(project).objects.create(name="theirs", owner=charlie)
    theirs.memberships.create(user=charlie, role="owner")

    answer = client_for(charlie).get(reverse("search", args=[theirs.pk]), {"q": "canary_of_alice"})

    assert "secret.py" not in answer.content.decode()


def test_hostile_code_and_names_are_only_shown(client_for, alice, project, source, index) -> None:
    index(source, "<img src=x onerror=alert(1)>.py", 'x = "<script>alert(1)</script> owl"\n')

    page = (
        client_for(alice).get(reverse("search", args=[project.pk]), {"q": "owl"}).content.decode()
    )

    assert "&lt;img src=x onerror=alert(1)&gt;.py" in page
    assert "<script>alert" not in page
    assert "<img" not in page


def test_the_page_takes_the_same_queries_for_many_results(
    client_for, alice, project, source, index, django_assert_max_num_queries
) -> None:
    for number in range(25):
        index(source, f"f{number}.py", f"def owl_{number}():\n    return {number}\n")
    client = client_for(alice)

    with django_assert_max_num_queries(18):
        page = client.get(reverse("search", args=[project.pk]), {"q": "owl"})
    assert page.content.count(b'class="hit"') >= 20
