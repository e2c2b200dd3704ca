"""`rtvirt simulate FILE`: run a system file and print what happened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import Problem, SpecError
from ..schedulers.catalogue import BY_NAME

PICTURES = (".png", ".pdf", ".svg", ".jpg")


@click.command(help="Simulate the system in FILE (YAML) and print tables of VMs, tasks and messages.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--scheduler", type=click.Choice(tuple(BY_NAME)), default="credit", show_default=True)
@click.option("--xen", default=None, help="Version whose scheduler to run; credit: 4.17 (the default), 4.22, 3.1, 3.0.3; credit2: 4.17, 4.22, 4.9; "
              "rtds: 4.17, 4.22, 4.5.")
@click.option("--timeslice", default=None, help="Of credit, for example 5ms.")
@click.option("--ratelimit", default=None, help="Of credit and credit2, for example 0ms.")
@click.option("--quantum", default=None, help="Of rr, for example 10ms.")
@click.option("--order", type=click.Choice(["fp", "edf"]), default=None, help="Of polling, periodic, deferrable, sporadic: who goes first.")
@click.option("--hard", is_flag=True, default=None, help="Of cbs: a used-up budget waits for the deadline.")
@click.option("--costs", default=None, help="Costs of the hypervisor in place of the file's: a preset, for example traced-xen.")
@click.option("--duration", default="10s", show_default=True, help="Virtual time, for example 500ms.")
@click.option("--seed", default=0, show_default=True)
@click.option("--record", type=click.Choice(["trace", "jobs", "summary"]), default=None, help="Default: summary, or trace for a picture.")
@click.option("--gantt", type=click.Path(path_type=Path), default=None, help="Write a picture of the first 120 ms (PNG).")
@click.option("--export", type=click.Path(path_type=Path), default=None, help="Write all tables as CSV into a folder.")
@click.option("--perfetto", type=click.Path(path_type=Path), default=None, help="Write a trace for ui.perfetto.dev.")
def simulate(file: Path, costs: str | None, duration: str, seed: int, record: str | None, gantt: Path | None, export: Path | None,
             perfetto: Path | None, **options: Any) -> None:
    """Load, simulate with a progress bar, print."""
    from ..files import atomically
    from ..schedulers import ARINC653
    from ..simulation import simulate as run_system
    from ..system import System
    from ..units import ms, parse_time

    system, scheduler, length = System.load(file), make_scheduler(**options), parse_time(duration)
    if scheduler == ARINC653():
        scheduler = ARINC653.build(system)           # a table from the budgets and periods of the file
    system = system if costs is None else system.replace(costs=costs)
    record = record or ("trace" if gantt or export or perfetto else "summary")
    check_outputs(record, gantt, perfetto)
    with click.progressbar(length=1000, label=f"{file.name}", show_eta=True, width=30) as bar:
        def progress(done: int, whole: int) -> None:
            bar.update(max(0, 1000 * done // whole - bar.pos))

        run = run_system(system, scheduler, length, seed, record=record, progress=progress)
    click.echo(run.summary())
    click.echo("\ntimes in microseconds\n\n" + table(run.vms))
    if len(run.tasks):
        click.echo("\n" + table(run.tasks.drop(columns=["miss_ratio", "response_p50"])))
    if len(run.paths):
        click.echo("\n" + messages(run.paths.summary))
    if gantt:
        from ..plots import gantt as draw

        figure = draw(run, until=min(length, ms(120))).figure
        click.echo(f"wrote {atomically(gantt, lambda path: figure.savefig(path))}")
    if export:
        click.echo(f"wrote {len(run.to_csv(export))} tables to {export}")
    if perfetto:
        click.echo(f"wrote {run.to_perfetto(perfetto)}")


def make_scheduler(scheduler: str, xen: str | None, timeslice: str | None, ratelimit: str | None, quantum: str | None, order: str | None = None,
                   hard: bool | None = None) -> Any:
    """The scheduler that the options describe."""
    from ..units import parse_time

    kind = BY_NAME[scheduler]
    times = {"timeslice": timeslice, "ratelimit": ratelimit, "quantum": quantum}
    given: dict[str, Any] = {"xen": xen, "order": order, "hard": hard}
    given |= {name: parse_time(value) for name, value in times.items() if value is not None}
    given = {name: value for name, value in given.items() if value is not None}
    for name in given:
        if name not in kind.__dataclass_fields__:
            raise SpecError([Problem(f"--{name}", given[name], f"nothing, with --scheduler {scheduler}", "leave it out, or choose a "
                                     f"scheduler that has it: {', '.join(k for k, other in BY_NAME.items() if name in other.__dataclass_fields__)}")])
    return kind(**given)


def check_outputs(record: str, gantt: Path | None, perfetto: Path | None) -> None:
    """Refuse now what could not be written after the run."""
    for option, path in (("--gantt", gantt), ("--perfetto", perfetto)):
        if path is not None and record != "trace":
            raise SpecError([Problem("--record", record, f"trace, with {option}", "leave it out, or write --record trace")])
        if path is not None and not path.parent.is_dir():
            raise SpecError([Problem(option, str(path), "a file in a folder that exists", f"make the folder {path.parent}")])
    if gantt is not None and gantt.suffix.lower() not in PICTURES:
        raise SpecError([Problem("--gantt", str(gantt), f"a name that ends in {', '.join(PICTURES)}", "write for example picture.png")])


def messages(frame: Any) -> str:
    """The messages of each path, and what they waited for on average, in microseconds; causes that never occurred are left out."""
    from ..system.devices import CAUSES

    shown = frame.drop(columns=[cause for cause in CAUSES if not frame[cause].any()])
    none = frame["delivered"] == 0
    for name in shown.columns.drop(["delivered", "dropped"]):
        shown[name] = (shown[name] / 1000).map("{:,.1f}".format).mask(none, "-")
    return str(shown.to_string())


def table(frame: Any) -> str:
    """A table for people: shares in percent, times in microseconds."""
    import pandas as pd

    shown = frame.copy()
    for name in shown.columns:
        if name == "share":
            shown[name] = (100 * shown[name]).map("{:.2f} %".format)
        elif name == "runtime" or name.startswith(("latency", "response")):
            shown[name] = [f"{value / 1000:,.1f}" if value >= 0 else "-" for value in shown[name]]
    shown.columns = pd.MultiIndex.from_tuples([tuple(name.split("_")) if "_" in name else ("", name) for name in shown.columns])
    return str(shown.to_string())
