"""What the syntax-tree chunker knows of each language: what defines something, and its name."""

import importlib
import re
from dataclasses import dataclass
from functools import cache

from tree_sitter import Language, Node

CONTAINERS = frozenset({"class", "interface", "module", "implementation", "trait", "enum"})


@dataclass(frozen=True, slots=True)
class Grammar:
    package: str
    function: str = "language"
    definitions: tuple[tuple[str, str], ...] = ()
    wrappers: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    bindings: frozenset[str] = frozenset()
    comments: frozenset[str] = frozenset({"comment"})


_SCRIPT_DEFINITIONS = (
    ("function_declaration", "function"),
    ("generator_function_declaration", "function"),
    ("class_declaration", "class"),
    ("class", "class"),
    ("method_definition", "method"),
)
_SCRIPT_WRAPPERS = frozenset({"export_statement", "expression_statement", "ambient_declaration"})
_SCRIPT_BINDINGS = frozenset(
    {
        *("lexical_declaration", "variable_declaration"),
        *("field_definition", "public_field_definition"),
    }
)
_TYPED_DEFINITIONS = (
    *_SCRIPT_DEFINITIONS,
    ("abstract_class_declaration", "class"),
    ("interface_declaration", "interface"),
    ("enum_declaration", "enum"),
    ("type_alias_declaration", "type"),
    ("internal_module", "module"),
    ("module", "module"),
    ("function_signature", "function"),
    ("method_signature", "method"),
    ("abstract_method_signature", "method"),
)
_C_DEFINITIONS = (
    ("function_definition", "function"),
    ("type_definition", "type"),
    ("struct_specifier", "class"),
    ("union_specifier", "class"),
    ("enum_specifier", "enum"),
    ("preproc_function_def", "macro"),
)
_C_REGIONS = frozenset(
    {
        *("preproc_ifdef", "preproc_if", "preproc_else", "preproc_elif"),
        *("linkage_specification", "declaration_list"),
    }
)

GRAMMARS: dict[str, Grammar] = {
    "python": Grammar(
        "tree_sitter_python",
        definitions=(("function_definition", "function"), ("class_definition", "class")),
        wrappers=frozenset({"decorated_definition"}),
        regions=frozenset(
            {
                *("if_statement", "elif_clause", "else_clause", "try_statement", "except_clause"),
                *("finally_clause", "with_statement", "block"),
            }
        ),
        bindings=frozenset({"expression_statement", "type_alias_statement"}),
    ),
    "javascript": Grammar(
        "tree_sitter_javascript",
        definitions=_SCRIPT_DEFINITIONS,
        wrappers=_SCRIPT_WRAPPERS,
        bindings=_SCRIPT_BINDINGS,
    ),
    "typescript": Grammar(
        "tree_sitter_typescript",
        "language_typescript",
        _TYPED_DEFINITIONS,
        wrappers=_SCRIPT_WRAPPERS,
        bindings=_SCRIPT_BINDINGS,
    ),
    "tsx": Grammar(
        "tree_sitter_typescript",
        "language_tsx",
        _TYPED_DEFINITIONS,
        wrappers=_SCRIPT_WRAPPERS,
        bindings=_SCRIPT_BINDINGS,
    ),
    "go": Grammar(
        "tree_sitter_go",
        definitions=(
            ("function_declaration", "function"),
            ("method_declaration", "method"),
            ("type_declaration", "type"),
        ),
        bindings=frozenset({"const_declaration", "var_declaration"}),
    ),
    "java": Grammar(
        "tree_sitter_java",
        definitions=(
            ("class_declaration", "class"),
            ("record_declaration", "class"),
            ("interface_declaration", "interface"),
            ("annotation_type_declaration", "interface"),
            ("enum_declaration", "enum"),
            ("method_declaration", "method"),
            ("constructor_declaration", "method"),
            ("compact_constructor_declaration", "method"),
        ),
        regions=frozenset({"enum_body_declarations"}),
        bindings=frozenset({"field_declaration", "constant_declaration"}),
        comments=frozenset({"line_comment", "block_comment"}),
    ),
    "rust": Grammar(
        "tree_sitter_rust",
        definitions=(
            ("function_item", "function"),
            ("function_signature_item", "function"),
            ("struct_item", "type"),
            ("enum_item", "type"),
            ("union_item", "type"),
            ("type_item", "type"),
            ("trait_item", "trait"),
            ("impl_item", "implementation"),
            ("mod_item", "module"),
            ("macro_definition", "macro"),
        ),
        bindings=frozenset({"const_item", "static_item"}),
        comments=frozenset({"line_comment", "block_comment", "attribute_item"}),
    ),
    "c": Grammar(
        "tree_sitter_c",
        definitions=_C_DEFINITIONS,
        regions=_C_REGIONS,
        bindings=frozenset({"preproc_def"}),
    ),
    "cpp": Grammar(
        "tree_sitter_cpp",
        definitions=(
            *_C_DEFINITIONS,
            ("class_specifier", "class"),
            ("namespace_definition", "module"),
            ("alias_declaration", "type"),
            ("concept_definition", "type"),
        ),
        wrappers=frozenset({"template_declaration"}),
        regions=_C_REGIONS,
        bindings=frozenset({"preproc_def"}),
    ),
    "csharp": Grammar(
        "tree_sitter_c_sharp",
        definitions=(
            ("namespace_declaration", "module"),
            ("class_declaration", "class"),
            ("struct_declaration", "class"),
            ("record_declaration", "class"),
            ("record_struct_declaration", "class"),
            ("interface_declaration", "interface"),
            ("enum_declaration", "enum"),
            ("delegate_declaration", "type"),
            ("method_declaration", "method"),
            ("constructor_declaration", "method"),
            ("destructor_declaration", "method"),
            ("property_declaration", "property"),
            ("operator_declaration", "method"),
            ("local_function_statement", "function"),
        ),
        bindings=frozenset({"field_declaration", "event_field_declaration"}),
    ),
    "ruby": Grammar(
        "tree_sitter_ruby",
        definitions=(
            ("class", "class"),
            ("module", "module"),
            ("singleton_class", "class"),
            ("method", "method"),
            ("singleton_method", "method"),
        ),
        bindings=frozenset({"assignment"}),
    ),
    "php": Grammar(
        "tree_sitter_php",
        "language_php",
        definitions=(
            ("namespace_definition", "module"),
            ("class_declaration", "class"),
            ("interface_declaration", "interface"),
            ("trait_declaration", "trait"),
            ("enum_declaration", "enum"),
            ("function_definition", "function"),
            ("method_declaration", "method"),
        ),
        bindings=frozenset({"const_declaration", "property_declaration"}),
        comments=frozenset({"comment", "attribute_list"}),
    ),
    "shell": Grammar(
        "tree_sitter_bash",
        definitions=(("function_definition", "function"),),
        bindings=frozenset({"variable_assignment"}),
    ),
    "sql": Grammar(
        "tree_sitter_sql",
        definitions=(("statement", "statement"),),
        comments=frozenset({"comment", "marginalia"}),
    ),
}

NAMES_A_STATEMENT = 30
LONGEST_NAME = 400

_FUNCTION_VALUES = {
    "arrow_function": "function",
    "function_expression": "function",
    "generator_function": "function",
    "class": "class",
}
_NAME_FIELDS = ("name", "left", "declarator", "type")
_NAMING = frozenset(
    {
        *("identifier", "type_identifier", "field_identifier", "property_identifier"),
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


@cache
def load_language(name: str) -> Language:
    grammar = GRAMMARS[name]
    return Language(getattr(importlib.import_module(grammar.package), grammar.function)())


@cache
def definition_kinds(name: str) -> dict[str, str]:
    return dict(GRAMMARS[name].definitions)


def definition_of(node: Node, language: str, source: bytes) -> Definition | None:
    """What the node defines, seen through decorators, exports and assignments of functions."""
    grammar, kinds = GRAMMARS[language], definition_kinds(language)
    for _ in range(6):
        kind = kinds.get(node.type)
        if language == "sql":
            return _sql_definition(node, source) if kind else None
        if kind == "module" and _body(node) is None:
            return None
        if kind:
            return Definition(_dotted(_name_node(node, language), source), kind, node, _body(node))
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
    return Definition(name, _FUNCTION_VALUES[value.type], value, _body(value))


def _sql_definition(node: Node, source: bytes) -> Definition | None:
    found = _SQL_NAME.match(_text(node, source))
    if found is None:
        return None
    name = re.sub(r'["`\[\]]', "", found[2])
    return Definition(name, found[1].lower(), node, None)


def bound_names(node: Node, language: str, source: bytes) -> tuple[str, ...]:
    """Constants and variables that a statement of a module or class gives a name to."""
    if node.type not in GRAMMARS[language].bindings:
        return ()
    names = [
        _text(named, source)
        for child in [node, *node.named_children[:NAMES_A_STATEMENT]]
        for field in ("name", "left", "declarator", "property")
        if (named := child.child_by_field_name(field)) and named.type in _NAMING
    ]
    nested = [
        _text(named, source)
        for child in node.named_children[:NAMES_A_STATEMENT]
        for declarator in child.named_children[:NAMES_A_STATEMENT]
        if (named := declarator.child_by_field_name("name")) and named.type in _NAMING
    ]
    return tuple(dict.fromkeys(name.lstrip("$") for name in [*names, *nested] if len(name) <= 80))


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
