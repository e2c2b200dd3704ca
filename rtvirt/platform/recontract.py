"""The same VMs under another scheduler: what their reservations become there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from ..errors import Problem, SpecError
from ..schedulers import ARINC653, RTDS, SEDF, Credit, Credit2, FixedPriority, PeriodicServers, RoundRobin
from ..system import System, Task
from .board import Board, Scheduler, need_boards
from .contract import Reservation
from .hardware import Cluster, InterruptController
from .interface import VmInterface

HEAVIEST = 1024           # weight of a whole pCPU
MS = 1_000_000


def table(board: Board) -> ARINC653:
    """A window for each VM in a frame of the shortest period, of its share."""
    frame = min(vm.contract.period for vm in board.vms if isinstance(vm.contract, Reservation))
    windows = [(vm.name, 0, -(-vm.contract.budget * frame // vm.contract.period)) for vm in board.vms if isinstance(vm.contract, Reservation)]
    if sum(length for *_, length in windows) > frame:
        raise SpecError([Problem("board.vms", [vm.name for vm in board.vms], "reservations of one pCPU at most", "lower budgets")])
    return ARINC653(windows, major_frame=frame)


CONFIGURATIONS: Mapping[str, Callable[[Board], Any]] = MappingProxyType({
    "credit": lambda board: Credit(), "credit2": lambda board: Credit2(), "round robin": lambda board: RoundRobin(MS),
    "fixed priority": lambda board: FixedPriority(), "sedf": lambda board: SEDF(), "rtds": lambda board: RTDS(),
    "periodic servers": lambda board: PeriodicServers(), "arinc653": table})
"""{name: board -> scheduler}; weights are of shares, priorities by criticality and then by period, windows of shares."""


def recontract(board: Board, configuration: str) -> tuple[System, Any]:
    """(system, scheduler): the board's VMs under another scheduler.

    Raises
    ------
    SpecError
        A board with several pCPUs, no VMs, VMs without reservations or with several vCPUs, or an unknown configuration.

    Examples
    --------
    >>> system, scheduler = recontract(bench(), "arinc653")
    >>> scheduler.table
    (('modem', 0, 700000), ('drivers', 0, 200000), ('android', 0, 900000))
    """
    need_boards(board)
    known = isinstance(configuration, str) and configuration in CONFIGURATIONS
    wrong = [] if known else [Problem("configuration", configuration, ", ".join(CONFIGURATIONS), "choose one of these")]
    wrong += [] if board.vms else [Problem("board.vms", (), "at least one VM", "describe who is to be isolated from whom")]
    wrong += [Problem("board.clusters", board.cpus, "one pCPU", "isolation is measured on one pCPU: describe it alone")] if board.cpus != 1 else []
    wrong += [Problem(f"board.vms[{vm.name}].contract", vm.contract.kind, "a reservation, of one vCPU", "say what share of the pCPU it is to have")
              for vm in board.vms if not isinstance(vm.contract, Reservation) or vm.cpus.count != 1]
    if wrong:
        raise SpecError(wrong)
    order = sorted(board.vms, key=lambda vm: (-vm.criticality, vm.contract.period, vm.id))          # type: ignore[union-attr]
    system = board.system()
    vms = []
    for vm, made in zip(board.vms, system.vms):
        weight = max(1, HEAVIEST * vm.contract.budget // vm.contract.period)                        # type: ignore[union-attr]
        vms.append(made.replace(weight=weight, priority=1 + order.index(vm)))
    return system.replace(vms=vms), CONFIGURATIONS[configuration](board)


def bench() -> Board:
    """A phone on one pCPU, to measure isolation on: a modem that matters, a driver VM, and Android, which has most of the pCPU and is not trusted.

    Round numbers, invented.

    Examples
    --------
    >>> [vm.name for vm in bench().vms]
    ['modem', 'drivers', 'android']
    """
    def vm(k: int, name: str, budget: int, period: int, criticality: int, tasks: list[Task], **more: Any) -> VmInterface:
        contract = Reservation(budget=budget, period=period)
        return VmInterface(name=name, id=k, architecture="aarch64", contract=contract, criticality=criticality, tasks=tasks, **more)

    front = {"name": "disk0", "mode": "split-frontend", "function": "block", "backend": "drivers"}
    back = {"name": "disk0", "mode": "split-backend", "function": "block"}
    vms = [vm(1, "modem", 700_000, 2 * MS, 3, [Task("slot", wcet=300_000, period=5 * MS), Task("decode", wcet=2 * MS, period=40 * MS)]),
           vm(2, "drivers", 200_000, 2 * MS, 1, [Task("work", wcet=200_000, period=10 * MS)], devices=[back]),
           vm(3, "android", 900_000, 2 * MS, 0, [Task("apps", wcet=3 * MS, period=20 * MS, deadline=100 * MS)], devices=[front])]
    return Board(name="bench", clusters=[Cluster(name="c", core="Cortex-A53", isa="aarch64", cpus=[0], extension="el2")],
                 irqchip=InterruptController(name="gic", model="gic-v2", lines=64), scheduler=Scheduler(name="rtds"), vms=vms)
