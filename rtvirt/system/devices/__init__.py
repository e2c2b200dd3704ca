"""Devices: recipes for threads, lines, event channels and paths, one a file."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, InstanceOf, Tag
from pydantic.json_schema import SkipJsonSchema

from .base import CustomDevice, Device
from .emulated import EmulatedDevice
from .expand import expanded, is_kernel, plumbing_of, with_tasks
from .hosted import HostedDevice
from .passthrough import PassThrough
from .plumbing import CAUSES, Line, Path, Plumbing, Port, Stage, Thread
from .polled import PolledDevice
from .split import SplitDriver
from .virtio import VirtioDevice

KINDS = ("net", "block", "emulated", "hosted", "passthrough", "polled", "virtio", "custom")


def kind_of_device(value: Any) -> str | None:
    """Is this a device, or the fields of one of that kind?"""
    if isinstance(value, Device):
        return "made"
    kind = value.get("kind") if isinstance(value, dict) else None
    return {"net": "split", "block": "split"}.get(kind, kind) if kind in KINDS else None


NO_DEVICE = {"allowed": f"a device, or its fields with one of the kinds {', '.join(KINDS)}", "fix": "add for example kind: net"}
AnyDevice = Annotated[
    Annotated[SkipJsonSchema[InstanceOf[Device]], Tag("made")] | Annotated[SplitDriver, Tag("split")] | Annotated[EmulatedDevice, Tag("emulated")]
    | Annotated[HostedDevice, Tag("hosted")] | Annotated[PassThrough, Tag("passthrough")] | Annotated[PolledDevice, Tag("polled")]
    | Annotated[VirtioDevice, Tag("virtio")] | Annotated[CustomDevice, Tag("custom")],
    Discriminator(kind_of_device, custom_error_type="refused", custom_error_message="{allowed}", custom_error_context=NO_DEVICE)]

__all__ = ["CAUSES", "AnyDevice", "CustomDevice", "Device", "EmulatedDevice", "HostedDevice", "Line", "PassThrough", "Path", "Plumbing",
           "PolledDevice", "Port", "SplitDriver", "Stage", "Thread", "VirtioDevice", "expanded", "is_kernel", "plumbing_of", "with_tasks"]
