"""What every scheduler is told about the VMs: their contracts, one row a vCPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import Problem, SpecError


class Contracts(NamedTuple):
    """Contracts of a system's vCPUs, in the order VM, vCPU; caps are per VM."""

    names: tuple[str, ...]    # of the VMs
    vcpu_vm: np.ndarray       # (vCPUs,)
    weight: np.ndarray        # (vCPUs,)
    budget: np.ndarray        # (vCPUs,) [ns]; NEVER if the VM has none
    period: np.ndarray        # (vCPUs,) [ns]; NEVER if the VM has none
    priority: np.ndarray      # (vCPUs,) 1 is the highest; NEVER if the VM has none
    extratime: np.ndarray     # (vCPUs,) 1 if it may use time that nobody has reserved
    cap: np.ndarray           # (VMs,) percent of one pCPU; 0: none
    control: np.ndarray       # (VMs,) 1 for a control VM (Xen: dom0)
    first_cpu: np.ndarray     # (vCPUs,) the lowest pCPU that its hard affinity allows
    sedf: tuple[Any, ...]     # (VMs,) `SedfContract`, or None
    bvt: tuple[Any, ...]      # (VMs,) `BvtContract`

    def weight_per_vm(self, scheduler: str) -> np.ndarray:
        """Weights of the VMs, for schedulers that know no weights of single vCPUs."""
        per_vm = np.ones(len(self.cap), np.int64)
        for vm, name in enumerate(self.names):
            weights = self.weight[self.vcpu_vm == vm]
            if len(weights):
                per_vm[vm] = weights[0]
                if (weights != weights[0]).any():
                    raise SpecError([Problem(f"vms[{name}].weight", weights.tolist(), f"one weight a VM under {scheduler}",
                                             f"{scheduler} gives all vCPUs of a VM the same weight: write one number", "")])
        return per_vm


def importance(priority: Sequence[int], period: Sequence[int]) -> np.ndarray:
    """(vCPUs,) rank by priority, else by period, else last; ties in the order given; 0 is the most important."""
    order = np.lexsort((np.arange(len(priority)), np.asarray(period, np.int64), np.asarray(priority, np.int64)))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank
