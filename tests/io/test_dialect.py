"""Delimiters and quoting: detected from the first lines, or as the options say."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.review_files import message, pairs, read, skipping, written
from sentir.config import ReadOptions
from sentir.io.dialect import Dialect, delimiter_line, detect_dialect
from sentir.io.reader import detect_format, read_reviews

COMMON = ";\t|,"
AMAZON = (
    "stars\ttitle\ttext\n"
    '5\tfine\t"Love it so much\n'
    "1\tbad\tBroke after a day\n"
    '4\tgood\tMy "new" phone\n'
    '5\tgreat\t12" screen"\n'
    '2\tmeh\t"Nice" they said\n'
)
AMAZON_TEXTS = [
    '"Love it so much',
    "Broke after a day",
    'My "new" phone',
    '12" screen"',
    '"Nice" they said',
]
SPARK = (
    "text,label\n"
    '"He said \\"hi, you\\", twice",pos\n'
    '"plain, but quoted",neg\n'
    '"ends with \\"a quote\\"",pos\n'
    "C:\\temp,neg\n"
    '"a backslash \\\\",pos\n'
)
SPARK_TEXTS = [
    'He said "hi, you", twice',
    "plain, but quoted",
    'ends with "a quote"',
    "C:\\temp",
    "a backslash \\",
]


# Quoting


@pytest.mark.parametrize("quoting", ["auto", "none"])
def test_tsv_without_quoting(tmp_path: Path, quoting: str) -> None:
    reviews = read(written(tmp_path / "a.tsv", AMAZON), quoting=quoting, text_column="text")
    assert [review.text for review in reviews] == AMAZON_TEXTS
    assert [review.label for review in reviews] == ["5", "1", "4", "5", "2"]
    assert [review.line for review in reviews] == [2, 3, 4, 5, 6]


def test_tsv_without_quoting_from_its_thousandth_line_on(tmp_path: Path) -> None:
    rows = [f"{number % 5 + 1}\trow {number}\n" for number in range(3000)]
    rows[1000] = '5\t"Love it so much\n'
    rows[2000] = '5\tgreat "product"\n'
    rows[2001] = '5\t"and an end"\n'
    texts, bad_rows = skipping(written(tmp_path / "a.tsv", "stars\ttext\n" + "".join(rows)))
    assert (len(texts), bad_rows) == (3000, [])
    assert texts[1000] == '"Love it so much'


def test_tsv_with_quotes_within_a_line(tmp_path: Path) -> None:
    content = 'text\tlabel\n"a\tb ""c"""\tpos\n"d"\t"neg"\ne "f"\tpos\n'
    assert pairs(read(written(tmp_path / "a.tsv", content))) == [
        ('a\tb "c"', "pos"),
        ("d", "neg"),
        ('e "f"', "pos"),
    ]


def test_a_quoted_line_end_in_tsv_is_read_on_request_only(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tsv", 'text\tlabel\n"a\nb"\tpos\nc\tneg\n')
    assert pairs(read(path, quoting="standard")) == [("a\nb", "pos"), ("c", "neg")]
    assert message(path) == (
        "a.tsv:2: 1 fields where the header has 2; "
        "pass --quoting standard if quoted fields hold '\\t' or line ends"
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoting", ["auto", "backslash"])
def test_quotes_escaped_with_a_backslash(tmp_path: Path, delimiter: str, quoting: str) -> None:
    content = SPARK.replace(",", delimiter)
    reviews = read(written(tmp_path / "a.csv", content), quoting=quoting)
    assert [review.text for review in reviews] == [
        text.replace(",", delimiter) for text in SPARK_TEXTS
    ]
    assert [review.label for review in reviews] == ["pos", "neg", "pos", "neg", "pos"]


def test_an_escaped_line_end_and_an_empty_field_of_mysql(tmp_path: Path) -> None:
    content = 'id,text,label\n1,"a \\"b\\"\\\nc",pos\n2,"d",\\N\n\\N,"e",neg\n'
    texts, bad_rows = skipping(written(tmp_path / "a.csv", content))
    assert texts == ['a "b"\nc', "e"]
    assert bad_rows == ["a.csv:4: no label in column 'label'; add it or remove the row"]


def test_csv_without_quoting(tmp_path: Path) -> None:
    content = 'stars,text\n5,"Love it so much\n1,Broke\n4,My "new" phone\n5,12" screen"\n'
    texts = ['"Love it so much', "Broke", 'My "new" phone', '12" screen"']
    path = written(tmp_path / "a.csv", content)
    for quoting in ("auto", "none"):
        assert [review.text for review in read(path, quoting=quoting)] == texts


def test_standard_quotes_win_over_a_few_broken_ones(tmp_path: Path) -> None:
    rows = ['"good, really",pos', '"bad, really",neg'] * 10 + ['"d" d,pos', "plain,neg"]
    texts, bad_rows = skipping(written(tmp_path / "a.csv", "\n".join(["text,label", *rows])))
    assert texts == ["good, really", "bad, really"] * 10 + ["plain"]
    assert bad_rows[0].endswith("or pass --quoting (none, backslash)")


@pytest.mark.parametrize("label", ["pos", "p, s"])
def test_a_space_before_a_quote(tmp_path: Path, label: str) -> None:
    content = f'text, label\ngood film, "{label}"\n"bad, film", "neg"\n'
    assert pairs(read(written(tmp_path / "a.csv", content), label_column="label")) == [
        ("good film", label),
        ("bad, film", "neg"),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
@pytest.mark.parametrize("blanks", [(" ", " "), ("", "  "), ("  ", ""), ("\t", "\t")])
def test_spaces_around_quotes(tmp_path: Path, delimiter: str, blanks: tuple[str, str]) -> None:
    before, after = blanks
    rows = [["text", "label"], [f"good{delimiter} film", "pos"], ['so ""bad""', "neg"]]
    lines = [delimiter.join(f'{before}"{value}"{after}' for value in row) for row in rows]
    path = written(tmp_path / "a.csv", "\n".join(lines) + "\n")
    if delimiter not in blanks:
        assert pairs(read(path)) == [(f"good{delimiter} film", "pos"), ('so "bad"', "neg")]


def test_spaces_within_quotes_stay(tmp_path: Path) -> None:
    content = 'text,label\n" ""good"" , fine ",pos\n"bad, ""so"" ",neg\n'
    assert pairs(read(written(tmp_path / "a.csv", content))) == [
        (' "good" , fine ', "pos"),
        ('bad, "so" ', "neg"),
    ]


def test_both_ways_to_escape_a_quote_in_one_file(tmp_path: Path) -> None:
    content = 'text,label\n"say ""x""",pos\n"say \\"y\\", z",neg\n"",pos\n'
    assert skipping(written(tmp_path / "a.csv", content)) == (
        ['say "x"', 'say "y", z'],
        ["a.csv:4: the text is empty"],
    )


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
def test_escaped_delimiters_and_line_ends_without_quotes(tmp_path: Path, delimiter: str) -> None:
    content = "text,label\ngood\\, fine,pos\nbad,neg\n".replace(",", delimiter)
    assert pairs(read(written(tmp_path / "a.csv", content))) == [
        (f"good{delimiter} fine", "pos"),
        ("bad", "neg"),
    ]
    if delimiter != "\t":  # a row of TSV is one line
        content = "label,text\npos,good\\\nfine\nneg,bad\n".replace(",", delimiter)
        assert pairs(read(written(tmp_path / "a.csv", content))) == [
            ("good\nfine", "pos"),
            ("bad", "neg"),
        ]


def test_a_backslash_at_the_end_of_a_field_that_is_text(tmp_path: Path) -> None:
    content = 'id|text|title|label\n0|yes|so|1\n1|"great" one|\\|5\n2|\\|"great" two|1\n'
    assert pairs(read(written(tmp_path / "a.csv", content), text_column="text")) == [
        ("yes", "1"),
        ('"great" one', "5"),
        ("\\", "1"),
    ]


JOINED_LABELS_FIRST = 'label,text\nneg,bad\npos,"Love it\nneg,so so\nneg,no"\npos,ok\n'
JOINED_TEXTS_FIRST = 'text,label\n"Love it,pos\nso so,neg\nno",neg\nok,pos\n'


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_rows_are_not_joined_by_quotes_that_are_text(tmp_path: Path, delimiter: str) -> None:
    content = JOINED_LABELS_FIRST.replace(",", delimiter)
    texts = ["bad", '"Love it', "so so", 'no"', "ok"]
    assert skipping(written(tmp_path / "a.csv", content)) == (texts, [])
    content = JOINED_TEXTS_FIRST.replace(",", delimiter)
    assert skipping(written(tmp_path / "a.csv", content)) == (texts[1:], [])


def test_rows_that_a_later_quote_would_join_are_reported(tmp_path: Path) -> None:
    rows = ["pos,good", "neg,bad"] * 400
    content = "\n".join(["label,text", *rows, 'pos,"Love it', *rows, 'neg,no"', *rows, ""])
    path = written(tmp_path / "a.csv", content)
    texts, bad_rows = skipping(path)
    assert texts == [*["good", "bad"] * 800, 'no"', *["good", "bad"] * 400]
    assert bad_rows == [
        "a.csv:802: a quote that opens in this row joins 802 lines, and each looks like a row; "
        "pass --quoting none if quotes are text, or --quoting standard"
    ]
    assert len(read(path, quoting="none")) == 2402
    assert len(read(path, quoting="standard")) == 1601


def test_quoted_texts_of_several_lines_are_not_taken_for_rows(tmp_path: Path) -> None:
    content = 'label,text\nneg,bad\npos,"Love it\nreally, no"\npos,"a, b\nc"\nneg,"x\ny, z"\n'
    assert [review.text for review in read(written(tmp_path / "a.csv", content))] == [
        "bad",
        "Love it\nreally, no",
        "a, b\nc",
        "x\ny, z",
    ]


def test_blank_lines_before_the_header(tmp_path: Path) -> None:
    reviews = read(written(tmp_path / "a.tsv", f"\n\r\n{AMAZON}"), text_column="text")
    assert [review.text for review in reviews] == AMAZON_TEXTS
    reviews = read(written(tmp_path / "a.csv", f"\n\r\n{SPARK}"))
    assert [review.text for review in reviews] == SPARK_TEXTS


def test_a_space_before_a_quote_that_is_text(tmp_path: Path) -> None:
    content = 'label,text\npos, "good" film\nneg, so "bad"\n'
    reviews = read(written(tmp_path / "a.csv", content))
    assert [review.text for review in reviews] == [' "good" film', ' so "bad"']


# Delimiters


def test_the_delimiter_fits_all_of_the_first_lines(tmp_path: Path) -> None:
    content = "Buena, barata;5\nMala;1\nRegular, sin más, la verdad;3\n"
    path = written(tmp_path / "a.csv", content)
    assert pairs(read(path, columns=("text", "label"))) == [
        ("Buena, barata", "5"),
        ("Mala", "1"),
        ("Regular, sin más, la verdad", "3"),
    ]
    path = written(tmp_path / "c.csv", "Buena;4,5\nMala;1,0\n")
    assert pairs(read(path, columns=("text", "label"))) == [("Buena", "4.5"), ("Mala", "1")]
    path = written(tmp_path / "b.csv", "Buena, barata;5\n")
    assert pairs(read(path, columns=("text", "label"))) == [("Buena, barata", "5")]


def test_a_header_with_commas_in_its_names(tmp_path: Path) -> None:
    content = "Text, as written;Stars, of 5;Label\ngood;5;pos\nbad, bad;1;neg\n"
    path = written(tmp_path / "a.csv", content)
    assert pairs(read(path, text_column=("Text, as written",))) == [
        ("good", "pos"),
        ("bad, bad", "neg"),
    ]


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|", "~", "\x01"])
def test_the_delimiter_of_the_option(tmp_path: Path, delimiter: str) -> None:
    path = written(tmp_path / "a.csv", f"text{delimiter}label\na,b;c|d{delimiter}pos\n")
    if delimiter not in "a,b;c|d":
        assert pairs(read(path, delimiter=delimiter)) == [("a,b;c|d", "pos")]
    path = written(tmp_path / "a.txt", f"text{delimiter}label\na{delimiter}pos\n")
    assert pairs(read(path, delimiter=delimiter)) == [("a", "pos")]


def test_names_of_the_tab_and_what_is_no_delimiter() -> None:
    assert ReadOptions(delimiter="tab").delimiter == "\t"
    assert ReadOptions(delimiter=r"\t").delimiter == "\t"
    for delimiter in ("", ";;", '"', "\n"):
        with pytest.raises(ValueError, match="is not one character"):
            ReadOptions(delimiter=delimiter)


@pytest.mark.parametrize(
    "line",
    ["sep=;", "SEP=;", '"sep=;"', "\ufeffsep=;", "sep=;\r", "sep=;;;", "\nsep=;", "\r\n\nsep=;"],
)
@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a.tsv"])
def test_the_delimiter_line_of_excel(tmp_path: Path, line: str, name: str) -> None:
    path = written(tmp_path / name, f"{line}\ntext;label\nBuena, barata;5\n")
    reviews = read(path)
    assert pairs(reviews) == [("Buena, barata", "5")]
    assert reviews[0].line == line.count("\n") + 3
    assert detect_format(str(path)) == ("tsv" if name == "a.tsv" else "csv")
    assert message(path, delimiter=",").startswith(f"{name}: none of the columns 'text;label'")


def test_other_first_lines_declare_no_delimiter() -> None:
    assert delimiter_line("sep=\t") == delimiter_line(r"sep=\t") == "\t"
    for line in ("sep=", "sep=ab", "separator;label", "", "xsep=;"):
        assert delimiter_line(line) is None


def test_rows_of_delimiters_are_skipped(tmp_path: Path) -> None:
    content = "text;label;;\ngood;pos;;\n;;;\n;\nbad;neg;;\n;;;;;\n"
    assert skipping(written(tmp_path / "a.csv", content)) == (["good", "bad"], [])
    content = ";;\n ; ; \n" + content + '"";" ";;\n \n'
    assert skipping(written(tmp_path / "a.csv", content)) == (["good", "bad"], [])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_empty_fields_at_the_end_of_rows(tmp_path: Path, delimiter: str) -> None:
    for content in (
        "text,label\ngood,pos,\nbad,neg,,\n",
        "text,label,,\ngood,pos\nbad,neg,\n",
    ):
        path = written(tmp_path / "a.csv", content.replace(",", delimiter))
        assert pairs(read(path)) == [("good", "pos"), ("bad", "neg")]
    content = "text,label,note\ngood,pos\nbad,neg,x,y\nok,pos,\n".replace(",", delimiter)
    texts, bad_rows = skipping(written(tmp_path / "a.csv", content))
    assert texts == ["ok"]
    assert [row.partition(";")[0] for row in bad_rows] == [
        "a.csv:2: 2 fields where the header has 3",
        "a.csv:3: 4 fields where the header has 3",
    ]


# Detection


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["a,b", "1,2"], Dialect(",")),
        (["a;b,c", "1;2"], Dialect(";")),
        (["a;b,c", "1,5;2"], Dialect(";")),  # a tie: commas occur in numbers
        (["text", "one, two"], Dialect(";")),  # one column: a delimiter that does not occur
        (["a\tb", '"x\ty'], Dialect("\t", "none", spans_lines=False)),
        (["a\tb", '"x"\ty'], Dialect("\t", "standard", spans_lines=False)),
        (['"a", "b"', '"x", "y"'], Dialect(",", skips_spaces=True)),
        ([], Dialect(";")),
    ],
)
def test_dialects_of_first_lines(lines: list[str], expected: Dialect) -> None:
    assert detect_dialect(lines, delimiters=COMMON) == expected


_raw_texts = st.text(st.sampled_from("ab \"\\,;|'ñ"), min_size=1, max_size=12).filter(str.strip)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(_raw_texts, min_size=1, max_size=12))
def test_a_line_of_unquoted_tsv_is_a_row_whatever_its_quotes(
    tmp_path: Path, texts: list[str]
) -> None:
    lines = "".join(f"pos\t{text}\n" for text in texts)
    path = written(tmp_path / "a.tsv", f"label\ttext\n{lines}")
    assert [review.text for review in read(path, quoting="none")] == texts
    rows = list(read_reviews([str(path)], keep_empty=True))
    assert [row.line for row in rows] == list(range(2, len(texts) + 2))
    # A text of quotes alone may be an empty quoted field, and its row one without text.
    assert {row.label for row in rows if row.text} <= {"pos"}


_fields = st.text(st.sampled_from('ab ,;|"\\\n'), min_size=1, max_size=10)


@given(
    rows=st.lists(st.tuples(_fields, st.sampled_from(["pos", "neg"])), min_size=1, max_size=12),
    delimiter=st.sampled_from([",", ";", "|"]),
    quote_all=st.booleans(),
)
def test_what_the_csv_module_writes_is_read(
    rows: list[tuple[str, str]], delimiter: str, quote_all: bool
) -> None:
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    buffer = io.StringIO(newline="")
    table = [("text", "label"), *rows]
    csv.writer(buffer, delimiter=delimiter, quoting=quoting).writerows(table)
    lines = buffer.getvalue().split("\n")[:-1]
    dialect = detect_dialect(lines, delimiters=COMMON)
    assert dialect.delimiter == delimiter
    read = list(dialect.reader(line + "\n" for line in lines))
    assert [tuple(field.replace("\r\n", "\n") for field in row) for row in read] == table
