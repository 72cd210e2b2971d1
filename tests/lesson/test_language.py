from __future__ import annotations

import pytest

from sentir.errors import UsageError
from sentir.lesson.language import check_language, es, localized, tr


def test_a_text_is_that_of_the_language() -> None:
    assert tr({"en": "gate", "es": "puerta"}, "es") == "puerta"


def test_another_language_is_refused() -> None:
    with pytest.raises(UsageError, match="the lesson does not speak 'fr'; use en or es"):
        tr({"en": "gate", "es": "puerta"}, "fr")
    with pytest.raises(UsageError):
        check_language("")


@pytest.mark.parametrize(
    ("python", "spanish"),
    [("0.5", "0,5"), ("−1.25", "−1,25"), ("47.7%", "47,7\u00a0%"), ("39,347", "39\u202f347"),
     ("12,345.5", "12\u202f345,5"),
     ("1,234.5", "1234,5"), ("2,500,", "2500,"),
     ("1,234,567", "1\u202f234\u202f567"), (".93", ",93"), ("1.2e-05", "1,2e-05"), ("12", "12"),
     ("h = 0.5", "h = 0,5"), ("Fin.", "Fin."), ("1, 0, 0.", "1, 0, 0."),
     ("h = 0.5, C = 2", "h = 0,5, C = 2")],
)  # fmt: skip
def test_spanish_numbers_have_a_decimal_comma(python: str, spanish: str) -> None:
    assert localized(python, "es") == spanish
    assert localized(python, "en") == python


def test_a_value_is_formatted_for_spanish_text_and_formulas() -> None:
    assert es(0.4765, ".1%") == "47,6\u00a0%"
    assert es(31000, ",") == "31\u202f000"
    assert es("cielo") == "cielo"
    assert es(-0.5, ".2f", math=True) == "-0{,}50"
    assert es(0.25, ".0%", math=True) == "25\u00a0\\%"
