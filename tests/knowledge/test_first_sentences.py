import pytest

from knowledge.first_sentences import LONGEST, first_sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("# Owl\n\nOwl hunts mice. It is quiet.\n", "Owl hunts mice."),
        ("Owl\n===\n\nOwl hunts mice at night.\n", "Owl hunts mice at night."),
        ("===\nOwl\n===\n\nOwl hunts mice at night.\n", "Owl hunts mice at night."),
        ("---\ntitle: Owl\n---\n\nOwl hunts mice. Really.\n", "Owl hunts mice."),
        ("# Owl\n[![build](b.svg)](ci)\n\nOwl hunts mice.\n", "Owl hunts mice."),
        ('<div align="center"><h1>Owl</h1><br/><p>Owl hunts mice.</p></div>', "Owl hunts mice."),
        ("# Owl\n\n**Owl** hunts [mice](m.md) with `claws`. Yes.\n", "Owl hunts mice with claws."),
        ("# Owl\n\n[Owl] hunts mice.\n", "Owl hunts mice."),
        ("# Owl\n\n> Owl hunts mice at night.\n", "Owl hunts mice at night."),
        ("# Owl\n\n```\npip install owl of night\n```\n\nOwl hunts mice.\n", "Owl hunts mice."),
        ("# Owl\n\n- one item of a list\n\nOwl hunts mice.\n", "Owl hunts mice."),
        ("# Owl\n\nOwl hunts, e.g. Mice and voles. Yes.\n", "Owl hunts, e.g. Mice and voles."),
        ("# Owl\n\nCopyright 2026 by the owls.\n\nOwl hunts mice.\n", "Owl hunts mice."),
        (
            ".. image:: owl.png\n\nOwl uses :class:`~owl.Claw` to hunt.\n",
            "Owl uses owl.Claw to hunt.",
        ),
        ("# Owl\n\nif (a == b) { return c; }\n", ""),
        ("# Owl\n", ""),
        ("", ""),
    ],
)
def test_a_document_is_about_its_first_sentence(text: str, sentence: str) -> None:
    assert first_sentence(text, "markdown") == sentence


@pytest.mark.parametrize(
    ("language", "text", "sentence"),
    [
        ("python", '"""Hunting of mice by night."""\n', "Hunting of mice by night."),
        ("python", "#!/usr/bin/env python\n'''Hunts the mice.\n\nMore.'''\n", "Hunts the mice."),
        ("python", "import os\n\n'''Not a docstring at all.'''\n", ""),
        ("python", "# Copyright\n\nclass A:\n    pass\n", ""),
        ("javascript", "/**\n * Hunts mice at night.\n * @module owl\n */\n", ""),
        ("javascript", "/**\n * Hunts mice at night.\n */\nlet a;\n", "Hunts mice at night."),
        ("javascript", "/* eslint-disable no-owls */\nlet a;\n", ""),
        ("go", "// Package owl hunts mice. It flies.\npackage owl\n", "Package owl hunts mice."),
        ("rust", "//! Hunts mice at night.\n\nuse a;\n", "Hunts mice at night."),
        ("shell", "#!/bin/sh\n# Copyright owls\n", ""),
    ],
)
def test_code_is_about_its_first_comment(language: str, text: str, sentence: str) -> None:
    assert first_sentence(text, language) == sentence


def test_a_long_sentence_is_cut_at_a_word() -> None:
    sentence = first_sentence("# Owl\n\n" + "Owl hunts " * 60, "markdown")

    assert len(sentence) <= LONGEST
    assert sentence.endswith("…")


@pytest.mark.parametrize(
    "text", ["*" * 50_000, "[" * 50_000, "<a" * 20_000, '"""' + "\n " * 20_000]
)
def test_hostile_texts_take_no_time(text: str) -> None:
    for language in ("markdown", "python", "javascript"):
        first_sentence(text, language)
