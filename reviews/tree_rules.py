"""Finding in a text what rules over syntax trees describe."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ast_grep_py import SgNode, SgRoot

from reviews.rule_files import PARSERS, Rule, Shape

# What holds the statements of a function, in the languages that have rules.
_FUNCTIONS = frozenset(
    {
        *("function_definition", "function_declaration", "method_declaration", "method_definition"),
        *("constructor_declaration", "function_item", "method", "func_literal", "arrow_function"),
        *("lambda_expression", "function_expression", "local_function_statement"),
    }
)
_VARIABLE = re.compile(r"\$([A-Z]+)")
LONGEST = 12  # lines of one place; a larger one is named by its first lines
MOST = 50  # places of one rule in a file


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rule is broken: lines from 1, and the text that breaks it."""

    rule: Rule
    shape: Shape
    start_line: int
    end_line: int
    text: str
    fixed: str = ""  # the text as it would stand there instead, if the rule knows


def find_places(text: str, language: str, rules: Iterable[Rule]) -> Iterator[Place]:
    """Yield the places where a text breaks rules; `language` is one of ours."""
    # ast-grep builds what it looks for anew each time, which takes longer than looking.
    wanted = [
        (rule, shape)
        for rule in rules
        for shape in rule.shapes.get(language, ())
        if not shape.when or shape.when.search(text)
    ]
    if not wanted:
        return
    root = SgRoot(text, PARSERS[language]).root()
    for rule, shape in wanted:
        seen: set[tuple[int, int]] = set()
        for node in root.find_all(shape.config)[:MOST]:  # type: ignore[call-overload]
            if shape.unless and _is_excused(node, shape):
                continue
            place = _place(node, rule, shape)
            if (place.start_line, place.end_line) not in seen:
                seen.add((place.start_line, place.end_line))
                yield place


def _is_excused(node: SgNode, shape: Shape) -> bool:
    """Whether the function around a place says that nothing is wrong with it."""
    around = next((one for one in node.ancestors() if one.kind() in _FUNCTIONS), None)
    if around is None:
        return False
    text = around.text()

    def matched(variable: re.Match[str]) -> str:
        found = node.get_match(variable[1])
        return re.escape(found.text()) if found else variable[0]

    return any(re.search(_VARIABLE.sub(matched, pattern), text) for pattern in shape.unless)


def _place(node: SgNode, rule: Rule, shape: Shape) -> Place:
    shown = (node.get_match(shape.at) if shape.at else None) or node
    at = shown.range()
    start, end = at.start.line + 1, at.end.line + 1
    fixed = node.replace(shape.fix).inserted_text if shape.fix else ""
    return Place(rule, shape, start, min(end, start + LONGEST - 1), shown.text(), fixed)
