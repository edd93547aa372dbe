from uuid import UUID, uuid4

import pytest

from knowledge.ranking import Candidate, Question, confidence, rank


def candidate(path="src/app.py", words=1.0, meaning=None, document=None, **fields) -> Candidate:
    fields = {"layer": "source", "language": "python", "symbol": "", "definitions": (), **fields}
    return Candidate(
        chunk_id=uuid4(),
        document_id=UUID(int=document) if document else uuid4(),
        path=path,
        words=words,
        meaning=meaning,
        **fields,
    )


def order(candidates, question, vector_weight=0.4) -> list[str]:
    ranked = rank(candidates, Question.read(question), vector_weight=vector_weight)
    return [c.path for c in ranked]


def test_words_alone_order_what_has_no_vector():
    found = [candidate("a.py", words=1), candidate("b.py", words=3), candidate("c.py", words=2)]
    assert order(found, "anything else") == ["b.py", "c.py", "a.py"]


def test_meaning_decides_between_equal_words():
    found = [candidate("a.py", meaning=0.1), candidate("b.py", meaning=0.6)]
    assert order(found, "anything else") == ["b.py", "a.py"]


def test_a_question_that_is_one_identifier_is_answered_by_words_alone():
    def found():
        return [
            candidate("a.py", words=2, meaning=0.1),
            candidate("b.py", words=1, meaning=0.9),
        ]

    assert order(found(), "`send_request`")[0] == "a.py"
    assert order(found(), "how to send the request off", vector_weight=0.9)[0] == "b.py"


def test_the_name_of_the_file_counts():
    found = [candidate("src/views.py"), candidate("src/blueprints.py")]
    assert order(found, "how do blueprints work")[0] == "src/blueprints.py"


def test_the_definition_of_a_named_identifier_leads():
    uses = candidate("uses.py", words=1.2)
    defines = candidate("defines.py", words=1.0, definitions=["Session.send_request"])
    assert order([uses, defines], "what does send_request return")[0] == "defines.py"


def test_a_plain_word_that_is_also_a_name_counts_for_less():
    defines = candidate(definitions=["request"])
    rank([defines], Question.read("how is a request sent"), vector_weight=0)
    named = candidate(definitions=["send_request"])
    rank([named], Question.read("how does send_request work"), vector_weight=0)
    assert 0 < defines.rules["symbol"] < named.rules["symbol"]


@pytest.mark.parametrize("layer", ["test", "migration", "example"])
def test_what_is_secondary_stands_back(layer):
    found = [candidate("a.py", words=1.5, layer=layer), candidate("b.py", words=1.0)]
    assert order(found, "how does it work") == ["b.py", "a.py"]


def test_tests_lead_when_they_are_asked_for():
    found = [candidate("tests/a.py", words=1.5, layer="test"), candidate("b.py", words=1.0)]
    assert order(found, "how is it tested")[0] == "tests/a.py"


def test_code_leads_before_prose_unless_documents_are_asked_for():
    def found():
        return [
            candidate("docs/a.md", words=1.1, language="markdown"),
            candidate("b.py", words=1.0),
        ]

    assert order(found(), "how does it work")[0] == "b.py"
    assert order(found(), "where is the guide")[0] == "docs/a.md"


def test_change_logs_come_last():
    log = candidate("CHANGES.rst", words=1.5, language="rst")
    assert order([log, candidate("b.py", words=1.0)], "how does it work")[0] == "b.py"


def test_passages_of_a_source_file_that_agree_raise_it():
    lone = candidate("lone.py", words=1.0)
    pair = [
        candidate("pair.py", words=0.95, document=1),
        candidate("pair.py", words=0.9, document=1),
    ]
    assert order([lone, *pair], "how does it work")[0] == "pair.py"


def test_passages_of_a_long_page_do_not():
    lone = candidate("lone.md", words=1.0, language="markdown")
    pair = [
        candidate("pair.md", words=0.95, document=1, language="markdown"),
        candidate("pair.md", words=0.9, document=1, language="markdown"),
    ]
    assert order([lone, *pair], "how does it work")[0] == "lone.md"


def test_every_score_is_explained_by_its_legs_and_rules():
    found = [
        candidate("src/cache.py", words=2, meaning=0.5, definitions=["Cache"], document=1),
        candidate("src/cache.py", words=1, meaning=0.4, document=1),
        candidate("docs/cache.md", words=2, meaning=0.2, language="markdown"),
    ]
    for ranked in rank(found, Question.read("how does the cache work"), vector_weight=0.4):
        legs = 0.6 * ranked.legs["words"] + 0.4 * ranked.legs["meaning"]
        assert ranked.score == pytest.approx(legs + sum(ranked.rules.values()))


def test_equal_candidates_come_in_a_stable_order():
    found = [candidate(f"{name}.py") for name in "cab"]
    again = [candidate(f"{name}.py") for name in "bac"]
    assert order(found, "x y") == order(again, "x y") == ["a.py", "b.py", "c.py"]


def test_nothing_found_ranks_to_nothing():
    assert rank([], Question.read("anything"), vector_weight=0.4) == []


def test_confidence_grows_with_what_is_shared_and_stays_within_bounds():
    assert confidence([], 10.0) == 0
    assert confidence([candidate(words=5)], 0.0) == 0
    weak = confidence([candidate(words=1, meaning=0.1)], 10.0)
    strong = confidence([candidate(words=8, meaning=0.7)], 10.0)
    assert 0 < weak < strong <= 1
    assert confidence([candidate(words=50)], 10.0) == 1


def test_what_a_compiler_made_stands_behind_its_source():
    found = [
        candidate("lib/types.d.ts", words=1.9, language="typescript"),
        candidate("lib/types.js", words=1.9, language="javascript"),
        candidate("lib/own.js", words=1.2, language="javascript"),
        candidate("src/types.ts", words=1.0, language="typescript"),
    ]
    expected = ["lib/own.js", "src/types.ts", "lib/types.d.ts", "lib/types.js"]
    assert order(found, "how does it work") == expected
