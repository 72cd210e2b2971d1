from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from matplotlib.figure import Figure

from sentir.lesson.figures.pictures import page_style, picture, table


def test_a_table_names_its_columns_and_escapes() -> None:
    html = table(("word", "share"), [("<b>", "0.5")])._repr_html_()
    assert '<th scope="col">word</th>' in html
    assert '<th scope="row">&lt;b&gt;</th><td>0.5</td>' in html


def test_a_row_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="1 texts for 2 columns"):
        table(("word", "share"), [("one",)])


def test_numbers_of_a_table_are_written_as_the_language_does() -> None:
    spanish = table(("word", "share"), [("10,000", "0.5"), ("b", "1,234.5")], language="es")
    assert spanish.rows == (("10\u202f000", "0,5"), ("b", "1234,5"))


@page_style()
def drawn(language: str) -> str:
    figure = Figure(figsize=(2, 1))
    figure.text(0.5, 0.5, "0.75")
    return picture(figure, "A number.", language).svg


def test_a_picture_writes_its_numbers_as_the_language_does() -> None:
    for language, written in (("en", "0.75"), ("es", "0,75")):
        root = ET.fromstring(drawn(language))
        texts = [
            "".join(text.itertext()).strip() for text in root.iter() if text.tag.endswith("text")
        ]
        assert texts == [written]
        assert root.attrib["width"] == "192"
