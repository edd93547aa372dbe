from knowledge.suggestions import suggested_questions

BODY = "".join(f"    value_{n} = compute_{n}(argument_{n}, other_{n})\n" for n in range(30))


def test_an_empty_project_suggests_how_to_start(project) -> None:
    assert suggested_questions(project) == ["What is nightowl, and how do I start?"]


def test_questions_name_what_is_in_the_code(project, source, index) -> None:
    index(source, "engine.py", f"def start_engine():\n{BODY}\n")
    index(source, "brakes.py", f"def press_brakes():\n{BODY}\n")

    questions = suggested_questions(project)

    assert len(questions) == 3
    assert "How does start_engine work?" in questions
    assert "How does press_brakes work?" in questions


def test_questions_name_what_is_in_the_documents(project, source, index) -> None:
    index(
        source, "docs/a.md", "# Guide\n\ntext\n\n## Backing up the database\n\nDo it daily.\n" * 2
    )

    assert any("Backing up the database" in question for question in suggested_questions(project))


def test_tests_and_vendored_code_suggest_nothing(project, source, index) -> None:
    index(source, "tests/test_a.py", f"def test_something():\n{BODY}\n")
    index(source, "vendor/lib.py", f"def vendored_thing():\n{BODY}\n")

    assert suggested_questions(project) == ["What is nightowl, and how do I start?"]


def test_other_projects_do_not_shine_through(project, source, index, charlie) -> None:
    index(source, "engine.py", f"def start_engine():\n{BODY}\n")
    other = type(project).objects.create(name="other", owner=charlie)

    assert "start_engine" not in " ".join(suggested_questions(other))


def test_the_questions_take_few_queries(
    project, source, index, django_assert_max_num_queries
) -> None:
    for number in range(15):
        index(source, f"m{number}.py", f"def function_{number}():\n{BODY}\n")

    with django_assert_max_num_queries(4):
        suggested_questions(project)
