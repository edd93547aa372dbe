"""What a file defines: functions, methods and classes with their parameters, in many languages."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any

from tree_sitter import Node

from knowledge.definitions import Definition, definition_of, receiver_of
from knowledge.grammars import GRAMMARS
from knowledge.syntax_trees import Unparsable, is_supported, parse_source, refuse_bombs

DEEPEST = 12
MOST = 2_000  # definitions of a file

_NAME = r"[A-Za-z_$][\w$]*"
_NAMES = re.compile(_NAME.encode())
_STUB = re.compile(
    r"\{?\s*(?:[\"'].{0,2000}?[\"']\s*)?(?:\.\.\.|pass|return|return null;?"
    r"|(?:raise|throw new|throw)\s+\w*(?:\([\"'])?"
    r"(?:NotImplemented|Unsupported|not implemented)[^\n]*)?\s*\}?",
    re.DOTALL | re.IGNORECASE,
)
_VARIADIC = frozenset(
    {
        *("list_splat_pattern", "dictionary_splat_pattern", "rest_pattern", "spread_parameter"),
        *("variadic_parameter_declaration", "variadic_parameter"),
        *("splat_parameter", "hash_splat_parameter", "block_parameter"),
    }
)
_DEFAULTED = frozenset(
    {"default_parameter", "typed_default_parameter", "assignment_pattern", "optional_parameter"}
)
_SEPARATORS = frozenset({"keyword_separator", "positional_separator"})
_LATER_BY_NAME = frozenset({"keyword_separator", "list_splat_pattern"})
# Languages in which a parameter may be a type alone.
_UNNAMED = frozenset(
    {"parameter_declaration", "variadic_parameter_declaration", "variadic_parameter"}
)
_TAKEN_APART = frozenset(
    {
        *("object_pattern", "array_pattern", "tuple_pattern", "struct_pattern", "slice_pattern"),
        *("tuple_struct_pattern", "structured_binding_declarator", "destructured_parameter"),
    }
)
# A parameter of a constructor with one of these is a field of the object as well.
_KEEPING = frozenset(
    {"accessibility_modifier", "visibility_modifier", "override_modifier", "readonly"}
)
# The word without which a definition is for its own file or class, or those with which it is.
_SHOWN = {"java": b"public", "csharp": b"public", "kotlin": b"public", "rust": b"pub"}
_HIDDEN = {"c": {b"static"}, "php": {b"private", b"protected"}}
_BLOCKS = frozenset({"block", "class_body", "declaration_list"})
_CALLABLE = frozenset({"function", "method", "constructor"})


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    is_optional: bool = False
    is_variadic: bool = False
    is_keyword: bool = False  # can only be given by its name
    default: str = ""


@dataclass(frozen=True, slots=True)
class Outline:
    """A definition; lines count from 1, the body is told by a hash of its words."""

    name: str  # as its file calls it: "Ledger.total"
    kind: str
    start_line: int
    end_line: int
    head_line: int  # of the line that holds its name
    parameters: tuple[Parameter, ...] = ()
    is_public: bool = True
    is_decorated: bool = False
    has_bases: bool = False  # its class inherits from another, or implements one
    is_stub: bool = False
    is_documented: bool = False
    body: str = ""
    # Names that it mentions otherwise than as parameters.
    words: frozenset[str] = field(default_factory=frozenset)

    @property
    def own_name(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def is_callable(self) -> bool:
        return self.kind in _CALLABLE

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "words": sorted(self.words)}

    @classmethod
    def from_dict(cls, said: dict[str, Any]) -> "Outline":
        parameters = tuple(Parameter(**one) for one in said["parameters"])
        return cls(**{**said, "parameters": parameters, "words": frozenset(said["words"])})


def outline_of(text: str, language: str) -> list[Outline]:
    """Return what a text defines, in order; nothing where it can't be parsed."""
    if not is_supported(language):
        return []
    source = text.encode(errors="replace")
    try:
        refuse_bombs(source)
        root = parse_source(source, language).root_node
    except Unparsable:
        return []
    found: list[Outline] = []
    for outline in _Walk(source, language).below(root, (), has_bases=False, depth=0):
        found.append(outline)
        if len(found) >= MOST:
            break
    return found


@dataclass(frozen=True, slots=True)
class _Walk:
    source: bytes
    language: str

    def below(
        self, node: Node, scope: tuple[str, ...], *, has_bases: bool, depth: int
    ) -> Iterator[Outline]:
        if depth > DEEPEST:
            return
        for child in node.named_children:
            definition = definition_of(child, self.language, self.source)
            if definition is None or not definition.name:
                # A block of a module may define things; a statement in a function may not.
                if not scope or child.type in _BLOCKS | GRAMMARS[self.language].regions:
                    yield from self.below(child, scope, has_bases=has_bases, depth=depth + 1)
                continue
            name = definition.name
            if self.language == "go" and (receiver := receiver_of(definition.node, self.source)):
                name = f"{receiver}.{name}"
            inner = (*scope, name)
            yield self._outline(child, definition, inner, has_bases)
            if definition.kind not in _CALLABLE and definition.body is not None:
                bases = _has_bases(definition.node)
                yield from self.below(definition.body, inner, has_bases=bases, depth=depth + 1)

    def _outline(
        self,
        outer: Node,
        definition: Definition,
        scope: tuple[str, ...],
        has_bases: bool,
    ) -> Outline:
        node, body = definition.node, definition.body
        text = self.source[body.start_byte : body.end_byte] if body is not None else b""
        head = self.source[outer.start_byte : body.start_byte if body is not None else None]
        is_function = definition.kind in _CALLABLE
        last, column = outer.end_point
        return Outline(
            name=".".join(scope),
            kind=("method" if len(scope) > 1 or "." in scope[0] else "function")
            if is_function
            else "class",
            start_line=outer.start_point[0] + 1,
            end_line=last + (column > 0 or last == outer.start_point[0]),
            head_line=_name_row(node) + 1,
            parameters=tuple(self._parameters(node)) if is_function else (),
            is_public=self._is_public(outer, scope, head),
            is_decorated=outer.type == "decorated_definition" or head.lstrip().startswith(b"@"),
            has_bases=has_bases,
            is_stub=len(text) < 2_500
            and _STUB.fullmatch(text.decode(errors="replace").strip()) is not None,
            is_documented=self._is_documented(outer, body),
            body=blake2b(b" ".join(text.split()), digest_size=8).hexdigest(),
            words=frozenset(
                word.decode()
                for part in (text, *self._beside(node, body))
                for word in _NAMES.findall(part[:200_000])
            ),
        )

    def _beside(self, node: Node, body: Node | None) -> Iterator[bytes]:
        """Yield what reads parameters outside of a body: initializers, defaults, fields."""
        listed = _parameters_node(node)
        if listed is None or body is None:
            return
        yield self.source[listed.end_byte : body.start_byte]
        for child in listed.named_children:
            if any(each.type in _KEEPING for each in child.children):
                yield self.source[child.start_byte : child.end_byte]
            elif (value := _default_of(child)) is not None:
                yield self.source[value.start_byte : value.end_byte]

    def _parameters(self, node: Node) -> Iterator[Parameter]:
        listed = _parameters_node(node)
        if listed is None:
            return
        if listed.type == "identifier":  # an arrow function without brackets
            yield Parameter(self._text(listed))
            return
        # C# gives the parts of a `params` to the list itself.
        rest, rest_type = listed.child_by_field_name("name"), listed.child_by_field_name("type")
        is_keyword = False
        for child in listed.named_children:
            inner = child.named_children[0] if child.named_children else child
            if child == rest:
                yield Parameter(self._text(child), is_optional=True, is_variadic=True)
                continue
            if child.type in _LATER_BY_NAME or inner.type in _LATER_BY_NAME:
                is_keyword = True
            is_none = child == rest_type or child.type in _SEPARATORS or "comment" in child.type
            if not is_none and self._text(child) != "void":
                is_named = is_keyword or child.type == "keyword_parameter"
                yield from self._names_of(child, inner, is_keyword=is_named)

    def _names_of(self, node: Node, inner: Node, *, is_keyword: bool) -> Iterator[Parameter]:
        is_variadic = node.type in _VARIADIC or inner.type in _VARIADIC
        value = _default_of(node)
        for named in _names_in(node):
            plain = re.search(_NAME, self._text(named)) if named is not None else None
            yield Parameter(
                plain[0] if plain else "",
                is_optional=node.type in _DEFAULTED or value is not None or is_variadic,
                is_variadic=is_variadic,
                is_keyword=is_keyword and not is_variadic,
                default=self._text(value)[:80] if value is not None else "",
            )

    def _is_public(self, outer: Node, scope: tuple[str, ...], head: bytes) -> bool:
        own = scope[-1].rpartition(".")[2]
        if self.language == "go":
            return own[:1].isupper()
        words = set(head.partition(b"(")[0].split())
        if shown := _SHOWN.get(self.language):
            return shown in words
        if hidden := _HIDDEN.get(self.language):
            return not hidden & words
        if self.language in {"javascript", "typescript", "tsx"}:
            parent = outer.parent
            is_exported = outer.type == "export_statement" or (
                parent is not None and parent.type == "export_statement"
            )
            is_hidden = own.startswith(("_", "#")) or head.lstrip().startswith(b"private ")
            return is_exported or (len(scope) > 1 and not is_hidden)
        return not any(part.startswith("_") for part in scope)

    def _is_documented(self, outer: Node, body: Node | None) -> bool:
        if self.language == "python":
            first = body.named_children[0] if body is not None and body.named_children else None
            if first is not None and first.type == "expression_statement":
                first = first.named_children[0] if first.named_children else first
            return first is not None and first.type == "string"
        before = outer.prev_named_sibling
        if before is None and outer.parent is not None:
            before = outer.parent.prev_named_sibling
        return before is not None and "comment" in before.type

    def _text(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte][:200].decode(errors="replace")


def _parameters_node(node: Node) -> Node | None:
    for _ in range(6):
        found = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
        if found is not None:
            return found
        inner = _declarator(node)
        if inner is None:
            break
        node = inner
    return None


def _declarator(node: Node) -> Node | None:
    named = [child for child in node.named_children if child.type.endswith("declarator")]
    return node.child_by_field_name("declarator") or next(iter(named), None)


def _names_in(parameter: Node) -> list[Node | None]:
    """Return what names a parameter, several for Go's `a, b int`; None for one without a name."""
    if names := parameter.children_by_field_name("name"):
        return [*names]
    if parameter.type in _UNNAMED and _declarator(parameter) is None:
        return [None]
    node = parameter
    for _ in range(12):
        if node.type in _TAKEN_APART or node.type.startswith("abstract_"):
            return [None]
        kind = node.child_by_field_name("type")
        inside = [child for child in node.named_children if child != kind]
        fields = (node.child_by_field_name(name) for name in ("name", "pattern", "left"))
        inner = next(filter(None, fields), None) or _declarator(node)
        if inner is None and not inside:
            break
        node = inner or inside[-1]
    return [node]


def _default_of(parameter: Node) -> Node | None:
    for name in ("value", "right", "default_value"):
        if found := parameter.child_by_field_name(name):
            return found
    has_default = any(child.type == "=" for child in parameter.children)
    return parameter.named_children[-1] if has_default else None


def _name_row(node: Node) -> int:
    """Return the row of a definition's name: what is noted on it may stand in rows above."""
    named = node.child_by_field_name("name") or node.child_by_field_name("declarator") or node
    return named.start_point[0]


def _has_bases(node: Node) -> bool:
    if bases := node.child_by_field_name("superclasses"):
        return bool(bases.named_children)
    fields = ("superclass", "interfaces", "trait")
    heritage = ("class_heritage", "base_list", "super_interfaces", "delegation_specifier")
    return any(node.child_by_field_name(name) for name in fields) or any(
        child.type in heritage for child in node.named_children
    )
