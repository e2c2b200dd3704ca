// The interpreter of rtvirt/machine/, written by hand in C++: the same design (state in memory, relocation and bound on every reference,
// special instructions apart, a switch over opcodes), the same results. Not generated: read it beside loop.py and opcodes.py.
//
//     machine FUEL < words        (one word a line, loaded at address 0)

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

using i64 = std::int64_t;
constexpr i64 MASK = 0xFFFFFFFF, NEVER = i64(1) << 62;
enum Ended { OK, MEMORY, PRIVILEGED, SVC, ILLEGAL, TIMER, HALT, SPECIAL = 256, TRAPS_IN_USER = 512, UNDEFINED = 1024 };
enum Stop { HALTED = 1, OUT_OF_FUEL, TRAPPED, WEDGED };
enum Op { NONE, NOP, LDI, LD, ST, MOV, ADDI, ADD, SUB, MUL, AND, XOR, SHR, LT, JMP, JZ, JNZ, JAL, SVC_, LPSW, SRR, GRR, JRST, SSR, RSR, STT,
          RDT, HLT, IN, OUT };

struct Cpu {
    i64 user = 0, p = 0, l = 0, b = 0, enabled = 0, alarm = NEVER, clock = 0, size = 0, window = 0, reach = 0, at = 0, note = 0, cause = 0;
};

struct Machine {
    Cpu c;
    i64 r[8] = {};
    i64 traps[8] = {};
    i64 isa[256];                          // what each operation code means: number of its semantics, and flags, as in layout.py
    std::vector<i64> store;

    i64 address(i64 b, i64 imm) const { return (imm + (b ? r[b] : 0)) & MASK; }
    bool reachable(i64 at) const { return at < c.reach; }
    i64& word(i64 at) { return store[c.window + at]; }
    Ended memory_trap(i64 at) { c.note = at; return MEMORY; }

    void set_r(i64 l, i64 b) {
        c.l = l; c.b = b; c.window = l;
        i64 room = c.size - l, reach = b < room ? b : room;
        c.reach = reach < 0 ? 0 : reach;
    }

    Ended lpsw(i64 at) {
        for (i64 k = 0; k < 4; k++)
            if (!reachable((at + k) & MASK)) return memory_trap((at + k) & MASK);
        i64 status = word(at), p = word((at + 1) & MASK), l = word((at + 2) & MASK), b = word((at + 3) & MASK);
        c.user = status & 1; c.enabled = status >> 1 & 1; c.p = p;
        set_r(l, b);
        return OK;
    }

    Ended execute(i64 op, i64 a, i64 b, i64 imm) {
        i64 at;
        switch (op) {
        case NOP: return OK;
        case LDI: r[a] = imm; return OK;
        case LD: at = address(b, imm); if (!reachable(at)) return memory_trap(at); r[a] = word(at); return OK;
        case ST: at = address(b, imm); if (!reachable(at)) return memory_trap(at); word(at) = r[a]; return OK;
        case MOV: r[a] = r[b]; return OK;
        case ADDI: r[a] = (r[b] + imm) & MASK; return OK;
        case ADD: r[a] = (r[a] + r[b]) & MASK; return OK;
        case SUB: r[a] = (r[a] - r[b]) & MASK; return OK;
        case MUL: r[a] = i64(std::uint64_t(r[a]) * std::uint64_t(r[b])) & MASK; return OK;
        case AND: r[a] &= r[b]; return OK;
        case XOR: r[a] ^= r[b]; return OK;
        case SHR: r[a] = r[b] < 63 ? r[a] >> r[b] : 0; return OK;
        case LT: r[a] = r[a] < r[b]; return OK;
        case JMP: c.p = address(b, imm); return OK;
        case JZ: if (r[a] == 0) c.p = address(b, imm); return OK;
        case JNZ: if (r[a] != 0) c.p = address(b, imm); return OK;
        case JAL: at = address(b, imm); r[a] = c.p; c.p = at; return OK;
        case SVC_: c.note = imm; return SVC;
        case LPSW: return lpsw(address(b, imm));
        case SRR: set_r(r[a], r[b]); return OK;
        case GRR: r[a] = c.l; r[b] = c.b; return OK;
        case JRST: at = address(b, imm); c.user = 1; c.p = at; return OK;
        case SSR: c.enabled = r[a] >> 1 & 1; return OK;
        case RSR: r[a] = c.user | c.enabled << 1; return OK;
        case STT: c.alarm = r[a] ? c.clock + 1 + r[a] : NEVER; return OK;
        case RDT: r[a] = c.alarm == NEVER || c.alarm < c.clock ? 0 : c.alarm - c.clock; return OK;
        case HLT: return HALT;
        default: std::abort();             // devices: not benchmarked
        }
    }

    static i64 immediate(i64 w) { return ((w >> 16 ^ 0x8000) - 0x8000) & MASK; }

    Ended sprint(i64 share) {
        i64 done = 0;
        Ended ended = OK;
        while (done < share) {
            i64 p = c.p;
            if (p >= c.reach) { c.note = c.at = p; ended = MEMORY; done++; break; }
            i64 w = store[c.window + p], number = isa[w & 255];
            if (number >= SPECIAL) { ended = SPECIAL; break; }
            done++;
            c.p = p + 1;
            ended = execute(number, w >> 8 & 7, w >> 12 & 7, immediate(w));
            if (ended != OK) { c.at = p; break; }
        }
        c.clock += done;
        return ended;
    }

    Ended special() {
        i64 p = c.p;
        Ended ended;
        if (p >= c.reach) { c.clock++; c.note = c.at = p; return MEMORY; }
        i64 w = store[c.window + p], entry = isa[w & 255];
        c.note = w; c.at = p;
        if (entry & UNDEFINED) ended = ILLEGAL;
        else if (entry & TRAPS_IN_USER && c.user) ended = PRIVILEGED;
        else { c.p = p + 1; ended = execute(entry & 255, w >> 8 & 7, w >> 12 & 7, immediate(w)); }
        c.clock++;
        return ended;
    }

    bool take(Ended cause) {
        traps[cause]++;
        if (cause == TIMER) { c.alarm = NEVER; c.at = c.p; c.note = 0; }
        c.cause = cause; c.p = c.at;
        store[0] = c.user | c.enabled << 1; store[1] = c.p; store[2] = c.l; store[3] = c.b; store[4] = cause; store[5] = c.note & MASK;
        c.user = store[8] & 1; c.enabled = store[8] >> 1 & 1; c.p = store[9];
        set_r(store[10], store[11]);
        return c.p < c.reach;
    }

    Stop run(i64 fuel) {
        i64 end = c.clock + fuel;
        while (c.clock < end) {
            Ended ended = OK;
            i64 share = end - c.clock;
            if (c.enabled) {
                if (c.alarm <= c.clock) ended = TIMER;
                else if (c.alarm - c.clock < share) share = c.alarm - c.clock;
            }
            if (ended == OK) { ended = sprint(share); if (ended == SPECIAL) ended = special(); }
            if (ended == HALT) return HALTED;
            if (ended != OK && !take(ended)) return WEDGED;
        }
        return OUT_OF_FUEL;
    }
};

int main(int, char** argv) {
    Machine m;
    long long word;
    while (std::scanf("%lld", &word) == 1) m.store.push_back(word);
    for (i64 op = 0; op < 256; op++)
        m.isa[op] = op == NONE || op > OUT ? SPECIAL | UNDEFINED : op > SVC_ ? op | SPECIAL | TRAPS_IN_USER : op;
    m.c.size = i64(m.store.size());
    m.store.resize(1 << 18);
    m.c.p = 12;
    m.set_r(0, m.c.size);
    std::clock_t start = std::clock();
    Stop why = m.run(std::atoll(argv[1]));
    double seconds = double(std::clock() - start) / CLOCKS_PER_SEC;
    std::uint64_t sum = 0;
    for (i64 at = 0; at < m.c.size; at++) sum = sum * 1000003 + std::uint64_t(m.store[at]);
    std::printf("%.9f %d %lld %lld %lld %lld %lld", seconds, int(why), (long long)m.c.clock, (long long)m.c.p, (long long)m.c.user, (long long)m.c.l,
                (long long)m.c.b);
    for (i64 x : m.r) std::printf(" %lld", (long long)x);
    for (i64 x : m.traps) std::printf(" %lld", (long long)x);
    std::printf(" %llu\n", (unsigned long long)sum);
}
