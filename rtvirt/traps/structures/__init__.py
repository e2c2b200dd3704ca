"""One structure a file: how a kind of hypervisor turns an operation into crossings."""

from .arm import ArmEl2, ArmSplit, ArmVhe
from .binary_translation import BinaryTranslation
from .hardware_assist import HardwareAssist, HardwareAssistToday
from .hosted import Hosted, UserMode
from .interpretation import Interpretation
from .micro_vmm import MicroVMM
from .microkernel import Microkernel
from .native import Native
from .nested import Nested
from .paravirtual import Paravirtual
from .previrtualized import Previrtualized
from .riscv import RiscvH
from .static_partitioning import StaticPartitioning
from .structure import Structure
from .trap_and_emulate import TrapAndEmulate

STRUCTURES: dict[str, type[Structure]] = {kind.name: kind for kind in (
    Native, Interpretation, TrapAndEmulate, Hosted, UserMode, BinaryTranslation, Paravirtual, Previrtualized, HardwareAssist,
    HardwareAssistToday, Nested, ArmEl2, ArmSplit, ArmVhe, RiscvH, StaticPartitioning, Microkernel, MicroVMM)}

__all__ = ["STRUCTURES", "ArmEl2", "ArmSplit", "ArmVhe", "BinaryTranslation", "HardwareAssist", "HardwareAssistToday", "Hosted",
           "Interpretation", "MicroVMM", "Microkernel", "Native", "Nested", "Paravirtual", "Previrtualized", "RiscvH",
           "StaticPartitioning", "Structure", "TrapAndEmulate", "UserMode"]
