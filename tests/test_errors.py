from __future__ import annotations

import pickle

import pytest

from sentir import errors
from sentir.errors import MAX_PART, DataError, MissingExtraError, SentirError

FAMILY = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, SentirError)
]


@pytest.mark.parametrize(
    ("where", "todo", "message"),
    [
        (None, None, "label 'pos '"),
        ("a.csv:418", None, "a.csv:418: label 'pos '"),
        (None, "fix the row", "label 'pos '; fix the row"),
        ("a.csv:418", "fix the row", "a.csv:418: label 'pos '; fix the row"),
    ],
)
def test_a_message_says_where_what_and_what_to_do(
    where: str | None, todo: str | None, message: str
) -> None:
    error = DataError("label 'pos '", where=where, todo=todo)
    assert str(error) == message
    assert (error.what, error.where, error.todo) == ("label 'pos '", where, todo)


def test_of_a_long_part_the_middle_is_left_out() -> None:
    """A field of a file may be a megabyte."""
    error = DataError("label " + "9" * 10**6, where="a" * 10**6, todo="b" * 10**6)
    assert len(str(error)) < 3 * MAX_PART + 100
    assert error.what.startswith("label 9")
    assert "9 [...] 9" in error.what
    assert len(str(DataError("x" * MAX_PART))) == MAX_PART


def test_the_family_is_the_one_that_is_drawn() -> None:
    drawn = errors.__doc__ or ""
    assert len(FAMILY) == 10
    assert all(f" {kind.__name__} " in drawn or kind is SentirError for kind in FAMILY)
    assert drawn.count("──") == len(FAMILY) - 1


def test_a_missing_package_names_its_extra() -> None:
    error = MissingExtraError("tensorboard", "tensorboard", "--tensorboard")
    assert str(error) == (
        "--tensorboard needs the package tensorboard, which is not installed; "
        "pip install 'sentir[tensorboard]'"
    )


@pytest.mark.parametrize(
    "error",
    [DataError("what", where="a:1", todo="mend it"), MissingExtraError("ray", "ray", "--machines")],
    ids=lambda error: type(error).__name__,
)
def test_an_error_travels_between_processes(error: SentirError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert (again.what, again.where, again.todo) == (error.what, error.where, error.todo)
