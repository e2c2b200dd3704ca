"""Packets under a hosted monitor (VMware Workstation 2.0 and after): the host owns the card, so sending one is a visit to the host's world.

After Sugerman, Venkitachalam and Lim (USENIX ATC 2001), figure 5 and table 1. One send is an OUT that the monitor takes, two world switches, and
the application's and the host driver's work. Around it are eleven more accesses of the virtual card, and interrupts. Three cures: the monitor
emulates the harmless accesses itself; sends wait for the next visit that some interrupt makes anyway; the host's driver leaves a note in
shared memory, so that the application need not be asked whether a packet has come.
"""

from __future__ import annotations

from fractions import Fraction

from ..errors import Problem, SpecError
from ..traps.checks import whole_number
from .paths import Path

ACCESSES = 11                         # further IN and OUT a packet (section 3.2)
INTERRUPTS = Fraction(3, 2)           # a packet: its own completion, and half an acknowledgement (RFC 1122 4.2.3.2: every second segment)
VISIT = {"world_switch": 2, "vmapp": 1, "vmapp_return": 1}             # what hosting adds, anywhere
SEND = {"out": 1, "world_switch": 2, "vmapp": 1, "host_send": 1, "vmapp_return": 1, "resume": 1}


def hosted(*, in_monitor: bool = False, combined: bool = False, noted: bool = False, accesses: int = ACCESSES) -> Path:
    """The path of a packet sent under a hosted monitor; by default that of version 2.0.

    Parameters
    ----------
    in_monitor : bool
        The monitor itself carries out accesses of the card's registers that have no effect outside.
    combined : bool
        A packet to be sent waits for the next visit to the host's world, which an interrupt makes: no visit of its own.
    noted : bool
        The host's driver notes an arrival in shared memory; the application is not asked for each interrupt.
    accesses : int
        Of the card's registers, a packet, beside the one that sends.

    Raises
    ------
    SpecError
        A cure that is neither there nor not, a number below 0.

    Notes
    -----
    An interrupt of the card brings the host's world (two switches) for its handler, then a visit of the application that learns of it, then
    an IRET of the guest. Left out: how long a combined packet waits, the monitor's other work, and copies of data.

    Examples
    --------
    >>> [sum(hosted(**options).counts().get(part, 0) for part in ("world_switch",)) for options in ({}, {"combined": True, "noted": True})]
    [Fraction(8, 1), Fraction(3, 1)]
    """
    accesses = whole_number("accesses", accesses, 0)
    flags = {"in_monitor": in_monitor, "combined": combined, "noted": noted}
    wrong = [Problem(name, flag, "True or False", "say whether there is this cure", "") for name, flag in flags.items() if not isinstance(flag, bool)]
    if wrong:
        raise SpecError(wrong)
    packet = {part: n for part, n in SEND.items() if not (combined and part in VISIT)}
    packet["io_monitor" if in_monitor else "io_application"] = accesses
    interrupt = {"world_switch": 2, "iret": 1}
    if not noted:
        interrupt = {**VISIT, "world_switch": 4, "iret": 1}
    return Path("hosted", "a packet sent under a hosted monitor, part by part", "VMware Workstation 2.0", packet=packet, interrupt=interrupt,
                interrupts=INTERRUPTS)
