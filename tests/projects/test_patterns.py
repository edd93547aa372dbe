import pytest

from projects.patterns import PatternRefused, check_patterns, is_pattern, lenient_spec


@pytest.mark.parametrize(
    "line",
    ["*.py", "!keep.py", "docs/", "/docs", "a/**/b", "**", "# a comment", "", "a\\ b", "naïve*"],
)
def test_what_git_takes_is_a_pattern(line):
    assert is_pattern(line)


@pytest.mark.parametrize(
    "line", ["!", "\\", "/", "[", "a[", "[z-a]", "[[:space:]]", "a\0b", "x" * 501]
)
def test_what_git_makes_nothing_of_is_none(line):
    assert not is_pattern(line)


def test_a_line_that_is_no_pattern_is_refused_by_its_number():
    with pytest.raises(PatternRefused, match=r"Line 2 is not a pattern: \["):
        check_patterns("src/\n[\n")


def test_there_is_an_end_to_lines_and_to_their_length():
    with pytest.raises(PatternRefused, match="at most 200 lines"):
        check_patterns("a\n" * 201)
    with pytest.raises(PatternRefused, match="Line 1 is longer than 500"):
        check_patterns("a" * 501)
    assert check_patterns("a\n" * 200).count("\n") == 199


def test_what_a_browser_sends_is_tidied():
    assert check_patterns("\r\n src/ \r\n*.md\r\n\r\n") == "src/ \n*.md"
    assert check_patterns("") == check_patterns(" \n ") == ""


def test_a_text_without_a_pattern_chooses_nothing():
    assert lenient_spec("# nothing\n\n[\n") is None
    assert lenient_spec("[\n*.md").match_file("docs/a.md")
