"""From reviews to encoded corpora: read once, split, settle the vocabulary, write.

The reviews pass through a spool on disk, so memory holds a few thousand of them at a time however
many there are. What is kept for each in memory is its label, its hash and its length.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sentir.config import TextConfig, TrainConfig
from sentir.data.corpus import Faults, Review
from sentir.data.labels import LabelScheme, RawLabel
from sentir.data.store import BATCH_ROWS, CorpusWriter, EncodedCorpus, read_batches
from sentir.data.tokenizer import SubwordTokenizer, Tokenizer, WordTokenizer, load_tokenizer
from sentir.data.vocabulary import GrowingVocabulary
from sentir.data.workers import cut_all
from sentir.errors import DataError

#: Told how many more reviews went through.
Advance = Callable[[int], None]
Ints = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
#: From a spooled record batch to its reviews' final ids, one behind the other, and their lengths.
Settle = Callable[[pa.RecordBatch], tuple[Ints, Ints]]


@dataclass(frozen=True, kw_only=True)
class TrainingCorpora:
    """What training reads, as it lies in one folder."""

    train: EncodedCorpus
    valid: EncodedCorpus
    tokenizer: Tokenizer
    labels: LabelScheme

    @classmethod
    def open(cls, folder: Path) -> TrainingCorpora:
        """The corpora that `encode_training` wrote into this folder."""
        return cls(
            train=EncodedCorpus(folder / "train.arrow"),
            valid=EncodedCorpus(folder / "valid.arrow"),
            tokenizer=load_tokenizer(folder / "tokenizer.json"),
            labels=LabelScheme.from_dict(json.loads((folder / "labels.json").read_text("utf-8"))),
        )


def encode_training(
    reviews: Iterable[Review],
    folder: Path,
    *,
    text: TextConfig,
    train: TrainConfig,
    labels: str = "auto",
    valid_reviews: Iterable[Review] | None = None,
    faults: Faults,
    advance: Advance = lambda count: None,
    processes: int | None = None,
) -> TrainingCorpora:
    """Encode the reviews to train on, a part of them set aside for validation.

    Args:
        reviews: labelled reviews, read once.
        folder: where the corpora, the tokenizer and the labels are written; it must exist.
        text: how text becomes ids.
        train: `valid_fraction`, `valid_max` and `seed` of the split.
        labels: how labels become classes, see `LabelScheme.resolve`.
        valid_reviews: validate on these instead of a part of `reviews`.
        faults: where bad rows go.
        advance: told of progress.
        processes: how many cut texts into words or feed those that do, see `cut_all`; the outcome
            is the same.

    Raises:
        WorkerError: a process that shares the work was killed.
        DataError: the labels make no classes, or there are too few reviews to split.
    """
    spool_path = folder / "spool.arrow"
    growing = GrowingVocabulary(text) if text.tokenizer == "word" else None
    try:
        spool = _fill_spool(reviews, spool_path, growing, text, advance, processes)
        scheme, class_of_N = _classes(spool, labels, faults)
        aside_N = np.zeros(len(class_of_N), bool)
        if valid_reviews is None:
            aside_N = _aside(spool.hashes_N, class_of_N >= 0, train)
        train_N = (class_of_N >= 0) & ~aside_N
        has_valid = valid_reviews is not None or bool(aside_N.any())
        _check_split(class_of_N[train_N], scheme, valid=has_valid)

        tokenizer, settle = _settle(spool, train_N, growing, text)
        for name, rows_N in (("train", train_N), ("valid", aside_N)):
            kept = name == "valid"
            with CorpusWriter(folder / f"{name}.arrow", texts=kept) as writer:
                for batch, classes_N in spool.parts(
                    rows_N, class_of_N, texts=kept or growing is None
                ):
                    flat, lengths = settle(batch)
                    texts = batch.column("text") if kept else None
                    hashes = batch.column("text_hash").to_numpy()
                    writer.write(flat, _offsets(lengths), classes_N, hashes, texts)
    finally:
        spool_path.unlink(missing_ok=True)
    if valid_reviews is not None:
        encode_reviews(
            valid_reviews,
            folder / "valid.arrow",
            tokenizer,
            scheme,
            faults=faults,
            advance=advance,
            processes=processes,
        )
    tokenizer.save(folder / "tokenizer.json")
    (folder / "labels.json").write_text(json.dumps(scheme.to_dict()), encoding="utf-8")
    return TrainingCorpora.open(folder)


def encode_reviews(
    reviews: Iterable[Review],
    path: Path,
    tokenizer: Tokenizer,
    labels: LabelScheme,
    *,
    faults: Faults,
    advance: Advance = lambda count: None,
    processes: int | None = None,
) -> EncodedCorpus:
    """Encode labelled reviews with a tokenizer that is settled; texts are kept.

    Raises:
        WorkerError: a process that shares the work was killed.
        DataError: a label is not one the scheme knows, or no review is left.
    """
    known = tokenizer if isinstance(tokenizer, WordTokenizer) else None
    pairs = (labelled(chunk, labels, faults) for chunk in _chunks(reviews, advance))
    chunks = ((pa.array(texts, pa.string()), classes) for texts, classes in pairs)
    cuts = cut_all(chunks, known.steps if known is not None else None, processes)
    with closing(cuts), CorpusWriter(path, texts=True) as writer:
        count = 0
        for texts, classes, cut in cuts:
            if known is not None:
                ids = np.fromiter(map(known.id_of, cut.words), np.int32, len(cut.words))
                flat, lengths = ids[cut.flat], cut.lengths_N
            else:
                flat, lengths = _flat(tokenizer.encode(texts.to_pylist()))
            classes_N = np.array(classes, np.int32)
            writer.write(flat, _offsets(lengths), classes_N, cut.hashes_N, texts)
            count += len(texts)
        if not count:
            raise DataError("no review to measure on", todo="check the file and its labels")
    return EncodedCorpus(path)


def labelled(
    reviews: Iterable[Review], labels: LabelScheme, faults: Faults
) -> tuple[list[str], list[int]]:
    """Texts and classes of the reviews; those with a label that is left out are not among them."""
    texts, classes = [], []
    for review in reviews:
        try:
            class_id = labels.class_id(review.label or "", f"{review.path}:{review.line}")
        except DataError as error:
            faults.meet(error)
            continue
        if class_id is not None:
            texts.append(review.text)
            classes.append(class_id)
    return texts, classes


def _chunks(reviews: Iterable[Review], advance: Advance) -> Iterator[list[Review]]:
    source = iter(reviews)
    while chunk := list(islice(source, BATCH_ROWS)):
        yield chunk
        advance(len(chunk))


def _flat(ids: Sequence[Sequence[int]]) -> tuple[Ints, Ints]:
    lengths = np.fromiter(map(len, ids), np.int32, len(ids))
    return np.fromiter(chain.from_iterable(ids), np.int32, int(lengths.sum())), lengths


def _offsets(lengths: Ints) -> Ints:
    return np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)


@dataclass(frozen=True)
class _Spool:
    """All reviews as they were read: on disk their provisional ids and texts, here the rest."""

    path: Path
    #: Raw labels in the order they came; `codes_N` says which one each review has.
    labels: dict[str, RawLabel]
    codes_N: Ints
    hashes_N: Hashes

    def parts(
        self, rows_N: Flags, class_of_N: Ints, *, texts: bool
    ) -> Iterator[tuple[pa.RecordBatch, Ints]]:
        """The chosen reviews, some thousand at a time, with their classes."""
        start = 0
        for batch in read_batches(self.path, texts=texts):
            end = start + batch.num_rows
            chosen = rows_N[start:end]
            if chosen.any():
                yield batch.filter(pa.array(chosen)), class_of_N[start:end][chosen]
            start = end


def _fill_spool(
    reviews: Iterable[Review],
    path: Path,
    growing: GrowingVocabulary | None,
    text: TextConfig,
    advance: Advance,
    processes: int | None,
) -> _Spool:
    names: dict[str, int] = {}
    counts: list[int] = []
    places: list[str] = []
    codes, hashes = [np.empty(0, np.int32)], [np.empty(0, np.uint64)]

    def chunks() -> Iterator[tuple[pa.StringArray, Ints]]:
        for chunk in _chunks(reviews, advance):
            labels = []
            for review in chunk:
                label = review.label or ""
                code = names.get(label)
                if code is None:
                    code = names[label] = len(names)
                    counts.append(0)
                    places.append(f"{review.path}:{review.line}")
                counts[code] += 1
                labels.append(code)
            texts = pa.array([review.text for review in chunk], pa.string())
            yield texts, np.array(labels, np.int32)

    cuts = cut_all(chunks(), text.clean if growing is not None else None, processes)
    with closing(cuts), CorpusWriter(path, texts=True) as writer:
        for texts, codes_of_chunk, cut in cuts:
            flat = growing.encode(cut) if growing is not None else cut.flat
            writer.write(flat, _offsets(cut.lengths_N), codes_of_chunk, cut.hashes_N, texts)
            codes.append(codes_of_chunk)
            hashes.append(cut.hashes_N)
    raw = {name: RawLabel(counts[code], places[code]) for name, code in names.items()}
    return _Spool(path, raw, np.concatenate(codes), np.concatenate(hashes))


def _classes(spool: _Spool, labels: str, faults: Faults) -> tuple[LabelScheme, Ints]:
    """The label scheme and the class of each review, -1 where it is left out."""
    scheme, strays = LabelScheme.resolve(spool.labels, labels)
    for name, error in strays.items():
        for _ in range(spool.labels[name].count):
            faults.meet(error)
    class_of = np.full(len(spool.labels), -1, np.int32)
    for code, (name, raw) in enumerate(spool.labels.items()):
        found = None if name in strays else scheme.class_id(name, raw.where)
        class_of[code] = -1 if found is None else found
    return scheme, class_of[spool.codes_N]


def _aside(hashes_N: Hashes, usable_N: Flags, train: TrainConfig) -> Flags:
    """The reviews set aside for validation: those whose hash, stirred by the seed, is smallest.

    Going by the text's hash keeps copies of one review on one side. The stirring is SplitMix64's
    finaliser (Steele, Lea and Flood 2014).
    """
    stirred_N = hashes_N + np.uint64(train.seed * 0x9E3779B97F4A7C15 % 2**64)
    stirred_N = (stirred_N ^ (stirred_N >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    stirred_N = (stirred_N ^ (stirred_N >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    stirred_N ^= stirred_N >> np.uint64(31)
    wanted = min(round(int(usable_N.sum()) * train.valid_fraction), train.valid_max)
    if wanted == 0:
        return np.zeros_like(usable_N)
    last = np.partition(stirred_N[usable_N], wanted - 1)[wanted - 1]
    chosen: Flags = usable_N & (stirred_N <= last)
    return chosen


def _check_split(classes_N: Ints, scheme: LabelScheme, *, valid: bool) -> None:
    todo = "give more reviews, or validation reviews of their own with --valid"
    if not valid:
        raise DataError("no review is left for validation", todo=todo)
    missing = set(range(len(scheme.names))) - set(np.unique(classes_N).tolist())
    if missing:
        names = " or ".join(scheme.names[at] for at in sorted(missing))
        raise DataError(f"no training review is {names}", todo=todo)


def _settle(
    spool: _Spool, train_N: Flags, growing: GrowingVocabulary | None, text: TextConfig
) -> tuple[Tokenizer, Settle]:
    """The tokenizer, learnt from the training reviews only, and what it makes of spooled ones."""
    parts = spool.parts(train_N, spool.codes_N, texts=growing is None)
    if growing is None:
        texts = (value for batch, _ in parts for value in batch.column("text").to_pylist())
        subwords = SubwordTokenizer.train(texts, text)
        return subwords, lambda batch: _flat(subwords.encode(batch.column("text").to_pylist()))
    counts = np.zeros(len(growing), np.int64)
    for batch, _ in parts:
        counts += np.bincount(_provisional(batch)[0], minlength=len(counts))
    words, table = growing.settle(counts)

    def settle(batch: pa.RecordBatch) -> tuple[Ints, Ints]:
        flat, lengths = _provisional(batch)
        return table[flat], lengths

    return words, settle


def _provisional(batch: pa.RecordBatch) -> tuple[Ints, Ints]:
    ids = batch.column("ids")
    return ids.flatten().to_numpy(), ids.value_lengths().to_numpy()
