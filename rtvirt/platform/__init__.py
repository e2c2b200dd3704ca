"""Boards and the interfaces of VMs, with a scheduling contract (docs/vm-interface.md).

    board = rv.platform.load("phone")           a board of data/boards, or a file
    rv.platform.check(board)                    all that does not fit: place, reason, remedy
    rv.platform.diff(board, other)              what a guest's abstraction layer must change to move
    rv.platform.fit(guest, board)               yes, or what is missing, and which technique closes it at what cost
    rv.platform.export(board, "xen", folder)    files for Xen, libvirt, Jailhouse, Bao, and what they cannot say (docs/formats.md)
    rv.platform.read(folder, hardware=board)    such files, as a board
    rv.admit(board.system(), board.made_scheduler())
"""

from .board import Board, Scheduler
from .check import check
from .concepts import concepts
from .contract import NoContract, Rank, Reservation, Share, Slot, Slots
from .diff import Change, Diff, diff
from .finding import RULES, Finding, Findings
from .fit import Answer, Fit, Option, Price, fit
from .formats import FORMATS, Export, Import, Lost, differences, export, read
from .guest import Guest, Need, guests
from .hardware import Cache, Cluster, HostDevice, InterruptController, Iommu, Memory, Prices, Registers, Timer
from .interface import Channel, Chip, Clock, CpuShare, Health, Image, Irq, Operations, VmDevice, VmInterface, Window
from .shelf import boards, load, save

__all__ = ["FORMATS", "RULES", "Answer", "Board", "Cache", "Change", "Channel", "Chip", "Clock", "Cluster", "CpuShare", "Diff", "Export", "Finding",
           "Findings", "Fit", "Guest", "Health", "HostDevice", "Image", "Import", "InterruptController", "Iommu", "Irq", "Lost", "Memory",
           "Need", "NoContract", "Operations", "Option", "Price", "Prices", "Rank", "Registers", "Reservation", "Scheduler", "Share",
           "Slot", "Slots", "Timer", "VmDevice", "VmInterface", "Window", "boards", "check", "concepts", "diff", "differences", "export",
           "fit", "guests", "load", "read", "save"]
