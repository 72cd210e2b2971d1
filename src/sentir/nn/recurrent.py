"""A recurrent layer in one or two directions.

Shapes: B batch, T time, E input features, H hidden units, F features of a state (H, or 2 H in two
directions).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from sentir.config import Initialisation
from sentir.nn.cells import MODULES
from sentir.nn.fork import use_one_thread_after_fork
from sentir.nn.initialisation import init_rnn_
from sentir.nn.kernels.availability import can_train_with_numba, computes_with_numba
from sentir.nn.padding import reverse_padded
from sentir.nn.qrnn import QRNN

use_one_thread_after_fork()

#: Reviews that oneDNN's LSTM computes at a time in bfloat16: with more it asks the system for so
#: much memory at every call that a third of the time is spent on that.
MAX_BFLOAT16_BATCH = 200


class RecurrentLayer(nn.Module):
    """One recurrent layer, each direction a ``torch.nn`` module with one layer, or a `QRNN`.

    Args:
        cell: one of `sentir.nn.cells.MODULES`.
        input_size: E.
        hidden_size: H.
        bidirectional: whether to read the text in both directions.
        initialisation: how the weights are drawn.

    Attributes:
        compute_dtype: the number format it computes in; None is that of the weights. The weights
            stay float32: where the format is narrower they are rounded anew at each use, and the
            gradient reaches the float32 ones (Micikevicius et al. 2018).
    """

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        *,
        bidirectional: bool,
        initialisation: Initialisation = "orthogonal",
    ) -> None:
        super().__init__()
        self.compute_dtype: torch.dtype | None = None
        self.forward_rnn = MODULES[cell](input_size, hidden_size)
        self.backward_rnn = MODULES[cell](input_size, hidden_size) if bidirectional else None
        for direction in (self.forward_rnn, self.backward_rnn):
            if direction is not None:
                init_rnn_(direction, initialisation)

    def forward(self, x_TBE: Tensor, reversal_index_TB: Tensor) -> Tensor:
        """The hidden states after each token, (T, B, F), the forward direction's first.

        Args:
            x_TBE: the vectors of the tokens.
            reversal_index_TB: `sentir.nn.padding.reversal_index` of the batch.
        """
        if self._runs_qrnn_kernel(x_TBE):
            rows_TB = torch.arange(reversal_index_TB.numel()).view_as(reversal_index_TB)
            return self._qrnn_states(x_TBE.flatten(0, 1), rows_TB, reversal_index_TB)
        inputs = self._read_in_order(x_TBE, reversal_index_TB)
        if self._trains_gru_kernel(x_TBE):
            return self._gru_states([(x, None) for x in inputs], reversal_index_TB)
        states = [self._states(rnn, x) for rnn, x in zip(self._rnns, inputs, strict=True)]
        return _join(states, reversal_index_TB)

    def forward_words(self, words_UE: Tensor, rows_TB: Tensor, reversal_index_TB: Tensor) -> Tensor:
        """As `forward`, where tokens share the vectors of their words.

        What follows from words alone is computed once a word on a CPU: of a QRNN all products, of a
        GRU that is trained those of its inputs.

        Args:
            words_UE: the vectors of the words.
            rows_TB: the word of each token.
            reversal_index_TB: as in `forward`.
        """
        if self._runs_qrnn_kernel(words_UE):
            return self._qrnn_states(words_UE, rows_TB, reversal_index_TB)
        if self._trains_gru_kernel(words_UE):
            orders = self._read_in_order(rows_TB[:, :, None], reversal_index_TB)
            inputs = [(words_UE, rows_TB1[:, :, 0]) for rows_TB1 in orders]
            return self._gru_states(inputs, reversal_index_TB)
        x_TBE = words_UE.index_select(0, rows_TB.flatten()).view(*rows_TB.shape, -1)
        states_TBF: Tensor = self(x_TBE, reversal_index_TB)
        return states_TBF

    @property
    def _rnns(self) -> list[nn.Module]:
        """The module of each direction."""
        return [rnn for rnn in (self.forward_rnn, self.backward_rnn) if rnn is not None]

    def _read_in_order(self, x_TBE: Tensor, reversal_index_TB: Tensor) -> list[Tensor]:
        """What each direction reads."""
        if self.backward_rnn is None:
            return [x_TBE]
        return [x_TBE, reverse_padded(x_TBE, reversal_index_TB)]

    def _trains_gru_kernel(self, x: Tensor) -> bool:
        is_float = self.compute_dtype is None
        return self.training and is_float and can_train_with_numba(self.forward_rnn, x)

    def _gru_states(
        self, inputs: Sequence[tuple[Tensor, Tensor | None]], reversal_index_TB: Tensor
    ) -> Tensor:
        # Imported only here, as Numba takes a second to load.
        from sentir.nn.kernels.gru_autograd import gru_states

        directions = [(rnn, *read) for rnn, read in zip(self._rnns, inputs, strict=True)]
        return _join(gru_states(directions), reversal_index_TB)

    def _runs_qrnn_kernel(self, x: Tensor) -> bool:
        is_plain_qrnn = isinstance(self.forward_rnn, QRNN) and self.compute_dtype is None
        return is_plain_qrnn and computes_with_numba(x)

    def _qrnn_states(self, x_RE: Tensor, rows_TB: Tensor, reversal_index_TB: Tensor) -> Tensor:
        # Imported only here, as Numba takes a second to load.
        from sentir.nn.kernels.qrnn_autograd import qrnn_states

        directions = [rnn for rnn in self._rnns if isinstance(rnn, QRNN)]
        return qrnn_states(directions, x_RE, rows_TB, reversal_index_TB)

    def _states(self, rnn: nn.Module, x_TBE: Tensor) -> Tensor:
        """The states of one direction, computed by PyTorch in `compute_dtype`."""
        dtype = self.compute_dtype
        if dtype is None:
            states_TBH: Tensor = rnn(x_TBE)[0]
            return states_TBH
        if x_TBE.is_cuda:  # cuDNN wants the rounded weights in one block: autocast sees to that
            with torch.autocast("cuda", dtype):
                states_TBH = rnn(x_TBE)[0]
        else:
            rounded = {name: weight.to(dtype) for name, weight in rnn.named_parameters()}
            parts = torch.split(x_TBE.to(dtype), MAX_BFLOAT16_BATCH, dim=1)
            states = [functional_call(rnn, rounded, (part.contiguous(),))[0] for part in parts]
            states_TBH = torch.cat(states, dim=1) if len(states) > 1 else states[0]
        return states_TBH.to(x_TBE.dtype)


def _join(states: Sequence[Tensor], reversal_index_TB: Tensor) -> Tensor:
    """The states of all directions, (T, B, F), in the order of the text."""
    forward_TBH, *backward = states
    if not backward:
        return forward_TBH
    return torch.cat([forward_TBH, reverse_padded(backward[0], reversal_index_TB)], dim=2)
