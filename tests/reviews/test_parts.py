"""A change in parts that a model is asked about: numbered lines, no secrets, none left out."""

import re

import pytest

from projects.diffs import FileDiff, Hunk
from reviews.changes import ChangedFile
from reviews.inspecting import Inspection
from reviews.outlines import outline_of
from reviews.parts import LONGEST_LINE, Part, parts_of
from reviews.prompts import PART_CHARACTERS

KEY = """\
-----BEGIN RSA PRIVATE KEY-----
MIIEpAIBAAKCAQEAvq0rXyzzy4mUQw3kZ8c7Yt1a9Lk2Jd5Pq0sVb6Nf3Gh1Tz8W
q7RrXk2Lm9Pz4Tb6Vd8Nf0Hj3Cw5Ys1Ge7Ua2Io4Kp6Qx8Mz0Bv9Ln3Rt5Fh7Dy1
-----END RSA PRIVATE KEY-----
"""


def changed(*hunks, before="", after="", path="a.py", old_path=""):
    diff = FileDiff(path, old_path or path, "changed", "1" * 40, "2" * 40, hunks)
    found = Inspection(after=outline_of(after, "python"))
    return ChangedFile(
        diff,
        "python",
        "source",
        before,
        after,
        inspection=found,
        added=diff.added_lines(),
        removed=diff.removed_lines(),
    )


def lines_of(text):
    return text.removesuffix("\n").split("\n")


def added(text, **how):
    """A file that is new, or has come to stand before nothing."""
    return changed(Hunk(0, 1, tuple(f"+{one}" for one in lines_of(text))), after=text, **how)


def removed(text, **how):
    return changed(Hunk(1, 0, tuple(f"-{one}" for one in lines_of(text))), before=text, **how)


def test_lines_are_told_with_their_numbers_and_signs():
    before = "".join(f"x{number} = {number}\n" for number in range(1, 21))
    after = before.replace("x2 = 2\n", "def f():\n    return 2\n").replace("x18 = 18\n", "")
    first = Hunk(1, 1, (" x1 = 1", "-x2 = 2", "+def f():", "+    return 2", " x3 = 3"))
    second = Hunk(17, 18, (" x17 = 17", "-x18 = 18", " x19 = 19"))
    (part,) = parts_of([changed(first, second, before=before, after=after, path="src/a.py")])

    assert part.text == (
        "File src/a.py (python)\n"
        "    1   x1 = 1\n"
        "      - x2 = 2\n"
        "    2 + def f():\n"
        "    3 +     return 2\n"
        "    4   x3 = 3\n"
        "...\n"
        "   18   x17 = 17\n"
        "      - x18 = 18\n"
        "   19   x19 = 19"
    )
    assert part.paths == ("src/a.py",)
    assert part.symbols == ("f",)


@pytest.mark.parametrize("files", [[], [changed()], [changed(path="b.py", after="x")]])
def test_without_hunks_there_are_no_parts(files):
    assert list(parts_of(files)) == []


def test_each_file_has_parts_of_its_own():
    found = list(parts_of([added("a = 1\n"), added("b = 1\n", path="b.py")]))
    assert [part.paths for part in found] == [("a.py",), ("b.py",)]
    assert [part.text.split("\n")[1] for part in found] == ["    1 + a = 1", "    1 + b = 1"]


def numbers_in(part):
    return [int(one) for one in re.findall(r"(?m)^ *(\d+) \+ ", part.text)]


@pytest.mark.parametrize("width", [0, 30, 100, 239])
def test_a_long_hunk_is_told_in_parts_that_fit_and_nothing_is_lost(width):
    count = 600
    found = list(parts_of([added(f"{'x' * width}\n" * count)]))

    assert [one for part in found for one in numbers_in(part)] == list(range(1, count + 1))
    # Line breaks are not counted.
    assert all(len(part.text.replace("\n", "")) <= PART_CHARACTERS + 40 for part in found)
    assert len({part.name for part in found}) == len(found)


def test_hunks_stay_together_as_far_as_they_fit():
    after = ("x" * 90 + "\n") * 1_000
    hunks = [Hunk(start, start, ("+" + "x" * 90,) * 20) for start in range(1, 1_000, 50)]
    found = list(parts_of([changed(*hunks, after=after)]))

    starts = [[one for one in numbers_in(part) if one % 50 == 1] for part in found]
    assert starts == [[1, 51], [101, 151], [201, 251], [301, 351], [401, 451]] + [
        [one, one + 50] for one in range(501, 1_000, 100)
    ]


def test_long_lines_are_cut():
    (part,) = parts_of([added("x" * 1_000 + "\n")])
    assert part.text == "File a.py (python)\n    1 + " + "x" * LONGEST_LINE


def test_a_part_names_what_its_own_lines_define():
    names = [f"name_{number}" for number in range(8)]
    text = "".join(f"def {name}():\n" + "    return 1\n" * 150 for name in names)
    found = list(parts_of([added(text)]))

    assert found[0].symbols[0] == "name_0"
    assert found[-1].symbols[-1] == "name_7"
    for part in found:
        first, last = numbers_in(part)[0], numbers_in(part)[-1]
        assert part.symbols == tuple(names[(first - 1) // 151 : (last - 1) // 151 + 1])


def test_a_part_names_at_most_six():
    (part,) = parts_of([added("".join(f"def f{number}(): 1\n" for number in range(9)))])
    assert part.symbols == ("f0", "f1", "f2", "f3", "f4", "f5")


def test_what_was_not_added_is_not_named():
    after = "def f():\n    return 1\n\n\ndef g():\n    return 2\n"
    hunk = Hunk(4, 4, (" ", " def g():", "-    return 1", "+    return 2"))
    (part,) = parts_of([changed(hunk, before=after.replace("2", "1"), after=after)])
    assert part.symbols == ("g",)


SECRETS = [
    pytest.param(
        "a.py", 'token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"\n', "16C7e42F", id="key"
    ),
    pytest.param("a.py", KEY, "MIIEpAIBAAKCAQEA", id="key of several lines"),
    pytest.param(".env", "API=abc123\n", "abc123", id="file of secrets"),
]


@pytest.mark.parametrize("way", [added, removed])
@pytest.mark.parametrize(("path", "text", "secret"), SECRETS)
def test_no_secret_is_told_whether_it_comes_or_goes(way, path, text, secret):
    (part,) = parts_of([way(text, path=path)])
    assert secret not in part.text
    assert "**" in part.text
    assert part.text.count("\n") == text.count("\n")


def test_a_key_is_hidden_where_only_its_middle_goes():
    lines = lines_of(KEY)
    hunk = Hunk(1, 1, (f" {lines[0]}", f" {lines[1]}", f"-{lines[2]}", f" {lines[3]}"))
    after = KEY.replace(f"{lines[2]}\n", "")
    (part,) = parts_of([changed(hunk, before=KEY, after=after)])
    assert lines[1][:16] not in part.text
    assert lines[2][:16] not in part.text


def test_a_file_of_secrets_that_is_renamed_keeps_them():
    hunk = Hunk(1, 1, ("-API=abc123", "+API="))
    file = changed(hunk, before="API=abc123\n", after="API=\n", path="env.txt", old_path=".env")
    (part,) = parts_of([file])
    assert part.text == "File env.txt (python)\n      - API=****\n    1 + API="


def test_of_a_file_that_could_not_be_read_nothing_is_told():
    hunk = Hunk(1, 1, ("-token = old", "+token = new", " more"))
    (part,) = parts_of([changed(hunk)])
    assert part.text == "File a.py (python)\n      - \n    1 + \n    2   "


def test_a_part_is_known_again_by_its_text():
    one, other = Part("a", ("a.py",), ()), Part("b", ("a.py",), ())
    assert one.name == Part("a", ("b.py",), ("f",)).name
    assert one.name != other.name
    assert re.fullmatch("[0-9a-f]{32}", Part("\ud800", (), ()).name)
