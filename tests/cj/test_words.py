"""CJ's words are kept, a person's values in them are not."""

from __future__ import annotations

from include.cj.errors import RequestProblem, words_of


def test_the_values_cj_quotes_back_are_hidden() -> None:
    problems = [
        RequestProblem(
            "Validation error of type WrongType: argument 'newOrders[3].sid' with value 'StringValue{value='jane@example.com'}' is not valid"
        ),
        RequestProblem("Variable has an invalid value: jane-doe"),
        RequestProblem("contact jane@example.com"),
    ]
    words = words_of(problems)
    assert "jane" not in words
    assert "newOrders[3].sid" in words


def test_plain_words_stay_as_they_are_and_stand_once() -> None:
    problem = RequestProblem("Order may not have more than 100 items", ("newOrders[3].items",))
    assert words_of([problem, problem]) == "Order may not have more than 100 items (newOrders[3].items)"


def test_no_words_are_longer_than_a_table_wants() -> None:
    assert len(words_of([RequestProblem("x" * 10_000)])) == 500
