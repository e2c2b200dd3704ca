"""What all devices have in common, and one that is laid out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..spec import Name, Spec, know_fields
from .plumbing import Plumbing

if TYPE_CHECKING:
    from ..system import System


class Device(Spec):
    """Base of all devices: a name, and a recipe for what it is made of."""

    name: Name

    def __init__(self, name: Any = None, /, **data: Any) -> None:
        if name is not None:
            data["name"] = name
        super().__init__(**data)

    def plumb(self, system: System) -> Plumbing:
        """Threads, lines, ports and paths of this device in a system."""
        raise NotImplementedError


class CustomDevice(Device):
    """A device laid out by hand, for drivers that no ready-made one describes.

    Parameters
    ----------
    name : str
    plumbing : Plumbing
        Threads, lines, paths, pools, upcalls (docs/io-model.md).

    Examples
    --------
    >>> from rtvirt.system.devices import CustomDevice, Path, Plumbing, Port, Stage, Thread
    >>> from rtvirt.system.arrivals import Arrivals
    >>> serve = Stage("serve", server="driver/worker", each=5_000, port=Port(handler=2_000))
    >>> path = Path("can0.rx", frontend="driver", stages=(serve,), arrivals=Arrivals(1_000_000))
    >>> CustomDevice("can0", plumbing=Plumbing(threads=(Thread("driver", "worker"),), paths=(path,))).name
    'can0'
    """

    plumbing: Plumbing

    def plumb(self, system: System) -> Plumbing:
        """As given."""
        return self.plumbing


know_fields(Device, CustomDevice)
