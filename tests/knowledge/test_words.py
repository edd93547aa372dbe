from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge import words

ONE, OTHER = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("getUserById", ["getuserbyid", "user", "id"]),
        ("HTTPServer", ["httpserver", "http", "server"]),
        ("snake_case_name", ["snake_case_name", "snake", "case", "name"]),
        ("__init__", ["init"]),
        ("documents splitting", ["document", "split"]),
        ("Where is the cache?", ["cach"]),
        ("parse2json", ["parse2json", "pars", "json"]),
        ("中文字", ["中文", "文字"]),
        ("über Größe", ["über", "größe"]),
        ("x" * 65, []),
        ("", []),
        ("--- !!! \n\t", []),
    ],
)
def test_words_are_split_as_people_and_programmers_mean_them(text, terms):
    assert words.terms_of(text) == terms


def test_a_question_and_an_identifier_meet_in_their_parts():
    asked = set(words.terms_of("Where are documents split into chunks?"))
    written = set(words.terms_of("def split_document(self): return chunk"))
    assert {"document", "split", "chunk"} <= asked & written


def test_numbers_of_terms_are_positive_64_bit_and_stable():
    assert words.number_of("document") == words.number_of("document")
    assert words.number_of("document") != words.number_of("documents")
    assert 0 < words.number_of("document") < 2**63


def test_a_project_numbers_its_terms_for_itself():
    numbers = [words.number_of("a"), words.number_of("b")]
    mine, theirs = words.numbers_in(ONE, numbers), words.numbers_in(OTHER, numbers)
    assert not set(mine) & set(theirs)
    assert words.numbers_in(ONE, mine) == numbers  # marking twice takes the mark off


def test_a_second_occurrence_weighs_less_than_the_first():
    once, twice, often = (words.weigh({7: n, 8: 1})[7] for n in (1, 2, 50))
    assert once < twice < often < words.SATURATION + 1
    assert twice - once < once


def test_a_word_weighs_less_in_a_longer_text():
    short = words.weigh({7: 1, 8: 10})[7]
    long = words.weigh({7: 1, 8: 500})[7]
    assert long < short


def test_texts_count_together():
    counts = words.count_terms("cache cache", "The cache of a getUser")
    assert counts[words.number_of("cach")] == 3
    assert counts[words.number_of("getuser")] == counts[words.number_of("user")] == 1


@pytest.mark.parametrize(("chunks", "found"), [(100, 0), (100, 1), (100, 50), (100, 100), (0, 0)])
def test_rarity_is_never_negative(chunks, found):
    assert words.rarity(chunks, found) >= 0


def test_rare_terms_count_more():
    rarities = [words.rarity(1000, found) for found in (1, 10, 100, 1000)]
    assert rarities == sorted(rarities, reverse=True)


def test_sparse_vectors_are_written_as_postgresql_reads_them():
    assert words.sparse_text({4: 0.25, 2: 1.5}) == f"{{3:1.5,5:0.25}}/{words.DIMENSIONS}"
    assert words.sparse_text({}) == f"{{}}/{words.DIMENSIONS}"


def test_terms_that_share_a_place_are_added_up():
    same_place = words.sparse_text({1: 1.0, 1 + words.DIMENSIONS: 2.0})
    assert same_place == f"{{2:3}}/{words.DIMENSIONS}"


@given(st.text(max_size=300))
def test_any_text_gives_terms_that_can_be_stored(text):
    counts = words.count_terms(text)
    assert all(0 < number < 2**63 for number in counts)
    assert words.sparse_text(words.weigh(counts)).endswith(f"}}/{words.DIMENSIONS}")


@given(st.text(alphabet="abcXYZ_ 09", max_size=80))
def test_case_of_a_single_word_does_not_change_what_it_finds(text):
    plain = [word for word in text.split() if word.isalpha() and word.islower()]
    assert words.terms_of(" ".join(plain)) == words.terms_of(" ".join(plain))
    for word in plain:
        assert set(words.terms_of(word)) & set(words.terms_of(word.capitalize())) or (
            not words.terms_of(word)
        )
