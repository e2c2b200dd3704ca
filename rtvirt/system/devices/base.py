"""What all devices have in common, and one that is laid out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from ...errors import Problem, SpecError
from ..spec import List, Name, Spec, know_fields
from .causes import SWITCHES, switched_off
from .plumbing import CAUSES, Plumbing

if TYPE_CHECKING:
    from ..system import System

Cause = Literal["driver_wait", "frontend_wait", "batching", "suppression", "shared", "moderation", "ring"]


class Device(Spec):
    """Base of all devices: a name, and a recipe, `lay_out`, for what it is made of.

    Parameters
    ----------
    name : str
    off : list of str
        Causes of waiting that are switched off (`without`).
    """

    name: Name
    off: Annotated[tuple[Cause, ...], List] = ()

    def __init__(self, name: Any = None, /, **data: Any) -> None:
        if name is not None:
            data["name"] = name
        super().__init__(**data)

    def misfits(self, system: System) -> Iterator[Problem]:
        """What does not fit the system; a problem's field is one of the device's."""
        yield from ()

    def lay_out(self, system: System) -> Plumbing:
        """Threads, lines, ports and paths of this device in a system, all causes of waiting included."""
        raise NotImplementedError

    def plumb(self, system: System) -> Plumbing:
        """The same, without the causes that are switched off."""
        return switched_off(self.lay_out(system), self.off)

    def without(self, *causes: str) -> Any:
        """The same device with causes of waiting switched off (docs/io-model.md 8).

        Parameters
        ----------
        *causes : {"driver_wait", "frontend_wait", "batching", "suppression", "shared", "moderation", "ring"}
            driver_wait: what the driver VM does needs no vCPU; frontend_wait: nor what the front end's threads do (its tasks still do). Nobody is
            woken or interrupted for it: what that costs (`handler`, `entry`, `wake`, `rest`) is gone, too.
            batching: threads pass on each message when it is done; messages still queue behind one another.
            suppression: threads and tasks tell of every message; moderation: hardware does. A polled thread is woken instead.
            shared: threads, lines and pools for each front end; on the same vCPU. ring: it never fills up.

        Raises
        ------
        SpecError
            No such cause. ``cost``, a message's own work, cannot be switched off: set the costs to 0.

        Notes
        -----
        Devices that share threads must agree on them: switch batching off in all of them.

        Examples
        --------
        >>> import rtvirt as rv
        >>> rv.SplitDriver("net0", driver="dom0", frontend="modem").without("ring", "batching").off
        ('batching', 'ring')
        """
        unknown = [cause for cause in causes if not isinstance(cause, str) or cause not in SWITCHES]
        if unknown:
            raise SpecError([Problem("causes", cause, ", ".join(cause for cause in CAUSES if cause in SWITCHES),
                                     "set the costs to 0: they are the message's own" if cause == "cost" else "write some of these, with commas")
                             for cause in unknown])
        return self.replace(off=tuple(cause for cause in CAUSES if cause in {*self.off, *causes}))


class CustomDevice(Device):
    """A device laid out by hand, for drivers that no ready-made one describes.

    Parameters
    ----------
    name : str
    plumbing : Plumbing
        Threads, lines, paths, pools, upcalls (docs/io-model.md).
    off : list of str
        Causes of waiting that are switched off (`without`).

    Raises
    ------
    SpecError
        With every mistake found; `System` checks that the parts fit together, and fit it.

    Examples
    --------
    >>> from rtvirt.system.devices import CustomDevice, Path, Plumbing, Port, Stage, Thread
    >>> from rtvirt.system.arrivals import Arrivals
    >>> serve = Stage("serve", server="driver/worker", each=5_000, port=Port(handler=2_000))
    >>> path = Path("can0.rx", frontend="driver", stages=(serve,), arrivals=Arrivals(1_000_000))
    >>> CustomDevice("can0", plumbing=Plumbing(threads=(Thread("driver", "worker"),), paths=(path,))).name
    'can0'
    """

    kind: Literal["custom"] = "custom"
    plumbing: Plumbing

    def lay_out(self, system: System) -> Plumbing:
        """As given."""
        return self.plumbing


know_fields(Device, CustomDevice)
