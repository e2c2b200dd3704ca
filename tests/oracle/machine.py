"""A slow machine in plain Python, written from docs/popek-goldberg.md (sections 1 and 6), not from the engine."""

from __future__ import annotations

WORD = 2**32
PRIVILEGED = {"LPSW", "SRR", "GRR", "JRST", "SSR", "RSR", "STT", "RDT", "HLT", "IN", "OUT"}
NUMBERS = dict(enumerate(("NOP LDI LD ST MOV ADDI ADD SUB MUL AND XOR SHR LT JMP JZ JNZ JAL SVC "
                          "LPSW SRR GRR JRST SSR RSR STT RDT HLT IN OUT").split(), 1))
UNTRAPPED = {
    "clean": set(), "m68010": set(), "pdp10": {"JRST"}, "m68000": {"RSR"}, "x86": {"SSR", "RSR", "GRR"}, "arm": {"RSR", "SSR"}, "vax": {"RSR"},
    "s390x": {"RSR", "RDT"},
}
ADDED = {"x86": {30: "PUSHF"}, "arm": {30: "CPS"}, "vax": {30: "PROBE", 31: "REI"}}


class Trap(Exception):
    """Cause and information word."""


class Halt(Exception):
    """The machine halts."""


class Oracle:
    """Executes one instruction at a time; every rule where the page has it."""

    disk_words = 2**14

    def __init__(self, isa: str, words: list[int], size: int, p: int) -> None:
        self.isa, self.size = isa, size
        self.E = (words + [0] * size)[:size]
        self.user, self.p, self.R, self.enabled = False, p, (0, size), False
        self.left = None                      # of the timer: None off, 0 or less run down and pending
        self.r = [0] * 8
        self.console: list[int] = []
        self.disk, self.disk_at = {}, 0
        self.begun, self.traps = 0, {}
        self.names = {**NUMBERS, **ADDED.get(isa, {})}

    def place(self, a: int) -> int:
        """Absolute address, or a memory trap."""
        l, b = self.R  # noqa: E741
        if a >= b or a + l >= self.size:
            raise Trap(1, a)
        return a + l

    def run(self, fuel: int) -> str:
        """Until it halts, wedges, or has begun `fuel` instructions."""
        while self.begun < fuel:
            p = self.p
            try:
                if self.enabled and self.left is not None and self.left <= 0:
                    self.left = None
                    raise Trap(5, 0)
                self.begun += 1
                try:
                    self.instruction()
                finally:
                    self.tick()
            except Halt:
                return "halted"
            except Trap as trap:
                self.p = p
                if not self.trap(*trap.args):
                    return "wedged"
        return "out of fuel"

    def tick(self) -> None:
        """The timer counts instructions begun, but not the one that set it."""
        if self.just_set:
            return
        if self.left is not None:
            self.left -= 1

    def trap(self, cause: int, info: int) -> bool:
        """The hardware's trap sequence; False when the handler cannot be reached."""
        self.traps[cause] = self.traps.get(cause, 0) + 1
        self.E[0:6] = [self.user + 2 * self.enabled, self.p, *self.R, cause, info % WORD]
        status, self.p, *r = self.E[8:12]
        self.user, self.enabled, self.R = bool(status % 2), bool(status // 2 % 2), tuple(r)
        return self.p < self.R[1] and self.p + self.R[0] < self.size

    def instruction(self) -> None:
        """Fetch, decode, execute."""
        self.just_set = False
        word = self.E[self.place(self.p)]
        name = self.names.get(word % 256)
        a, b, imm = word // 256 % 8, word // 4096 % 8, word // 65536
        if imm >= 2**15:
            imm += WORD - 2**16
        if name is None:
            raise Trap(4, word)
        if self.user and name in PRIVILEGED - UNTRAPPED[self.isa]:
            raise Trap(2, word)
        self.p += 1
        try:
            getattr(self, name.lower())(a, b, imm)
        except Trap as trap:
            raise trap from None

    def set(self, a: int, value: int) -> None:
        """A register."""
        self.r[a] = value % WORD

    def at(self, b: int, imm: int) -> int:
        """Effective address; 0 is no base."""
        return (imm + (self.r[b] if b else 0)) % WORD

    def nop(self, a, b, imm): pass
    def ldi(self, a, b, imm): self.set(a, imm)
    def ld(self, a, b, imm): self.set(a, self.E[self.place(self.at(b, imm))])
    def st(self, a, b, imm): self.E[self.place(self.at(b, imm))] = self.r[a]
    def mov(self, a, b, imm): self.set(a, self.r[b])
    def addi(self, a, b, imm): self.set(a, self.r[b] + imm)
    def add(self, a, b, imm): self.set(a, self.r[a] + self.r[b])
    def sub(self, a, b, imm): self.set(a, self.r[a] - self.r[b])
    def mul(self, a, b, imm): self.set(a, self.r[a] * self.r[b])
    def and_(self, a, b, imm): self.set(a, self.r[a] & self.r[b])
    def xor(self, a, b, imm): self.set(a, self.r[a] ^ self.r[b])
    def shr(self, a, b, imm): self.set(a, self.r[a] // 2**self.r[b] if self.r[b] < 32 else 0)
    def lt(self, a, b, imm): self.set(a, self.r[a] < self.r[b])
    def jmp(self, a, b, imm): self.p = self.at(b, imm)
    def svc(self, a, b, imm): raise Trap(3, imm)
    def srr(self, a, b, imm): self.R = (self.r[a], self.r[b])
    def rsr(self, a, b, imm): self.set(a, self.user + 2 * self.enabled)
    def pushf(self, a, b, imm): self.set(a, 2 * self.enabled)
    def rdt(self, a, b, imm): self.set(a, self.left or 0)
    def hlt(self, a, b, imm): raise Halt

    def jz(self, a, b, imm):
        if self.r[a] == 0:
            self.p = self.at(b, imm)

    def jnz(self, a, b, imm):
        if self.r[a]:
            self.p = self.at(b, imm)

    def jal(self, a, b, imm):
        self.r[a], self.p = self.p, self.at(b, imm)

    def lpsw(self, a, b, imm):
        at = self.at(b, imm)
        status, p, l, bound = [self.E[x] for x in [self.place((at + k) % WORD) for k in range(4)]]  # noqa: E741
        self.user, self.enabled, self.p, self.R = bool(status % 2), bool(status // 2 % 2), p, (l, bound)

    def grr(self, a, b, imm):
        self.r[a] = self.R[0]
        self.r[b] = self.R[1]

    def jrst(self, a, b, imm):
        self.user, self.p = True, self.at(b, imm)

    def ssr(self, a, b, imm):
        if not self.user:
            self.enabled = bool(self.r[a] // 2 % 2)

    def stt(self, a, b, imm):
        self.left = self.r[a] or None
        self.just_set = True

    def in_(self, a, b, imm):
        value = 0
        if imm == 1:
            value = self.disk_at
        elif imm == 2:
            value = self.disk.get(self.disk_at, 0)
            self.disk_at = (self.disk_at + 1) % self.disk_words
        self.set(a, value)

    def out(self, a, b, imm):
        if imm == 0:
            self.console.append(self.r[a])
        elif imm == 1:
            self.disk_at = self.r[a] % self.disk_words
        elif imm == 2:
            self.disk[self.disk_at] = self.r[a]
            self.disk_at = (self.disk_at + 1) % self.disk_words

    def cps(self, a, b, imm):
        if not self.user:
            self.user, self.enabled = bool(imm % 2), bool(imm // 2 % 2)

    def probe(self, a, b, imm):
        try:
            self.place(self.at(b, imm))
            self.r[a] = 1
        except Trap:
            self.r[a] = 0

    def rei(self, a, b, imm):
        at = self.at(b, imm)
        status, p = [self.E[x] for x in [self.place((at + k) % WORD) for k in range(2)]]
        if self.user and status % 2 == 0:
            raise Trap(4, status)
        self.user, self.p = bool(status % 2), p


setattr(Oracle, "and", Oracle.and_)
setattr(Oracle, "in", Oracle.in_)
