"""What a trap costs: operations become crossings, crossings have parts, parts have prices.

    rv.traps.crossings("paravirtual", "page_fault")                 integer parts, .transitions
    rv.traps.cost("hardware_assist", "core2", "page_fault")          cycles, ns, parts
    rv.traps.mix({"system_call": 1e5}, "arm_split", "x-gene")        cycles a second, also for arrays of rates
    rv.traps.crossover(a, b, "p4-672", x="system_call", y="pte_write")   who is cheaper where, and the line between
    rv.traps.predictions(), rv.traps.residuals()                     every published row beside the model
    rv.traps.Tlb(512, host_page=...), rv.traps.interference          what two-stage translation and shared caches cost
    rv.traps.guest_time(run, "rtos", policy="lost")                  what a guest sees of time
    rv.traps.operations(), .structures(), .platforms(), .constants("p4-672"), .priced("hypercall")   what there is

Constants are fitted on primary and author data only; docs/trap-costs.md has them, and what is not explained.
"""

from . import interference
from .catalogue import constants, exit_latencies, operations, platforms, priced, structures
from .clock import GuestTime, guest_time, own_period, timer_window
from .costs import Cost, cost, mix
from .crossings import Crossings, crossings
from .crossover import Crossover, crossover
from .parts import PARTS, Part
from .platforms import Platform, platform
from .predictions import predictions, residuals
from .structures import (
    STRUCTURES,
    ArmEl2,
    ArmSplit,
    ArmVhe,
    BinaryTranslation,
    HardwareAssist,
    HardwareAssistToday,
    Hosted,
    Interpretation,
    Microkernel,
    MicroVMM,
    Native,
    Nested,
    Paravirtual,
    Previrtualized,
    RiscvH,
    StaticPartitioning,
    Structure,
    TrapAndEmulate,
    UserMode,
)
from .tlb import Tlb, walk_accesses

__all__ = ["ArmEl2", "ArmSplit", "ArmVhe", "BinaryTranslation", "Cost", "Crossings", "Crossover", "GuestTime", "HardwareAssist",
           "HardwareAssistToday", "Hosted", "Interpretation", "MicroVMM", "Microkernel", "Native", "Nested", "PARTS", "Paravirtual", "Part",
           "Platform", "Previrtualized", "RiscvH", "STRUCTURES", "StaticPartitioning", "Structure", "Tlb", "TrapAndEmulate", "UserMode",
           "constants", "cost", "crossings", "crossover", "exit_latencies", "guest_time", "interference", "mix", "operations", "own_period",
           "platform", "platforms", "predictions", "priced", "residuals", "structures", "timer_window", "walk_accesses"]
