"""Boards as files of Xen and libvirt, and back: by hand, and with the formats' own tools."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from formats_tools import Xlutil, libvirt_schema, program

import rtvirt as rv
from rtvirt.__main__ import main
from rtvirt.errors import SpecError
from rtvirt.platform import Reservation, Share, differences, export, load, read
from rtvirt.platform.formats import xl_cfg
from rtvirt.platform.formats.common import Source, bare
from rtvirt.units import ms, us

MINE = ("xen", "dom0less", "libvirt")
PAIRS = [(name, format) for name in rv.platform.boards() for format in MINE if (name, format) != ("server", "dom0less")]


@pytest.fixture(scope="module")
def boards() -> dict[str, rv.platform.Board]:
    return {name: rv.platform.load(name) for name in rv.platform.boards()}


@pytest.mark.parametrize(("name", "format"), PAIRS)
def test_what_is_lost_is_what_differs_after_reading_a_folder(boards, name, format, tmp_path):
    board = boards[name]
    made = export(board, format, tmp_path)
    back = read(tmp_path, format, bare(board))
    assert differences(board, back.board) == [lost.place for lost in made.lost]
    assert read(tmp_path, hardware=bare(board)).board == back.board  # the format is told by the files
    assert export(board, format) == made  # the same, whenever
    again = export(back.board, format)
    assert {lost.place for lost in again.lost} <= {lost.place for lost in made.lost}  # what came back is said in full, where it can be
    assert len(made.table()) == len(made.lost) and made.checked


CARRIED = {
    ("phone", "xen"): (
        "scheduler",
        "vms[modem].cpus.affinity",
        "vms[modem].contract.budget",
        "vms[android].contract.period",
        "vms[modem].devices[line]",
        "vms[android].health.restart",
        "vms[android].image.cmdline",
        "vms[drivers].contract.budget",
        "vms[drivers].devices[disk0].mode",
        "vms[android].memory[ram].size",
        "vms[drivers].memory[ram].size",
    ),
    ("server", "xen"): (
        "scheduler",
        "vms[batch].contract",
        "vms[web].contract",
        "vms[web].devices[web-net].backend",
        "vms[dom0].contract",
        "vms[web].irqchip",
        "vms[web].timer",
        "vms[batch].id",
        "vms[dom0].cpus",
    ),
    ("automotive", "xen"): ("vms[gateway].memory[ram].colours", "vms[gateway].devices[can0].device", "vms[drivers].id"),
    ("drone", "xen"): ("scheduler", "vms[vision].devices[card]", "vms[vision].devices[net]", "vms[autopilot].devices[imu]", "vms[vision].cpus"),
    ("phone", "dom0less"): (
        "scheduler",
        "vms[modem].memory",
        "vms[android].memory",
        "vms[modem].channels[mail].peers",
        "vms[modem].devices",
        "vms[drivers].devices[console]",
        "vms[android].cpus",
    ),
    ("drone", "dom0less"): ("scheduler", "vms[vision].memory[ram].colours", "vms[vision].memory[pose]", "vms[vision].devices[net]"),
    ("server", "libvirt"): ("scheduler", "vms[batch].contract", "vms[web].contract", "vms[web].image.cmdline", "vms[batch].id", "vms[web].irqchip"),
    ("automotive", "libvirt"): ("scheduler", "vms[gateway].contract.priority", "vms[infotainment].contract", "vms[infotainment].cpus"),
    ("phone", "libvirt"): (
        "vms[modem].contract.budget",
        "vms[modem].contract.period",
        "vms[modem].memory[mail].size",
        "vms[modem].channels[mail].peers",
    ),
}


@pytest.mark.parametrize(("name", "format"), CARRIED)
def test_what_a_format_has_words_for_is_carried(boards, name, format):
    lost = [one.place for one in export(boards[name], format).lost]
    for place in CARRIED[name, format]:
        assert not [one for one in lost if one == place or one.startswith((place + ".", place + "["))], place


def test_contracts_are_in_units_of_xen(boards):
    phone = export(boards["phone"], "xen").files["start.sh"].splitlines()
    assert "xl sched-rtds -d modem -v all -p 2000 -b 1000 -e 0" in phone
    assert phone.index("xl rename 0 drivers") < phone.index("xl create domains/android.cfg")  # its disk needs the back end
    assert "xl cpupool-create pools/little.cfg" in phone
    assert "xl sched-credit2 -d batch -w 256 -c 400" in export(boards["server"], "xen").files["start.sh"].splitlines()
    assert export(boards["phone"], "xen").files["xen-command-line.txt"] == "sched=rtds dom0_mem=256M dom0_max_vcpus=1 hmp-unsafe=true\n"
    assert not any(name.startswith("pools/") for name in export(boards["drone"], "xen").files)  # one kind of core


def test_budgets_are_rounded_in_favour_of_the_vm(boards):
    modem = boards["phone"]["modem"]
    odd = boards["phone"].with_vm(modem.replace(contract=Reservation(budget=us(100) + 1, period=ms(1) + 999, extratime=True)))
    back = read(export(odd, "xen").files, hardware=bare(odd)).board["modem"].contract
    assert back == Reservation(budget=us(101), period=ms(1), extratime=True)
    assert {"vms[modem].contract.budget", "vms[modem].contract.period"} <= {lost.place for lost in export(odd, "xen").lost}


def test_scheduler_parameters_are_set_by_xl(boards):
    board = boards["server"].replace(scheduler={"name": "credit", "options": {"timeslice": "5000 us", "ratelimit": "200 us"}})
    made = export(board, "xen")
    assert "xl sched-credit -s -t 5 -r 200" in made.files["start.sh"].splitlines()
    assert not [lost for lost in made.lost if lost.place.startswith("scheduler")]
    arinc = export(boards["server"].replace(scheduler={"name": "arinc653"}), "xen")
    assert "sched=arinc653" in arinc.files["xen-command-line.txt"] and "sched-arinc653" not in arinc.files["start.sh"]


def test_a_domain_written_by_hand_is_read():
    text = """
# a guest with a driver domain
name = 'web server'
builder = "hvm"; vcpus = 2
cpus = ["4", "5"]
memory = 1024
maxmem = 2048
vif = [ 'mac=00:16:3e:00:00:01,bridge=xenbr0,backend=net',
        'bridge=xenbr1', ]
disk = ['phy:/dev/vg/root,xvda,w']
on_crash = "coredump-restart"
cpu_weight = 512
cap = 50
"""
    got = read({"web.cfg": text, "xen.txt": "sched=credit loglvl=all"}, "xen")
    vm = got.board["web_server"]
    assert (vm.cpus.count, vm.cpus.affinity, vm.memory[0].size) == (2, (4, 5), 1 << 30)
    assert [(one.function, one.backend) for one in vm.devices] == [("net", "net"), ("net", None), ("block", None)]
    assert vm.contract == Share(weight=512, cap=50) and got.board.scheduler.name == "credit" and vm.health.restart == "on-failure"
    for word in ("web_server", "own pCPUs", "maxmem", "loglvl", "hardware is assumed"):
        assert any(word in note for note in got.notes), (word, got.notes)


def test_vcpus_with_different_budgets_are_noted():
    script = "xl sched-rtds -d a -v 0 -p 10000 -b 5000 -e 0\nxl sched-rtds -d a -v 1 -p 20000 -b 5000\nmake coffee\n"
    got = read({"a.cfg": 'name = "a"\nvcpus = 2\n', "start.sh": script}, "xen")
    assert got.board["a"].contract == Reservation(budget=ms(5), period=ms(10)) and got.board.scheduler.name == "rtds"
    assert any("different budgets" in note for note in got.notes) and any("make coffee" in note for note in got.notes)


def test_a_device_tree_written_by_hand_is_read():
    text = """/dts-v1/;
/ {
    chosen {
        domU1 { compatible = "xen,domain"; #address-cells = <1>; #size-cells = <1>; memory = <0 131072>; cpus = <2>; vpl011; nr_spis = <1>;
            module@4a000000 { compatible = "multiboot,kernel", "multiboot,module"; reg = <0x4a000000 0xffffff>; bootargs = "console=ttyAMA0"; };
        };
    };
};"""
    got = read({"host.dts": text})
    vm = got.board["domU1"]
    assert (vm.cpus.count, vm.memory[0].size, vm.image.cmdline, vm.devices[0].driver) == (2, 128 << 20, "console=ttyAMA0", "pl011")
    assert got.board.scheduler.name == "credit2" and any("nr_spis" in note for note in got.notes)


def test_cells_are_as_wide_as_the_node_says():
    text = """/dts-v1/;
/ { chosen {
    a: domU1 { compatible = "xen,domain"; #address-cells = <0x2>; #size-cells = <0x2>; cpus = <2>; memory = <0x0 0x80000>; direct-map;
        #xen,static-mem-address-cells = <0x1>; #xen,static-mem-size-cells = <0x1>; xen,static-mem = <0x30000000 0x20000000>; };
    domU2 { compatible = "xen,domain"; #address-cells = <1>; #size-cells = <1>; memory = <0 1024>;
        shm1 { compatible = "xen,domain-shared-memory-v1"; xen,shm-id = "m"; xen,shared-mem = <0x50000000 0x60000000 0x10000000>; };
        shm2 { compatible = "xen,domain-shared-memory-v1"; xen,shm-id = "n"; xen,shared-mem = <0x80000000 0x10000000>; }; };
}; };"""
    board = read({"host.dts": text}).board
    assert [(one.guest, one.phys, one.size) for one in board["domU1"].memory] == [(0x30000000, 0x30000000, 0x20000000)]
    assert [(one.guest, one.phys, one.size) for one in board["domU2"].memory[1:]] == [(0x60000000, 0x50000000, 1 << 28), (0x80000000, None, 1 << 28)]


def test_a_domain_of_virsh_dumpxml_is_read():
    text = """<domain type='xen' id='7'><name>db</name><uuid>8f07fe28-753f-2729-d76d-bdbd892f949a</uuid><memory unit='MiB'>512</memory>
<vcpu placement='static' cpuset='0-3,^2'>2</vcpu><cputune><shares>2048</shares><global_period>100000</global_period><global_quota>50000</global_quota>
</cputune><os><type arch='x86_64' machine='xenpv'>linux</type><kernel>/boot/vmlinuz</kernel></os><title>x</title>
<devices><interface type='bridge'><source bridge='br0'/><backenddomain name='net'/></interface>
<disk type='file'><target dev='sda' bus='scsi'/></disk></devices></domain>"""
    got = read({"db.xml": text})
    vm = got.board["db"]
    assert (vm.id, vm.cpus.affinity, vm.memory[0].size, vm.operations.by) == (7, (0, 1, 3), 512 << 20, "hypercall")
    assert vm.contract == Share(weight=2048, cap=50) and [one.mode for one in vm.devices] == ["split-frontend", "virtual"]
    assert any("<title>" in note for note in got.notes)


def test_boards_that_a_format_is_not_for_are_refused(boards):
    with pytest.raises(SpecError, match="choose another format"):
        export(boards["server"], "dom0less")
    with pytest.raises(SpecError, match="jailhouse"):
        export(boards["server"], "vmware")


@pytest.mark.parametrize("name", ["../escape.cfg", "/tmp/escape.cfg", "a/../../b.cfg"])
def test_no_file_leaves_the_folder(tmp_path, name):
    made = rv.platform.Export("xen", {name: "x"}, (), "")
    with pytest.raises(SpecError, match="within the folder"):
        made.save(tmp_path / "out")


def test_what_cannot_be_read_is_said(tmp_path):
    (tmp_path / "a.cfg").write_bytes(b"\xff\xfe")
    with pytest.raises(SpecError, match=r"a\.cfg:1: .*UTF-8"):
        read(tmp_path)
    with pytest.raises(SpecError, match="readable"):
        read(tmp_path / "nothing.cfg")
    with pytest.raises(SpecError, match="at least one text"):
        read({})
    with pytest.raises(SpecError, match="can be told"):
        read({"a.dts": ""})


def test_on_the_command_line(tmp_path):
    got = CliRunner().invoke(main, ["export", "drone", "--to", "xen", "--folder", str(tmp_path / "out")])
    assert got.exit_code == 0 and "not said:" in got.output and (tmp_path / "out" / "domains" / "vision.cfg").exists()
    bad = CliRunner().invoke(main, ["export", "server", "--to", "dom0less", "--folder", str(tmp_path / "out")])
    assert bad.exit_code == 1 and "aarch64" in bad.output


def written_files(boards, suffix: str, folder: Path) -> list[Path]:
    """Files of a kind of all boards, on disk."""
    return [
        path
        for name, format in PAIRS
        for path in export(boards[name], format, folder / f"{name}-{format}").save(folder / f"{name}-{format}")
        if path.suffix == suffix
    ]


def test_the_device_tree_compiler_accepts_every_tree(boards, tmp_path):
    dtc = program("dtc", "device-tree-compiler")
    paths = written_files(boards, ".dts", tmp_path)
    assert len(paths) > 10
    for path in paths:  # Xen wants cells where dtc sees no need for them
        done = subprocess.run(
            [dtc, "-Wno-avoid_unnecessary_addr_size", "-I", "dts", "-O", "dtb", "-o", "/dev/null", path], capture_output=True, text=True
        )
        assert done.returncode == 0 and done.stderr == "", done.stderr
    broken = tmp_path / "broken.dts"
    broken.write_text(paths[0].read_text().replace("};", "}", 1))
    assert subprocess.run([dtc, "-I", "dts", "-O", "dtb", "-o", "/dev/null", broken], capture_output=True).returncode != 0


def test_libvirts_schema_accepts_every_domain(boards, tmp_path):
    xmllint, schema = program("xmllint", "libxml2-utils"), libvirt_schema()
    paths = written_files(boards, ".xml", tmp_path)
    done = subprocess.run([xmllint, "--noout", "--nonet", "--relaxng", schema, *paths], capture_output=True, text=True)
    assert done.returncode == 0 and len(paths) == 9, done.stderr
    broken = tmp_path / "broken.xml"
    broken.write_text(paths[0].read_text().replace("<vcpu ", "<vcpus ").replace("</vcpu>", "</vcpus>"))
    assert subprocess.run([xmllint, "--noout", "--nonet", "--relaxng", schema, broken], capture_output=True).returncode != 0


def test_xens_own_parser_reads_the_same_values(boards):
    xen = Xlutil()
    texts = {f"{name}/{file}": text for name in boards for file, text in export(boards[name], "xen").files.items() if file.endswith(".cfg")}
    texts["escapes"] = "".join(
        f"a{k} = {xl_cfg.written(value)}\n" for k, value in enumerate(['a "b" \\c', "x'y", "#;=[]", "é", ["1", 'q"'], 7, [3, 4], ""])
    )
    assert len(texts) > 8
    for name, text in texts.items():
        mine = {key: one.value for key, one in xl_cfg.parse(Source(name, text)).items()}
        theirs = xen.read(text, list(mine))
        assert theirs == {key: [str(item) for item in value] if isinstance(value, list) else str(value) for key, value in mine.items()}, name
    with pytest.raises(AssertionError, match="refuses"):
        xen.read('a = os.system("x")\n', ["a"])


def test_command_lines_and_options_as_people_write_them():
    line = "placeholder dom0_mem=1G,max:2G dom0_max_vcpus=1-4 sched=rtds loglvl=all"
    script = "xl create ./a.cfg   # go\nxl sched-rtds --domain=a -v 0 --period=10000 --budget 4000 -e 0 -v 1 -p 10000 -b 4000 -e 0\n"
    got = read({"a.cfg": 'name = "a"\nvcpus = 2\ncpus = "all,^0"\n', "xen.txt": line, "start.sh": script}, "xen", load("server"))
    dom0, a = got.board.vms
    assert (dom0.memory[0].size, dom0.cpus.count) == (1 << 30, 4) and a.cpus.affinity == (1, 2, 3, 4, 5, 6, 7)
    assert a.contract == Reservation(budget=ms(4), period=ms(10)) and not any("among the files" in note for note in got.notes)
    for text, size in (("512M", 512), ("524288", 512), ("524288K", 512), ("2G", 2048), ("min:256M,max:512M", 512), ("max:512M", 512)):
        board = read({"a.cfg": 'name = "a"', "xen.txt": f"dom0_mem={text}"}, "xen").board        # without a unit: KiB
        assert sum(window.size for window in board["dom0"].memory) == size << 20
    for text in ("lots", "1X", "64M,most:2G", "", "-1M"):
        with pytest.raises(SpecError, match="dom0_mem"):
            read({"a.cfg": 'name = "a"', "xen.txt": f"dom0_mem={text}"}, "xen")


def test_what_libvirt_says_in_vain_is_noted_and_nothing_else():
    def domain(tune):
        return f"""<domain type="kvm"><name>a</name><memory unit="MiB">64</memory><vcpu>1</vcpu>{tune}
            <os><type arch="x86_64">hvm</type></os></domain>"""

    plain = read({"a.xml": domain("")}, hardware=load("server"))
    assert plain.notes == ()
    mixed = read({"a.xml": domain("""<cputune><vcpusched vcpus="0" scheduler="fifo" priority="9"/><shares>512</shares>
        <period>10000</period><quota>5000</quota></cputune>""")}, hardware=load("server"))
    assert mixed.board["a"].contract.kind == "priority" and any("a priority, a quota, shares" in note for note in mixed.notes)
    capped = read({"a.xml": domain("<cputune><global_period>100000</global_period><global_quota>50000</global_quota></cputune>")})
    assert capped.board["a"].contract == Share(weight=1024, cap=50)


def test_quotas_are_rounded_in_favour_of_the_vm(boards):
    modem = boards["phone"]["modem"]
    odd = boards["phone"].with_vm(modem.replace(contract=Reservation(budget=ms(1) + 1, period=ms(10) + 999)))
    made = export(odd, "libvirt")
    assert read(made.files, hardware=bare(odd)).board["modem"].contract == Reservation(budget=us(1001), period=ms(10))
    assert {"vms[modem].contract.budget", "vms[modem].contract.period"} <= {lost.place for lost in made.lost}
