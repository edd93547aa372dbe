"""What a node of a syntax tree defines, and the name that it gives."""

import re
from dataclasses import dataclass

from tree_sitter import Node

from knowledge.grammars import GRAMMARS, Grammar, definition_kinds

NAMES_A_STATEMENT = 30
LONGEST_NAME = 400
LONGEST_BOUND = 80
COLUMNS_A_TABLE = 300

_FUNCTION_VALUES = {
    "arrow_function": "function",
    "function_expression": "function",
    "generator_function": "function",
    "class": "class",
}
_BINDING_FIELDS = ("name", "left", "declarator", "property")
_NAME_FIELDS = ("name", "left", "declarator", "type")
_NAMING = frozenset(
    {
        *("identifier", "type", "type_identifier", "field_identifier", "property_identifier"),
        *("constant", "word", "variable_name", "destructor_name", "operator_name", "name"),
        *("scoped_identifier", "qualified_identifier", "namespace_identifier", "namespace_name"),
        *("nested_namespace_specifier", "private_property_identifier", "scope_resolution"),
        *("qualified_name", "generic_type", "scoped_type_identifier", "string", "setter"),
        *("operator", "template_function", "template_type", "dotted_name", "nested_identifier"),
        *("operator_cast", "computed_property_name", "shorthand_property_identifier"),
    }
)
_SQL_NAME = re.compile(
    r"\s*(?:CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?(?:(?:TEMP|TEMPORARY|UNIQUE|MATERIALIZED|RECURSIVE"
    r"|UNLOGGED|EXTERNAL)\s+){0,3}(TABLE|VIEW|FUNCTION|PROCEDURE|TRIGGER|INDEX|TYPE|SEQUENCE|SCHEMA"
    r"|DATABASE|EXTENSION|POLICY|DOMAIN)\s+(?:CONCURRENTLY\s+)?(?:IF\s+(?:NOT\s+)?EXISTS\s+)?"
    r'([\w."`\[\]]{1,200})',
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Definition:
    """A named thing in the source: where it starts for a reader, and the node that has its body."""

    name: str
    kind: str
    node: Node
    body: Node | None
    start_byte: int
    columns: tuple[str, ...] = ()  # of a table


def definition_of(node: Node, language: str, source: bytes) -> Definition | None:
    """What the node defines, seen through decorators, exports and assignments of functions."""
    grammar, kinds = GRAMMARS[language], definition_kinds(language)
    for _ in range(6):
        kind = kinds.get(node.type)
        if language == "sql":
            return _sql_definition(node, source) if kind else None
        if node.type == "namespace_definition" and _body(node) is None:
            return None
        if kind:
            return Definition(
                _dotted(_name_node(node, language), source),
                kind,
                node,
                _body(node),
                node.start_byte,
            )
        if node.type in grammar.bindings or node.type == "assignment_expression":
            return _function_value(node, source)
        inner = _wrapped(node, grammar, kinds)
        if inner is None:
            return None
        node = inner
    return None


def _wrapped(node: Node, grammar: Grammar, kinds: dict[str, str]) -> Node | None:
    if node.type in grammar.wrappers:
        for child in node.named_children:
            if child.type in kinds or child.type in grammar.bindings | grammar.wrappers:
                return child
            if child.type == "assignment_expression":
                return child
    if node.type in {"declaration", "field_declaration"}:
        inner = node.child_by_field_name("type")
        if inner and inner.type in kinds and inner.child_by_field_name("body"):
            return inner
    return None


def _function_value(node: Node, source: bytes) -> Definition | None:
    """`const open = () => …` and `exports.open = function …` define functions too."""
    declarators = [child for child in node.named_children if child.type == "variable_declarator"]
    if node.type == "assignment_expression":
        target, value = node.child_by_field_name("left"), node.child_by_field_name("right")
    elif node.type.endswith("field_definition"):
        target = node.child_by_field_name("name") or node.child_by_field_name("property")
        value = node.child_by_field_name("value")
    elif len(declarators) == 1:
        target = declarators[0].child_by_field_name("name")
        value = declarators[0].child_by_field_name("value")
    else:
        return None
    if target is None or value is None or value.type not in _FUNCTION_VALUES:
        return None
    name = _text(target, source).rsplit(".", 1)[-1]
    kind = "method" if node.type.endswith("field_definition") else _FUNCTION_VALUES[value.type]
    return Definition(name, kind, value, _body(value), node.start_byte)


def _sql_definition(node: Node, source: bytes) -> Definition | None:
    found = _SQL_NAME.match(_text(node, source))
    if found is None:
        return None
    name = re.sub(r'["`\[\]]', "", found[2])
    columns = _columns_of(node, source) if found[1].lower() == "table" else ()
    return Definition(name, found[1].lower(), node, None, node.start_byte, columns)


def _columns_of(statement: Node, source: bytes) -> tuple[str, ...]:
    """The columns that a statement creates a table with; none where it changes or drops one."""
    created = [child for child in statement.named_children if child.type == "create_table"]
    rows = [
        column
        for table in created[:1]
        for inner in table.named_children
        if inner.type == "column_definitions"
        for column in inner.named_children[:COLUMNS_A_TABLE]
        if column.type == "column_definition" and column.named_children
    ]
    names = (_text(column.named_children[0], source).strip('"`[]') for column in rows)
    return tuple(name for name in names if 0 < len(name) <= LONGEST_BOUND)


def bound_names(node: Node, language: str, source: bytes) -> tuple[str, ...]:
    """Constants and variables that a statement of a module or class gives a name to."""
    if node.type not in GRAMMARS[language].bindings:
        return ()
    named: list[Node | None] = []
    for child in [node, *node.named_children[:NAMES_A_STATEMENT]]:
        named += [child.child_by_field_name(field) for field in _BINDING_FIELDS]
        if child.type == "const_element":
            named += child.named_children[:1]
        elif child is not node:
            named += [
                declarator.child_by_field_name("name")
                for declarator in child.named_children[:NAMES_A_STATEMENT]
            ]
    names = (_text(each, source) for each in named if each and each.type in _NAMING)
    return tuple(dict.fromkeys(name.lstrip("$") for name in names if len(name) <= LONGEST_BOUND))


def _body(node: Node) -> Node | None:
    if body := node.child_by_field_name("body"):
        return body
    for child in node.named_children:
        if child.type.endswith(("_body", "declaration_list", "body_statement")):
            return child
        if child.type in {"block", "accessor_list", "struct_specifier", "class_specifier"}:
            return child.child_by_field_name("body") or child
    return None


def _name_node(node: Node, language: str) -> Node | None:
    """The node that names a definition, through the declarators of C and the specs of Go."""
    if node.type == "type_declaration":
        node = next((child for child in node.named_children if "type" in child.type), node)
    if node.type == "singleton_class":
        return node.child_by_field_name("value")
    fields = ("declarator",) if node.type == "type_definition" else _NAME_FIELDS
    if language in {"c", "cpp"} and node.type == "function_definition":
        fields = ("declarator",)
    for field in fields:
        if found := node.child_by_field_name(field):
            return _innermost(found)
    return None


def _innermost(node: Node) -> Node:
    for _ in range(12):
        if node.type in _NAMING:
            break
        inner = node.child_by_field_name("declarator")
        if inner is None:
            inner = next(
                (child for child in node.named_children if child.type.endswith("declarator")),
                next((child for child in node.named_children if child.type in _NAMING), None),
            )
        if inner is None:
            break
        node = inner
    return node


def _dotted(node: Node | None, source: bytes) -> str:
    if node is None:
        return ""
    name = re.sub(r"<.*", "", " ".join(_text(node, source).split()))
    return name.replace("::", ".").replace("\\", ".").strip("\"'. ")


def receiver_of(node: Node, source: bytes) -> str:
    """The type that a method of Go belongs to."""
    receiver = node.child_by_field_name("receiver")
    found = (
        re.search(r"(\w+)\s*(?:\[[^\]]*\])?\s*\)$", _text(receiver, source)) if receiver else None
    )
    return found[1] if found else ""


def _text(node: Node, source: bytes) -> str:
    start = node.start_byte
    return source[start : min(node.end_byte, start + LONGEST_NAME)].decode(errors="replace")
