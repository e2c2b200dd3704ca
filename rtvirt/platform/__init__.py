"""Boards and the interfaces of VMs, with a scheduling contract (docs/vm-interface.md).

    board = rv.platform.load("phone")           a board of data/boards, or a file
    rv.platform.check(board)                    all that does not fit: place, reason, remedy
    rv.admit(board.system(), board.made_scheduler())
"""

from .board import Board, Scheduler
from .check import check
from .contract import NoContract, Rank, Reservation, Share, Slot, Slots
from .finding import RULES, Finding, Findings
from .hardware import Cache, Cluster, HostDevice, InterruptController, Iommu, Memory, Prices, Registers, Timer
from .interface import Channel, Chip, Clock, CpuShare, Health, Image, Irq, Operations, VmDevice, VmInterface, Window
from .shelf import boards, load, save

__all__ = ["RULES", "Board", "Cache", "Channel", "Chip", "Clock", "Cluster", "CpuShare", "Finding", "Findings", "Health", "HostDevice", "Image",
           "InterruptController", "Iommu", "Irq", "Memory", "NoContract", "Operations", "Prices", "Rank", "Registers", "Reservation", "Scheduler",
           "Share", "Slot", "Slots", "Timer", "VmDevice", "VmInterface", "Window", "boards", "check", "load", "save"]
