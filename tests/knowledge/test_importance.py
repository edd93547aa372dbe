import numpy as np
import pytest

from knowledge.importance import (
    Definition,
    Importance,
    Mentions,
    could_be_a_word,
    distinctness,
    weigh,
)


def weighed(
    definitions: list[tuple[str, int]],
    mentions: list[tuple[int, str]],
    voices: list[float],
    kinds: dict[str, str] | None = None,
) -> Importance:
    """Weigh files by (name, file) definitions and (file, name) mentions."""
    names = sorted({name for name, _ in definitions} | {name for _, name in mentions})
    number = {name: place + 1 for place, name in enumerate(names)}
    return weigh(
        [Definition(name, file, (kinds or {}).get(name, "class"), 1) for name, file in definitions],
        [number[name] for name, _ in definitions],
        Mentions(
            np.array([file for file, _ in mentions], dtype=np.int64),
            np.array([number[name] for _, name in mentions], dtype=np.int64),
            np.ones(len(mentions), dtype=np.int64),
        ),
        {name: distinctness(name) for name in names},
        voices,
    )


def test_a_file_matters_by_who_mentions_what_it_defines() -> None:
    found = weighed(
        [("NightOwl", 0), ("DayMouse", 1)],
        [(1, "NightOwl"), (2, "NightOwl"), (3, "NightOwl"), (3, "DayMouse")],
        [1.0] * 4,
    )

    assert found.files[0] > found.files[1] > found.files[2]
    assert found.mentioned_by.tolist() == [3, 1, 0, 0]
    assert found.used_by.tolist() == [3, 1]
    assert found.definitions[0] > found.definitions[1]


def test_a_mention_by_one_who_matters_weighs_more() -> None:
    found = weighed(
        [("HeartOwl", 0), ("BigClaw", 1), ("SmallToe", 2)],
        [(3, "HeartOwl"), (4, "HeartOwl"), (0, "BigClaw"), (5, "SmallToe")],
        [1.0] * 6,
    )

    assert found.files[1] > found.files[2]


def test_what_a_file_says_of_itself_does_not_count() -> None:
    found = weighed([("NightOwl", 0)], [(0, "NightOwl")], [1.0, 1.0])

    assert found.mentioned_by.tolist() == [0, 0]
    assert found.files[0] == pytest.approx(found.files[1])


def test_files_without_a_voice_are_not_heard() -> None:
    found = weighed([("NightOwl", 0)], [(1, "NightOwl"), (2, "NightOwl")], [1.0, 0.0, 1.0])

    assert found.mentioned_by.tolist() == [1, 0, 0]


def test_a_name_that_many_files_define_points_nowhere() -> None:
    found = weighed([("NightOwl", file) for file in range(5)], [(5, "NightOwl")], [1.0] * 6)

    assert found.definitions.tolist() == [0.0] * 5


def test_everyday_words_make_no_trusted_mention() -> None:
    mentions = [(file, "render") for file in range(1, 11)]

    found = weighed([("render", 0)], mentions, [1.0] * 11, {"render": "function"})

    assert found.used_by.tolist() == [4]  # of ten: the others may be only the word
    assert not found.mentioned_by.any()


def test_ranks_are_shares_of_one() -> None:
    found = weighed(
        [("NightOwl", 0), ("DayMouse", 1)], [(1, "NightOwl"), (2, "DayMouse")], [1.0, 0.5, 0.3]
    )

    assert found.files.sum() == pytest.approx(1.0)


def test_nothing_is_weighed_to_nothing() -> None:
    found = weighed([], [], [])

    assert found.files.tolist() == []
    assert found.definitions.tolist() == []


def test_nobody_mentions_anything() -> None:
    found = weighed([("NightOwl", 0)], [], [1.0, 1.0])

    assert found.files.tolist() == pytest.approx([0.5, 0.5])
    assert found.definitions.tolist() == [0.0]


@pytest.mark.parametrize(
    ("surer", "less"),
    [
        ("find_night_owl", "Owl"),
        ("NightOwl", "Owl"),
        ("Owl", "render"),
        ("render", "_render_it"),
        ("_render_it", "__init__"),
        ("Owl", "id"),
    ],
)
def test_some_names_are_surer_than_others(surer: str, less: str) -> None:
    assert distinctness(surer) > distinctness(less)


@pytest.mark.parametrize(
    ("name", "could"),
    [("File", True), ("render", True), ("NightOwl", False), ("find_owl", False), ("_File", False)],
)
def test_prose_may_hold_some_names(name: str, could: bool) -> None:
    assert could_be_a_word(name) is could
