"""A finding: what does not fit, where, why, and what would mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd


class Finding(NamedTuple):
    """One thing that does not fit."""

    rule: str                 # memory-overlap
    place: str                # vms[modem].memory[ram]
    reason: str
    remedy: str
    where: str = ""           # phone.yaml:12

    def __str__(self) -> str:
        return f"{self.where + ': ' if self.where else ''}{self.place}: {self.reason}; {self.remedy}"


class Findings(tuple[Finding, ...]):
    """All that does not fit; empty, and false, if all is well."""

    __slots__ = ()

    @property
    def rules(self) -> set[str]:
        """Names of the rules that are broken."""
        return {finding.rule for finding in self}

    def table(self) -> pd.DataFrame:
        """One row a finding."""
        import pandas as pd

        return pd.DataFrame(list(self), columns=list(Finding._fields))

    def __repr__(self) -> str:
        return "\n".join(map(str, self)) or "no findings"


RULES = {
    "architecture": "a VM is made for the instruction set of the pCPUs it may run on",
    "affinity": "a VM runs on pCPUs that exist, and has no more vCPUs at work than pCPUs to run on, if each needs its own",
    "cluster": "execution times of a VM with deadlines hold for one kind of core",
    "memory-place": "memory of a VM is in memory of the board, in whole pages",
    "memory-overlap": "no two VMs have the same memory, or pages of registers, unless both say it is shared",
    "memory-guest": "a VM sees one thing at an address",
    "memory-full": "memory that may be anywhere fits in what is left",
    "colours": "colours exist, and are in one VM each",
    "irq-line": "a line exists",
    "irq-twice": "a line is in one VM, unless both say it is shared, or it is each pCPU's own",
    "irq-route": "lines of devices passed through are the VM's, and are direct only where the controller can do that",
    "chip": "a VM has the interrupt controller itself alone, and one that is virtualized only if the hardware has it",
    "timer": "likewise for timers",
    "device": "a device passed through exists, in one VM",
    "split": "a front end has a back end of its function, a back end a front end",
    "dma": "a device that accesses memory has a stream of its VM's own at an IOMMU, or its VM sees its memory where it is",
    "channel": "ends of a channel name each other and share memory",
    "image": "an image is loaded into the VM's memory, and entered in it",
    "operations": "operations that are to trap do trap",
    "contract-kind": "the scheduler keeps contracts of this kind",
    "contract-sum": "what is reserved on a pCPU, or a set of pCPUs, is there",
    "contract-slots": "slots do not overlap, and have one frame",
    "wakeup": "the scheduler can give the wake-up bound",
    "deadline": "tasks of VMs meet their deadlines",
    "health": "a heartbeat is not missed by a VM that only waits for its turn",
    "system": "what is described can be simulated and analysed",
}
"""What `check` looks at: {name of the rule: what it wants}."""
