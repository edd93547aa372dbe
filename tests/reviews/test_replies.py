"""A reply of a model is read in whatever it is wrapped, and nothing is made up."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.observations import CATEGORIES, SEVERITIES, Observation
from reviews.prompts import PROMPT_VERSION
from reviews.replies import MOST, Unreadable, items_of, observation_of

ITEM = {"file": "a.py", "start_line": 3, "claim": "It is so."}
PLAIN = json.dumps({"findings": [ITEM]})
NONE = '{"findings": []}'


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(PLAIN, id="as asked for"),
        pytest.param(f"\n\n  {json.dumps({'findings': [ITEM]}, indent=2)}\n", id="indented"),
        pytest.param(json.dumps([ITEM]), id="a list alone"),
        pytest.param(f"```json\n{PLAIN}\n```", id="fenced"),
        pytest.param(f"```\r\n{PLAIN}\r\n```", id="fenced without a language"),
        pytest.param(f"```JSON5\n{PLAIN}\n```", id="fenced with another language"),
        pytest.param(f"``` json\n{PLAIN}", id="fence left open"),
        pytest.param(f"Here it is:\n\n```json\n{PLAIN}\n```\nAnything else?", id="prose around"),
        pytest.param(f"I found one: {PLAIN} That is all.", id="prose around, no fence"),
        pytest.param(f"One: {json.dumps([ITEM])} [sic]"[:-6], id="prose before a list"),
        pytest.param(f"<think>\nIs it? {{no}}\n</think>\n{PLAIN}", id="thought about"),
        pytest.param(f" <thinking>rows[0]</thinking>```json\n{PLAIN}\n```", id="thought, fenced"),
        pytest.param(f"<think>{NONE}</think>{PLAIN}", id="thought otherwise"),
        pytest.param(PLAIN.replace("}]}", "},],}"), id="trailing commas"),
        pytest.param(PLAIN[:-1], id="broken off behind the list"),
        pytest.param(
            '{"note": {"a": [1]}, "findings": [' + json.dumps(ITEM) + "]}", id="more said"
        ),
        pytest.param('{"findings": [' + f'"none", {json.dumps(ITEM)}, 3, null, []]}}', id="mixed"),
        pytest.param(f'{{"findings": [], "findings": [{json.dumps(ITEM)}]}}', id="said twice"),
        pytest.param(f"```py\nrows = {{}}\n```\n```json\n{PLAIN}\n```", id="code before"),
    ],
)
def test_a_finding_is_read_in_whatever_it_is_wrapped(reply):
    assert items_of(reply, "findings") == [ITEM]


@pytest.mark.parametrize(
    "reply",
    [
        NONE,
        "[]",
        " [ ]\n",
        f"```json\n{NONE}\n```",
        "```\n[]\n```",
        f"Nothing to say: {NONE}",
        f"<think>Perhaps {PLAIN}? No.</think>\n{NONE}",
        f"<think>\n```json\n{PLAIN}\n```\n</think>\n{NONE}",
    ],
)
def test_nothing_found_is_an_answer(reply):
    assert items_of(reply, "findings") == []


@pytest.mark.parametrize(
    "reply",
    [
        *("", " ", "No findings.", "null", "true", "3", '"findings"', "{}", "{]", "][", "}{"),
        *('{"findings": null}', '{"findings": {}}', '{"findings": "none"}', '{"FINDINGS": []}'),
        '{"error": "overloaded", "details": []}',
        # In a sentence, these are code.
        *("The `int[]` may be null.", "It reads items[0] twice.", "See [1] and [2].", "{} is kept"),
        *('["a.py is wrong"]', "[1, 2]", "[[]]", '{"findings": ["a.py:3 is wrong"]}'),
        *(PLAIN[:-2], PLAIN[:30], f"```json\n{PLAIN[:-3]}", '{"findings": [{"file'),
        json.dumps({"findings": [ITEM, ITEM]})[:-8],
        *(f"<think>{PLAIN}", f"<think>\n```json\n{PLAIN}\n```\nBut", f"<think>{PLAIN}</think>"),
        *("[" * 100_000, '{"a":' * 100_000, "[" * 50_000 + "]" * 50_000),
        '{"findings": [{"start_line": ' + "9" * 5_000 + "}]}",
        "{'findings': []}",
        "```" + "\n" * 16_000,
    ],
    ids=lambda reply: repr(reply[:40]),
)
def test_what_can_not_be_read_is_told_and_not_taken_for_none(reply):
    with pytest.raises(Unreadable):
        items_of(reply, "findings")


def test_a_list_is_read_by_its_own_name():
    said = json.dumps({"findings": [ITEM], "verdicts": [{"number": 1, "holds": True}]})
    assert items_of(said, "verdicts") == [{"number": 1, "holds": True}]
    with pytest.raises(Unreadable):
        items_of('{"findings": []}', "verdicts")


def test_there_is_an_end_to_findings():
    said = json.dumps({"findings": [None, *[{"number": n} for n in range(MOST + 5)]]})
    assert items_of(said, "findings") == [{"number": n} for n in range(MOST)]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        *(("3", 3), ("-3", -3), ("true", True), ("false", False), ("null", None)),
        *(("NaN", None), ("-Infinity", None), ("1e999", None), ("2.5", None), ("9" * 400, None)),
        *(("[1]", None), ('{"a": {}}', None), ("[" * 500 + "]" * 500, None)),
        *(('""', ""), (r'"\u00e9"', "é"), (r'"a\u0000b"', "ab"), (r'"\ud83e\udd89"', "🦉")),
        *((r'"\ud800"', "\ufffd"), (r'"\udd89\ud83e"', "\ufffd\ufffd")),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_of_a_finding_only_what_can_be_stored_is_kept(value, kept):
    (item,) = items_of(f'{{"findings": [{{"claim": {value}}}]}}', "findings")
    assert item == {"claim": kept}
    assert type(item["claim"]) is type(kept)


FULL = {
    "file": "a.py",
    "start_line": 3,
    "end_line": 5,
    "severity": "critical",
    "category": "security",
    "claim": "It is so.",
    "quote": "    x = 1",
    "evidence": "Because.",
    "reference": "CWE-1",
    "suggestion": "x = 2",
}


def test_a_finding_says_what_the_model_said():
    assert observation_of(FULL, "m") == Observation(
        rule="model",
        severity="critical",
        category="security",
        path="a.py",
        start_line=3,
        end_line=5,
        claim="It is so.",
        quote="    x = 1",
        evidence="Because.",
        reference="CWE-1",
        confidence=0.5,
        patch="x = 2",
        model_name="m",
        prompt_version=PROMPT_VERSION,
    )


def test_a_finding_needs_no_more_than_a_place_and_a_claim():
    found = observation_of(ITEM, "m")
    assert (found.path, found.start_line, found.end_line, found.claim) == (
        "a.py",
        3,
        3,
        "It is so.",
    )
    assert (found.severity, found.category) == ("info", "bug")
    assert (found.quote, found.evidence, found.reference, found.patch) == ("", "", "", "")


@pytest.mark.parametrize("name", ["file", "claim", "start_line"])
@pytest.mark.parametrize("value", ["", "\n", None, [], {}, ["a.py"], {"a": 1}, 0, -1, 2.5, True])
def test_without_a_place_and_a_claim_there_is_no_finding(name, value):
    assert observation_of({**ITEM, name: value}, "m") is None
    assert observation_of({key: ITEM[key] for key in ITEM if key != name}, "m") is None


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        *((1, 1), ("12", 12), ("007", 7), (10**7 - 1, 10**7 - 1), ("٣", 3)),
        *((10**7, None), (10**400, None), ("9" * 5_000, None), ("0", None), ("-1", None)),
        *((float("nan"), None), (float("inf"), None), (3.0, None), (True, None), (False, None)),
        *(("²", None), ("1.5", None), ("line 3", None), ("3-5", None), ("1_0", None), ([3], None)),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_line_is_a_number_of_a_line(start, expected):
    found = observation_of({**ITEM, "start_line": start}, "m")
    assert (found and found.start_line) == expected


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        *((3, 3), ("5", 5), (43, 43), (44, 3), (2, 3), (0, 3), (-1, 3), (10**400, 3)),
        *((None, 3), (True, 3), ([5], 3), ("end", 3), (float("nan"), 3)),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_an_end_that_can_not_be_is_the_start(end, expected):
    assert observation_of({**ITEM, "end_line": end}, "m").end_line == expected


@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        *[("severity", one.upper(), one) for one in SEVERITIES],
        *[("category", one.title(), one) for one in CATEGORIES],
        *(("severity", "blocker", "info"), ("severity", 3, "info"), ("severity", ["info"], "info")),
        *(("category", "style", "bug"), ("category", None, "bug"), ("category", {}, "bug")),
        ("claim", "x" * 5_000, "x" * 400),
        ("evidence", "x" * 5_000, "x" * 1_000),
        ("reference", "x" * 5_000, "x" * 300),
        ("quote", "x" * 5_000, "x" * 4_000),
        ("quote", "\n  a\n b\n\n", "  a\n b"),
        *(
            ("quote", ["a"], ""),
            ("evidence", 3, ""),
            ("reference", {}, ""),
            ("claim", "a\0b", "a b"),
        ),
        ("evidence", "AKIAIOSFODNN7EXAMPL3 leaks", "AKIA**************** leaks"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_each_thing_said_is_what_it_may_be(name, said, expected):
    assert getattr(observation_of({**ITEM, name: said}, "m"), name) == expected


PIECES = st.sampled_from(
    [*'{}[]",: \n\\', "```", "json", "<think>", "</think>", "NaN", "1e999", "findings", PLAIN, NONE]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=30).map("".join))
def test_any_reply_is_read_or_told(reply):
    try:
        items = items_of(reply, "findings")
    except Unreadable:
        return
    json.dumps(items, allow_nan=False).encode()
    for item in items:
        found = observation_of(item, "m")
        assert found is None or (item["file"], item["start_line"]) == ("a.py", 3)
