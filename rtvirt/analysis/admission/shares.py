"""Schedulers that share by weight: what they cannot promise, and why."""

from __future__ import annotations

from ..supply import Dedicated, NoBound, ProportionalShare
from .host import Host, Promise, Vcpu, nothing


def by_weight(host: Host) -> list[Promise]:
    """Nothing, to whoever has a rival or a cap."""
    try:
        ProportionalShare(host.scheduler.kernel_name.removesuffix("_2007"))
    except NoBound as reason:
        return [alone(host, vcpu) or nothing(vcpu, str(reason)) for vcpu in host.vcpus]


def alone(host: Host, vcpu: Vcpu) -> Promise | None:
    """A pCPU of its own, if nobody else ever runs and it has no cap."""
    if all(other is vcpu for other in host.running) and not vcpu.vm.cap:
        return Promise(Dedicated(), f"{vcpu.name}: nobody else ever runs", {"rule": "dedicated"})
    return None
