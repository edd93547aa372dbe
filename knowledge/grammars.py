"""Which nodes of each language's syntax tree define something, and which only hold others."""

import importlib
from dataclasses import dataclass
from functools import cache

from tree_sitter import Language

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
        regions=_C_REGIONS | {"namespace_definition"},
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


@cache
def load_language(name: str) -> Language:
    grammar = GRAMMARS[name]
    return Language(getattr(importlib.import_module(grammar.package), grammar.function)())


@cache
def definition_kinds(name: str) -> dict[str, str]:
    return dict(GRAMMARS[name].definitions)
