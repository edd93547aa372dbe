"""A repository as it stands at one commit: what can be read of it, and where words occur."""

import pytest

from projects.commits import LARGEST_FILE, MOST_WORDS, CommitTree, Mention
from projects.git_errors import GitError
from tests.projects.repositories import ODD_NAMES, Repository, with_odd_names


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "code.git", bare=True)


@pytest.fixture
def tree(repository):
    def at(contents):
        made = repository.tree(contents) if isinstance(contents, list) else contents
        return CommitTree(repository.path, repository.commit(made))

    return at


def found_in(tree, *words):
    return [(one.path, one.line, one.text) for one in tree.mentions(words)]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param("a = 1\n", "a = 1\n", id="text"),
        pytest.param("", "", id="empty"),
        pytest.param("a\r\nb", "a\r\nb", id="CRLF and no newline at the end"),
        pytest.param(b"caf\xe9\n", "caf\ufffd\n", id="no UTF-8"),
        pytest.param("naïve \u2028", "naïve \u2028", id="UTF-8"),
        pytest.param(b"a\0b", None, id="binary"),
        pytest.param(b"a" * 8_191 + b"\0", None, id="binary at the end of the sample"),
        pytest.param(b"a" * 8_192 + b"\0", "a" * 8_192 + "\0", id="a zero far down"),
        pytest.param("x" * LARGEST_FILE, "x" * LARGEST_FILE, id="as large as may be"),
        pytest.param("x" * (LARGEST_FILE + 1), None, id="too large"),
    ],
)
def test_a_file_is_read_if_it_is_text_of_some_size(tree, content, text):
    assert tree({"docs/a.md": content}).read("docs/a.md") == text


@pytest.mark.parametrize(
    "path", ["docs", "docs/", "a.md", "/docs/a.md", "./docs/a.md", "docs/../docs/a.md", ""]
)
def test_only_whole_paths_are_read(tree, path):
    assert tree({"docs/a.md": "a"}).read(path) is None


def test_links_and_submodules_are_no_files(repository, tree):
    found = tree(
        [
            ("100644", b"a.py", repository.blob("a")),
            ("100755", b"b.sh", repository.blob("b")),
            ("120000", b"link", repository.blob("a.py")),
            ("160000", b"module", "1" * 40),
            ("40000", b"z", repository.files({"c.py": "c"})),
        ]
    )

    assert list(found.paths()) == ["a.py", "b.sh", "z/c.py"]
    assert found.shas["b.sh"] == repository.blob("b")
    assert [found.read(path) for path in ("b.sh", "link", "module")] == ["b", None, None]


def test_odd_names_are_told_as_everywhere_else(tmp_path):
    repository = with_odd_names(tmp_path / "odd")
    found = CommitTree(repository.git_dir, repository.head())
    told = {name.decode("utf-8", "backslashreplace"): name for name in ODD_NAMES}

    assert set(found.paths()) == set(told)
    assert {path: found.read(path) for path in told} == {
        path: f"content of {name.decode('utf-8', 'replace')}" for path, name in told.items()
    }


def test_contents_are_read_by_their_names_without_what_has_no_text(repository, tree):
    found = tree({"a": "1"})
    texts = {repository.blob(text): text for text in ("1", "two\n", "")}
    others = [repository.blob(b"\0"), repository.blob("x" * (LARGEST_FILE + 1)), "f" * 40]
    others += [repository.files({"a": "1"}), repository.head()]

    assert found.read_all([*texts, *others]) == texts
    assert found.read_all([]) == {}


def test_a_commit_stays_as_it_was(repository, tree):
    found = tree({"a": "1"})
    repository.commit({"a": "2", "b": "2"}, parents=[found.commit])

    assert (list(found.paths()), found.read("a"), found.read("b")) == (["a"], "1", None)
    assert found.read("a") == "1"


@pytest.mark.parametrize("commit", ["main", "HEAD", "--help", "", "1" * 39, "1" * 40 + "\n"])
def test_only_a_sha_names_a_commit(repository, commit):
    with pytest.raises(ValueError, match="not the sha"):
        CommitTree(repository.path, commit)


def test_a_commit_that_is_not_there_has_no_paths(repository):
    tree = CommitTree(repository.path, "f" * 40)
    with pytest.raises(GitError):
        tree.paths()
    assert tree.mentions(["a"]) == []


@pytest.mark.parametrize(
    ("word", "lines"),
    [
        ("total", [1, 3]),
        ("Total", []),
        ("tot", []),
        ("sub_total", [2]),
        ("a.b", [4]),
        ("a+b", []),
        ("--dry-run", [5]),
        ("-e", [6]),
        ("naïve", [7]),
        (".*", []),
        ("'; rm", [8]),
        ("", []),
        ("total\nnaïve", []),
    ],
)
def test_a_word_is_found_where_it_stands_by_itself(tree, word, lines):
    text = "total = 1\nsub_total = 2\nx.total()\na.b\n--dry-run\n-e x\nnaïve\n'; rm -rf\naxb\n"
    found = tree({"a.py": text})
    there = text.split("\n")
    assert found_in(found, word) == [("a.py", line, there[line - 1]) for line in lines]


def test_words_are_found_in_all_files_that_have_text(repository, tree):
    inner = repository.tree([("100644", b"c.md", repository.blob("x\r\n  total\r\n"))])
    found = tree(
        [
            ("100644", b"a.py", repository.blob("rate\nother\ntotal and rate")),
            ("100644", b"b.bin", repository.blob(b"\0 total")),
            ("120000", b"link", repository.blob("total")),
            ("160000", b"module", "1" * 40),
            ("40000", b"docs", inner),
        ]
    )

    assert found.mentions({"total", "rate"}) == [
        Mention("a.py", 1, "rate"),
        Mention("a.py", 3, "total and rate"),
        Mention("docs/c.md", 2, "  total\r"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        *(b"-rf", b"new\nline", b"tab\tname", b'quo"te', b"a:3:b", b"\xff.py", "é".encode()),
        # A name that reads as if the next line were one of another file.
        b"a\n" + b"1" * 40 + b":fake.py",
    ],
)
def test_any_name_is_told_with_its_lines(repository, tree, name):
    blob = repository.blob("total\nand\ntotal\n")
    found = tree([("100644", name, blob), ("100644", b"zz", blob)])
    told = name.decode("utf-8", "backslashreplace")
    assert sorted(found_in(found, "total")) == sorted(
        (path, line, "total") for path in (told, "zz") for line in (1, 3)
    )


def test_a_line_that_reads_like_a_mention_is_text(tree):
    text = "total " + "1" * 40 + ":b.py"
    assert found_in(tree({"a.py": f"{text}\n"}), "total") == [("a.py", 1, text)]


def test_long_lines_are_cut(tree):
    (mention,) = tree({"a.js": "total " + "x" * 2_000}).mentions(["total"])
    assert mention.text == "total " + "x" * 494


def test_there_is_an_end_to_words(tree):
    words = [f"w{number:03}" for number in range(MOST_WORDS + 2)]
    found = tree({"a.py": "\n".join(words)})
    assert [one.text for one in found.mentions(words)] == words[:MOST_WORDS]
    assert found.mentions([]) == found.mentions([""]) == []
