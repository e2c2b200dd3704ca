"""What a VM, or a device of its, can do to others: each as two systems, before and while it happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..system import VM, Arrivals, Change, Fault, PassThrough, System, Task, hog, run, trap

STORM = 6_000             # from interrupt to interrupt [ns]
BURST = 10_000            # what a vCPU does that wakes as often as it can [ns]
FLOOD = 4                 # hypercalls of a job
DOWN = 10_000_000         # of a driver VM [ns]
DEVICE = "noisy"


@dataclass(frozen=True)
class Scene:
    """The system as it should be, and prices [ns]."""

    system: System
    offender: str
    length: int
    interrupt: int
    section: int
    reload: int

    @property
    def driver(self) -> str:
        """The driver VM."""
        return next((vm.name for vm in self.system.vms if vm.control), self.offender)

    def guilty(self, misbehaviour: str) -> str:
        """Whose own deadlines do not count."""
        return self.driver if misbehaviour == "driver crash" else self.offender

    def worse(self, *more: Task, system: System | None = None) -> System:
        """The offender with further tasks, which it puts first if it can; their demand is its own affair."""
        system = system or self.system
        vm: VM = system[self.offender]
        known = {task.name for task in more}
        return system.with_vm(vm.replace(tasks=[*more, *(task for task in vm.tasks if task.name not in known)], guest="fifo"))


def overload(scene: Scene) -> tuple[System, System]:
    """It computes without end, and wakes all the time besides, as often as a tenth of a millisecond."""
    return scene.system, scene.worse(Task("wake", wcet=BURST, period=100_000, deadline=None), hog("more"))


def bursts(scene: Scene) -> tuple[System, System]:
    """It uses no more than about its share, in long pieces, each begun by a wake-up: Xen's BOOST lasts to the next tick."""
    return scene.system, scene.worse(Task("burst", wcet=8_500_000, period=20_000_000, deadline=None, offset=500_000))


def driver_crash(scene: Scene) -> tuple[System, System]:
    """The driver VM crashes, comes back 10 ms later, and crashes again."""
    times = range(scene.length // 10, scene.length - DOWN, max(3 * DOWN, scene.length // 5))
    changes = [change for at in times for change in (Change(at, scene.driver, state="crash"), Change(at + DOWN, scene.driver, state="restart"))]
    return scene.system, scene.system.replace(changes=changes)


def charged(scene: Scene) -> System:
    """With interrupts that whoever runs pays for."""
    return scene.system.replace(costs=scene.system.costs.replace(interrupt=scene.interrupt))


def storm(scene: Scene) -> tuple[System, System]:
    """A timer or device of its interrupts every 6 us, and the hypervisor takes each interrupt at once, in the time of whoever runs."""
    calm = charged(scene)
    return calm, scene.worse(Task("isr", wcet=1_000, period=STORM, deadline=None), system=calm)


def masked_storm(scene: Scene) -> tuple[System, System]:
    """The same device, passed through: its line is masked from an interrupt until the VM has handled it."""
    calm = charged(scene).with_device(PassThrough(DEVICE, frontend=scene.offender))
    return calm, calm.replace(faults=[Fault(1, f"{DEVICE}.tx/isr", "storm", every=STORM, duration=scene.length)])


def interposed_storm(scene: Scene) -> tuple[System, System]:
    """The same device; the hypervisor serves it in others' time, but no more often than every 2 ms (Beckert et al. 2014)."""
    calm = charged(scene)
    device = PassThrough(DEVICE, frontend=scene.offender, rx=Arrivals(STORM), work=1_000, distance=2_000_000, switch=1_000)
    return calm.with_device(device.replace(rx=Arrivals(100_000_000))), calm.with_device(device)


def flood(scene: Scene) -> tuple[System, System]:
    """It calls the hypervisor again and again, which cannot be preempted while it works for it."""
    calls = [run(1_000), trap(scene.section)] * FLOOD
    return scene.system, scene.worse(Task("calls", actions=calls, period=FLOOD * (scene.section + 1_000), deadline=None))


def thrash(scene: Scene) -> tuple[System, System]:
    """It wakes all the time, and whoever comes back to the pCPU after it finds the cache empty."""
    return scene.system, scene.worse(Task("wake", wcet=BURST, period=100_000, deadline=None),
                                     system=scene.system.replace(costs=scene.system.costs.replace(cache_reload=scene.reload)))


MISBEHAVIOURS: Mapping[str, Callable[[Scene], tuple[System, System]]] = MappingProxyType({
    "overload": overload, "bursts": bursts, "driver crash": driver_crash, "interrupt storm": storm, "storm, masked": masked_storm,
    "storm, interposed": interposed_storm, "hypercall flood": flood, "cache thrash": thrash})
"""{name: scene -> (system before, system while it happens)}."""
