"""Attention pooling trained by the kernel of `sentir.nn.kernels.attention`.

Shapes: T time, B texts, F features of a state.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from sentir.nn.kernels.attention import attention_backward, attention_forward


def attend(states_TBF: Tensor, query_F: Tensor, lengths_B: Tensor) -> Tensor:
    """The mean of each text's states weighted by attention, (B, F).

    Values and gradients are within 1e-5 of those of `sentir.nn.pooling.Pooling`, relative to the
    largest of each.
    """
    pooled_BF: Tensor = _AttentionFunction.apply(states_TBF, query_F, lengths_B)  # type: ignore[no-untyped-call]
    return pooled_BF


class _AttentionFunction(torch.autograd.Function):
    """See `attend`."""

    @staticmethod
    def forward(ctx: Any, states_TBF: Tensor, query_F: Tensor, lengths_B: Tensor) -> Tensor:
        states_TBF, query_F = states_TBF.contiguous(), query_F.contiguous()
        weights_TB = torch.empty(states_TBF.shape[:2])
        pooled_BF = torch.empty(states_TBF.shape[1:])
        tensors = (states_TBF, lengths_B, query_F, weights_TB, pooled_BF)
        attention_forward(*(tensor.detach().numpy() for tensor in tensors))
        ctx.save_for_backward(*tensors)
        return pooled_BF

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, pooled_grads_BF: Tensor) -> tuple[Tensor, Tensor, None]:
        states_TBF, _, query_F, *_ = saved = ctx.saved_tensors
        state_grads_TBF, query_grads_F = torch.zeros_like(states_TBF), torch.zeros_like(query_F)
        tensors = (pooled_grads_BF.contiguous(), *saved, state_grads_TBF, query_grads_F)
        attention_backward(*(tensor.numpy() for tensor in tensors))
        return state_grads_TBF, query_grads_F, None
