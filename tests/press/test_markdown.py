from __future__ import annotations

import re

from press.markdown import code_html, html, html_inline, skeleton, with_links


def test_formulas_become_mathml() -> None:
    assert "<math" in html("Es $h_t$.")
    assert 'display="block"' in html("$$h_t = 1$$")


def test_a_decimal_comma_of_a_formula_is_part_of_the_number() -> None:
    assert "<mn>0,5</mn>" in html("$U = 0{,}5$")
    assert "<mn>0</mn><mo>" in html("$(0, 5)$")


def test_punctuation_stays_with_its_formula() -> None:
    assert re.search(
        r'<span class="together"><span.*</math></span>\),</span> y', html("(es $h_t$), y")
    )
    assert "together" not in html("$h_t$ y")


def test_a_percent_sign_stays_with_its_number() -> None:
    assert "50\u00a0%" in html("el 50 % de")


def test_code_gets_the_classes_of_its_syntax_and_html_is_escaped() -> None:
    assert 'class="k"' in html("```python\nreturn 1\n```")
    assert 'class="k"' in code_html("return 1")
    assert "&lt;script&gt;" in html("<script>")


def test_a_table_can_scroll_in_its_own_box() -> None:
    assert html("| a |\n| --- |\n| 1 |").startswith('<div class="wide" tabindex="0"><table>')


def test_a_line_has_no_paragraph() -> None:
    assert html_inline("*a* $b$").startswith('<em>a</em> <span class="math inline"><math')


def test_links_to_chapters_get_the_ending() -> None:
    text = "[a](04-lstm.md) [b](https://example.org/04-lstm.md)"
    assert with_links(text, "html") == "[a](04-lstm.html) [b](https://example.org/04-lstm.md)"


def test_the_skeleton_lists_the_blocks() -> None:
    assert skeleton("## A\n\ntext\n\n- one\n\n$$x$$") == ["h2", "p", "ul", "li", "p", "math"]
