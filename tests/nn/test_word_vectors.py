from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import pytest
import torch
from torch import nn

from sentir.errors import DataError
from sentir.nn.word_vectors import load_vectors
from sentir.text.tokenizer import PAD, SPECIAL

VOCABULARY = [*SPECIAL, "good", "niño", ". . .", "rare"]
GLOVE = "good 1 2 3\nniño -0.5 1e-2 0\nelsewhere 7 7 7\n. . . 4 5 6\n"


@pytest.fixture
def embedding() -> nn.Embedding:
    torch.manual_seed(0)
    return nn.Embedding(len(VOCABULARY), 3, padding_idx=PAD)


def write(folder: Path, text: str) -> str:
    path = folder / "vectors.txt"
    path.write_text(text, encoding="utf-8")
    return str(path)


def check_rows(embedding: nn.Embedding, before: torch.Tensor) -> None:
    rows = embedding.weight.detach()
    assert rows[2].tolist() == [1, 2, 3]
    assert rows[3].tolist() == pytest.approx([-0.5, 0.01, 0])
    assert rows[4].tolist() == [4, 5, 6]
    assert torch.equal(rows[[0, 1, 5]], before[[0, 1, 5]])


@pytest.mark.parametrize("header", ["", "4 3\n"], ids=["GloVe", "word2vec"])
@pytest.mark.parametrize("ending", ["\n", " \n", "\r\n"], ids=["plain", "blank", "windows"])
def test_known_words_get_their_vectors(
    tmp_path: Path, embedding: nn.Embedding, header: str, ending: str
) -> None:
    before = embedding.weight.detach().clone()
    path = write(tmp_path, (header + GLOVE).replace("\n", ending))
    assert load_vectors(path, VOCABULARY, embedding) == 3
    check_rows(embedding, before)
    assert embedding.weight.requires_grad


@pytest.mark.parametrize(("name", "pack"), [("v.bz2", bz2.compress), ("v.gz", gzip.compress)])
def test_compressed_files_are_read(
    tmp_path: Path, embedding: nn.Embedding, name: str, pack: object
) -> None:
    before = embedding.weight.detach().clone()
    (tmp_path / name).write_bytes(pack(GLOVE.encode()))  # type: ignore[operator]
    assert load_vectors(str(tmp_path / name), VOCABULARY, embedding) == 3
    check_rows(embedding, before)


def test_the_first_of_two_vectors_counts(tmp_path: Path, embedding: nn.Embedding) -> None:
    path = write(tmp_path, "good 1 2 3\ngood 9 9 9\n")
    assert load_vectors(path, VOCABULARY, embedding) == 1
    assert embedding.weight[2].tolist() == [1, 2, 3]


def test_padding_stays_zero_whatever_the_file_holds(
    tmp_path: Path, embedding: nn.Embedding
) -> None:
    path = write(tmp_path, "_PAD 1 2 3\ngood 1 2 3\n")
    assert load_vectors(path, VOCABULARY, embedding) == 1
    assert not embedding.weight[PAD].any()


@pytest.mark.parametrize("text", ["good 1 2 3 4\n", "1 4\ngood 1 2 3 4\n"])
def test_another_size_names_the_option(tmp_path: Path, embedding: nn.Embedding, text: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(DataError, match="--embedding-dim 4") as caught:
        load_vectors(path, VOCABULARY, embedding)
    assert str(caught.value).startswith(f"{path}:1: vectors of 4 numbers for an embedding of 3")


@pytest.mark.parametrize("text", ["good\n", "good bad\n", "good " + "9" * 5000 + "\n", "\n"])
def test_a_file_of_something_else(tmp_path: Path, embedding: nn.Embedding, text: str) -> None:
    with pytest.raises(DataError, match="give a text file of word vectors"):
        load_vectors(write(tmp_path, text), VOCABULARY, embedding)


@pytest.mark.parametrize("third", ["three", "nan", "inf", "1e63"])
def test_a_vector_with_something_that_is_no_number(
    tmp_path: Path, embedding: nn.Embedding, third: str
) -> None:
    before = embedding.weight.detach().clone()
    path = write(tmp_path, f"elsewhere 0 0 0\nniño 1 2 {third}\n")
    with pytest.raises(DataError, match="'niño' is not followed by 3 numbers") as caught:
        load_vectors(path, VOCABULARY, embedding)
    assert caught.value.where == f"{path}:2"
    assert torch.equal(embedding.weight, before)


def test_no_word_of_the_vocabulary(tmp_path: Path, embedding: nn.Embedding) -> None:
    with pytest.raises(DataError, match="no word of the vocabulary is in this file"):
        load_vectors(write(tmp_path, "elsewhere 1 2 3\n"), VOCABULARY, embedding)


def test_an_absent_file(tmp_path: Path, embedding: nn.Embedding) -> None:
    with pytest.raises(DataError, match="no such file"):
        load_vectors(str(tmp_path / "absent.txt"), VOCABULARY, embedding)
