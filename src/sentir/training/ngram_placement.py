"""Which row of a table each n-gram gets: a perfect hash by displacements.

The hash of an n-gram alone sends several to one row. So the n-grams are spread over cells, and each
cell has a displacement, which is added to the hashes of its n-grams so that all of them fall on
rows of their own (hash and displace: Pagh 1999; Belazzougui, Botelho and Dietzfelbinger 2009).
The table is full, and an n-gram is found by two look-ups (`sentir.nn.ngrams.table_rows`).

Shapes: K n-grams, P rows, M cells, Q cells of one size, S n-grams of each of these.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sentir.nn.ngrams import displacement_index, folded

#: N-grams per cell, on average: more make the displacements fewer and harder to find. With 2, of
#: 262,144 n-grams in as many rows none is left out, and with 3 some 700.
NGRAMS_PER_CELL = 2
#: Random displacements that are tried for the cells of one size. Then each cell that has found none
#: gives up its last n-gram.
MAX_TRIES = 500

Ints = npt.NDArray[np.int64]


class Placement(NamedTuple):
    """The displacement of each cell, and the row of each n-gram; -1: it has none."""

    displacements_M: npt.NDArray[np.int32]
    rows_K: Ints


def place_ngrams(keys_K: Ints, rows: int) -> Placement:
    """Give each n-gram a row of its own.

    Where that cannot be, as two n-grams of one cell have the same hash or a table is tiny, the one
    that comes later has none. The same n-grams always get the same rows.

    Args:
        keys_K: of n-grams, none twice, the most important ones first.
        rows: P, at least K.
    """
    cells = max(1, round(len(keys_K) / NGRAMS_PER_CELL))
    cell_K, hash_K = displacement_index(keys_K, cells), folded(keys_K) % rows
    displacements_M, rows_K = np.zeros(cells, np.int64), np.full(len(keys_K), -1)
    members_K = np.lexsort((np.arange(len(keys_K)), cell_K))
    members_K = members_K[_is_first(cell_K[members_K] * rows + hash_K[members_K])]
    count_M = np.bincount(cell_K[members_K], minlength=cells)
    start_M = np.cumsum(count_M) - count_M
    is_free_P, claimed_P = np.ones(rows, bool), np.empty(rows, np.int64)
    random = np.random.default_rng(0)
    for size in range(count_M.max(initial=0), 1, -1):
        pending_Q = np.flatnonzero(count_M == size)
        for _ in range(MAX_TRIES):
            if not len(pending_Q):
                break
            member_QS = members_K[start_M[pending_Q, None] + np.arange(size)]
            displacement_Q = random.integers(0, rows, len(pending_Q))
            row_QS = (hash_K[member_QS] + displacement_Q[:, None]) % rows
            fits_Q = is_free_P[row_QS].all(axis=1)
            # Of cells that want the same row, the one that claims it last has it.
            claimed_P[row_QS[fits_Q]] = pending_Q[fits_Q, None]
            fits_Q &= (claimed_P[row_QS] == pending_Q[:, None]).all(axis=1)
            is_free_P[row_QS[fits_Q]] = False
            rows_K[member_QS[fits_Q]] = row_QS[fits_Q]
            displacements_M[pending_Q[fits_Q]] = displacement_Q[fits_Q]
            pending_Q = pending_Q[~fits_Q]
        count_M[pending_Q] -= 1
    # A cell of one n-gram may have any row that is left.
    single_Q = np.flatnonzero(count_M == 1)
    member_Q = members_K[start_M[single_Q]]
    rows_K[member_Q] = np.flatnonzero(is_free_P)[: len(single_Q)]
    displacements_M[single_Q] = (rows_K[member_Q] - hash_K[member_Q]) % rows
    return Placement(displacements_M.astype(np.int32), rows_K)


def _is_first(values_K: Ints) -> npt.NDArray[np.bool_]:
    """Whether each value stands in the list for the first time."""
    is_first_K = np.zeros(len(values_K), bool)
    is_first_K[np.unique(values_K, return_index=True)[1]] = True
    return is_first_K
