"""Boards and the interfaces of VMs, with a scheduling contract (docs/vm-interface.md).

    board = rv.platform.load("phone")           a board of data/boards, or a file
    rv.platform.check(board)                    all that does not fit: place, reason, remedy
    rv.platform.hand_over(board, "ufs", "drivers", "android")    a board with a device in another VM
    rv.platform.diff(board, other)              what a guest's abstraction layer must change to move
    rv.platform.fit(guest, board)               yes, or what is missing, and which technique closes it at what cost
    rv.platform.export(board, "xen", folder)    files for Xen, libvirt, Jailhouse, Bao, and what they cannot say (docs/formats.md)
    rv.platform.read(folder, hardware=board)    such files, as a board
    rv.platform.create(board, vm)               may this VM come while the others run? if not, what would have to give
    rv.platform.isolation(board, offender)      who still gets what was promised beside a VM that misbehaves: measured
    rv.admit(board.system(), board.made_scheduler())
"""

from .board import Board, Scheduler
from .check import check
from .check_contracts import wakeup
from .concepts import concepts
from .contract import NoContract, Rank, Reservation, Share, Slot, Slots
from .create import Decision, create, degrade, remove, restore
from .diff import Change, Diff, diff
from .finding import RULES, Finding, Findings
from .fit import Answer, Fit, Option, Price, fit
from .formats import FORMATS, Export, Import, Lost, differences, export, read
from .guest import Guest, Need, guests
from .handing import hand_over
from .hardware import Cache, Cluster, HostDevice, InterruptController, Iommu, Memory, Prices, Registers, Timer
from .holdings import Holder, Tile, holdings
from .interface import Channel, Chip, Clock, CpuShare, Health, Image, Irq, Operations, VmDevice, VmInterface, Window
from .isolation import Isolation, isolation
from .level import Level
from .misbehaviours import MISBEHAVIOURS
from .offers import Give, Offer
from .recontract import CONFIGURATIONS, bench, recontract
from .shelf import boards, load, load_vm, save
from .transition import Transition, transition

__all__ = ["CONFIGURATIONS", "FORMATS", "MISBEHAVIOURS", "RULES", "Answer", "Board", "Cache", "Change", "Channel", "Chip", "Clock", "Cluster",
           "CpuShare", "Decision", "Diff", "Export", "Finding", "Findings", "Fit", "Give", "Guest", "Health", "Holder", "HostDevice", "Image",
           "Import", "InterruptController", "Iommu", "Irq", "Isolation", "Level", "Lost", "Memory", "Need", "NoContract", "Offer", "Operations",
           "Option", "Price", "Prices", "Rank", "Registers", "Reservation", "Scheduler", "Share", "Slot", "Slots", "Tile", "Timer", "Transition",
           "VmDevice", "VmInterface", "Window", "bench", "boards", "check", "concepts", "create", "degrade", "diff", "differences", "export", "fit",
           "guests", "hand_over", "holdings", "isolation", "load", "load_vm", "read", "recontract", "remove", "restore", "save", "transition",
           "wakeup"]
