// The yardstick of against_cpp.py: the event loop of rtvirt/engine, written by hand for what that benchmark simulates.
//
// Same algorithm, same events, same statistics: periodic tasks of constant demand, fixed-priority guests of one vCPU each, any number
// of pCPUs, path costs, a VM scheduler chosen at compile time (a template parameter; rtvirt compiles one loop a scheduler, too).
// Left out, and so cheaper than in rtvirt: scripts, channels, random demands, other guests, VMs of several vCPUs, affinities, pausing,
// caps, and tables of every job and slice. Numbers in brackets are rules of docs/xen-rules.md; the order of simultaneous events is
// that of docs/model.md 1.2.
//
//     two_level fixed_priority|credit DURATION PCPUS < tasks       (a line a task: vm wcet period deadline rank, times in ns)

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <string>
#include <vector>

using Time = std::int64_t;                                    // ns
constexpr Time NEVER = std::numeric_limits<Time>::max();
constexpr int NONE = -1;                                      // no vCPU, no task, the end of a list

// ------------------------------------------------------------------ timers

// A knock-out tournament of timers: the earliest wins, the left one wins a draw.
class Timers {
public:
    explicit Timers(int count) {
        while (slots < count) slots *= 2;
        at.assign(slots, NEVER);
        winner.assign(slots, 0);
        for (int match = slots - 1; match > 0; --match)
            winner[match] = 2 * match >= slots ? 2 * match - slots : winner[2 * match];
    }

    void set(int slot, Time when) {
        if (at[slot] == when) return;
        at[slot] = when;
        int best = slot, rival = slot ^ 1, match = slot + slots;
        Time earliest = when;
        for (;;) {
            const Time theirs = at[rival];
            const bool loses = theirs - (match & 1) < earliest;       // from the right (an odd match) a draw is lost
            best = loses ? rival : best;
            earliest = loses ? theirs : earliest;
            match >>= 1;
            winner[match] = best;
            if (match == 1) return;
            rival = winner[match ^ 1];
        }
    }

    int first() const { return winner[1]; }
    Time operator[](int slot) const { return at[slot]; }

private:
    int slots = 2;
    std::vector<Time> at;
    std::vector<int> winner;
};

// ------------------------------------------------------------------ statistics

constexpr int SUB_BITS = 6;
constexpr int BUCKETS = ((40 - SUB_BITS) << SUB_BITS) + 1;

struct TimeTotals {
    std::int64_t count = 0;
    Time least = 0, most = 0, total = 0;
    std::vector<std::int64_t> histogram = std::vector<std::int64_t>(BUCKETS);

    void add(Time x) {
        if (count == 0 || x < least) least = x;
        if (x > most) most = x;
        total += x;
        ++count;
        ++histogram[bucket(x)];
    }

    static int bucket(Time x) {                               // exact below 64, then 64 buckets for each power of two
        if (x < 0) return 0;
        const int length = 64 - __builtin_clzll(static_cast<std::uint64_t>(x) | 1);
        const int shift = std::max(0, length - SUB_BITS - 1);
        return static_cast<int>(std::min<Time>((Time{shift} << SUB_BITS) + (x >> shift), BUCKETS - 1));
    }
};

// ------------------------------------------------------------------ the system

enum class Run { running, runnable, blocked };

struct Task {
    int vm = 0, rank = 0;
    Time wcet = 0, period = 0, deadline = 0;
    bool ready = false;
    int next_ready = NONE;                                    // the next most urgent of its VM
    int pending = 0;                                          // jobs released and not finished
    Time next_release = 0;
    Time release = 0;                                         // of the job it works on
    Time started = -1;
    Time remaining = 0;
    std::int64_t misses = 0, unfinished = 0;
    TimeTotals response;
};

struct Vcpu {                                                 // of a VM, and the VM: one each
    int first_task = 0, tasks = 0, first_ready = NONE;
    Run state = Run::blocked;
    bool blocked = true;
    int pcpu = 0, task = NONE, last_task = NONE;
    Time woken = NEVER;
    Time runtime = 0;
    std::int64_t stints = 0, switches = 0;
    TimeTotals latency;
};

struct Pcpu {
    int current = NONE, last_ran = NONE;
    Time since = 0, work_from = 0, work_start = NEVER, decide_at = NEVER;    // work_start: NEVER if nobody computes
};

struct Costs {
    Time wake_path = 0, boost_path = 0, block_path = 0, switch_out = 0, switch_in = 0, block_switch_out = 0, block_switch_in = 0,
         timer_slop = 0, slice_late = 0, tick_late = 0, account_late = 0, decision = 0, context_switch = 0, guest_switch = 0, tick = 0,
         hypercall = 0, interrupt = 0, cache_reload = 0;
};

struct Choice {
    int vcpu;
    Time length;                                              // NEVER: until something happens
};

// Waiting vCPUs: a linked list a queue.
struct RunQueues {
    struct Line { int head = NONE, length = 0; };
    struct Link { int next = NONE, where = NONE; };
    std::vector<Line> line;
    std::vector<Link> link;

    RunQueues(int queues, int vcpus) : line(queues), link(vcpus) {}
    bool waits(int v) const { return link[v].where != NONE; }

    void insert_after(int q, int before, int v) {
        int& next = before == NONE ? line[q].head : link[before].next;
        link[v] = {next, q};
        next = v;
        ++line[q].length;
    }

    void remove(int v) {
        const int q = link[v].where;
        int* place = &line[q].head;
        while (*place != v) place = &link[*place].next;
        *place = link[v].next;
        link[v].where = NONE;
        --line[q].length;
    }
};

// ------------------------------------------------------------------ the event loop

template <class Policy>
class Machine {
public:
    std::vector<Task> tasks;
    std::vector<Vcpu> vcpus;
    std::vector<Pcpu> pcpus;
    Costs costs;
    Timers timers, alarms;                                    // of pCPUs; of tasks
    std::int64_t handled = 0;

    Machine(std::vector<Task> given, int vms, int cpus, Time end)
        : tasks(std::move(given)), vcpus(vms), pcpus(cpus), timers(3 * cpus + 1),
          alarms(static_cast<int>(tasks.size())), end(end), first_tick(cpus), account_slot(first_tick + cpus),
          first_slice(account_slot + 1), policy(*this) {
        for (int t = 0; t < static_cast<int>(tasks.size()); ++t) {
            Vcpu& vcpu = vcpus[tasks[t].vm];
            if (vcpu.tasks++ == 0) vcpu.first_task = t;
        }
        policy.start();
        for (int v = 0; v < vms; ++v) start_vm(v);
    }

    void run(Time horizon) {
        for (;;) {
            const int slot = timers.first(), task = alarms.first();
            Time now = timers[slot];
            const bool alarm_first = alarms[task] < now || (alarms[task] == now && slot >= first_tick);
            if (alarm_first) now = alarms[task];
            if (next_decision < now) {
                now = next_decision;
                if (now >= horizon) return;
                reschedule(now, next_to_decide());
                continue;
            }
            if (now >= horizon) return;
            ++handled;
            if (alarm_first) release(now, task);
            else if (slot < first_tick) work_ends(now, slot);
            else if (slot >= first_slice) {
                timers.set(slot, NEVER);
                ask_decision(slot - first_slice, now);
            } else if (slot < account_slot) tick(now, slot - first_tick);
            else policy.account(now);
        }
    }

    void close() {
        for (int p = 0; p < static_cast<int>(pcpus.size()); ++p) {
            const int v = pcpus[p].current;
            if (v == NONE) continue;
            const int t = vcpus[v].task;
            if (t != NONE) {
                stop_work(v, end);
                if (tasks[t].remaining == 0 && tasks[t].started >= 0) finish_job(t, end);
            }
            record_stint(v, pcpus[p].work_from, end);
        }
        for (Task& task : tasks)
            for (; task.pending > 0; --task.pending, task.release += task.period) {
                task.misses += task.release + task.deadline <= end;
                ++task.unfinished;
            }
    }

    // what schedulers may ask of the loop

    void ask_decision(int p, Time at) {                       // an earlier request stands; a switch under way is finished first
        at = std::max(at, pcpus[p].work_from);
        if (at < pcpus[p].decide_at) {
            pcpus[p].decide_at = at;
            next_decision = std::min(next_decision, at);
        }
    }

    bool runnable(int v) const { return v != NONE && !vcpus[v].blocked; }
    void arm_tick(int p, Time at) { timers.set(first_tick + p, at); }
    void arm_account(Time at) { timers.set(account_slot, at); }

private:
    Time end, next_decision = NEVER;
    int first_tick, account_slot, first_slice;    // timer slots; work slots come first
    Policy policy;

    // ---- jobs

    bool take_release(int t) {                                // true if the task became ready
        Task& task = tasks[t];
        const Time at = task.next_release;
        task.next_release += task.period;
        if (++task.pending > 1) return false;
        task.release = at;
        begin_job(t);
        return true;
    }

    void begin_job(int t) {
        Task& task = tasks[t];
        task.ready = true;
        task.started = -1;
        task.remaining = task.wcet;
        int* place = &vcpus[task.vm].first_ready;             // the most urgent first, ties in task order
        while (*place != NONE && (tasks[*place].rank < task.rank || (tasks[*place].rank == task.rank && *place < t)))
            place = &tasks[*place].next_ready;
        task.next_ready = *place;
        *place = t;
    }

    void finish_job(int t, Time now) {
        Task& task = tasks[t];
        task.misses += now > task.release + task.deadline;
        task.response.add(now - task.release);
        int* place = &vcpus[task.vm].first_ready;
        while (*place != t) place = &tasks[*place].next_ready;
        *place = task.next_ready;
        if (--task.pending == 0) {
            task.ready = false;
            return;
        }
        task.release += task.period;
        begin_job(t);
    }

    void release(Time now, int t) {
        const bool became_ready = take_release(t);
        const int v = tasks[t].vm;
        if (costs.interrupt > 0) {
            const int victim = pcpus[vcpus[v].pcpu].current;
            if (victim != NONE && vcpus[victim].state == Run::running) delay_work(victim, costs.interrupt);
        }
        if (became_ready) {
            if (vcpus[v].blocked) wake(now, v);
            assign(v, now);
        }
        alarms.set(t, tasks[t].next_release);
    }

    // ---- work inside a guest

    void begin_work(int v, Time now) {
        Vcpu& vcpu = vcpus[v];
        Pcpu& pcpu = pcpus[vcpu.pcpu];
        Task& task = tasks[vcpu.task];
        pcpu.work_start = std::max(pcpu.work_from, now);
        if (task.started < 0) task.started = pcpu.work_start;
        timers.set(vcpu.pcpu, pcpu.work_start + task.remaining);
    }

    void halt_work(int v, Time now) {                         // the timer is left to who goes on: begin_work, or else clear_work
        Pcpu& pcpu = pcpus[vcpus[v].pcpu];
        if (pcpu.work_start == NEVER) return;
        tasks[vcpus[v].task].remaining -= std::max<Time>(0, now - pcpu.work_start);
        pcpu.work_start = NEVER;
    }

    void clear_work(int p) {
        if (pcpus[p].work_start == NEVER) timers.set(p, NEVER);
    }

    void stop_work(int v, Time now) {
        halt_work(v, now);
        clear_work(vcpus[v].pcpu);
    }

    void delay_work(int v, Time extra) {
        const int t = vcpus[v].task, p = vcpus[v].pcpu;
        if (extra == 0 || t == NONE) return;
        tasks[t].remaining += extra;
        if (vcpus[v].state == Run::running && pcpus[p].work_start != NEVER) timers.set(p, timers[p] + extra);
    }

    void resume_work(int v, Time now) {
        const Vcpu& vcpu = vcpus[v];
        if (vcpu.state == Run::running && vcpu.task != NONE && pcpus[vcpu.pcpu].work_start == NEVER) begin_work(v, now);
    }

    void drop_task(int v, Time now) {
        stop_work(v, now);
        vcpus[v].task = NONE;
    }

    void put_task(int v, int t, Time now) {
        Vcpu& vcpu = vcpus[v];
        vcpu.task = t;
        if (vcpu.last_task != t) {
            if (vcpu.last_task != NONE) tasks[t].remaining += costs.guest_switch;
            vcpu.last_task = t;
        }
        begin_work(v, now);
    }

    void assign(int v, Time now) {                            // the guest's decision
        Vcpu& vcpu = vcpus[v];
        if (vcpu.state != Run::running) return;
        const int t = vcpu.first_ready;
        if (t != vcpu.task) {
            halt_work(v, now);
            vcpu.task = NONE;
            if (t != NONE) put_task(v, t, now);
        }
        if (t == NONE) {
            clear_work(vcpu.pcpu);
            vcpu.blocked = true;
            vcpu.state = Run::blocked;
            ask_decision(vcpu.pcpu, now + costs.block_path + costs.hypercall);
        }
    }

    void work_ends(Time now, int p) {
        const int v = pcpus[p].current, t = vcpus[v].task;
        halt_work(v, now);
        finish_job(t, now);
        if (!tasks[t].ready) vcpus[v].task = NONE;
        assign(v, now);
        resume_work(v, now);
        clear_work(p);
    }

    // ---- vCPUs on pCPUs

    void tick(Time now, int p) {
        policy.tick(now, p);
        if (pcpus[p].current != NONE) delay_work(pcpus[p].current, costs.tick);
    }

    void wake(Time now, int v) {
        Vcpu& vcpu = vcpus[v];
        vcpu.blocked = false;
        vcpu.state = pcpus[vcpu.pcpu].current == v ? Run::running : Run::runnable;
        if (vcpu.woken == NEVER) vcpu.woken = now;
        policy.wake(now, v);
    }

    int next_to_decide() {
        int chosen = NONE;
        Time soonest = NEVER;
        for (int p = 0; p < static_cast<int>(pcpus.size()); ++p) {
            const Time at = pcpus[p].decide_at;
            if (at == next_decision && chosen == NONE) {
                chosen = p;
                pcpus[p].decide_at = NEVER;
            } else soonest = std::min(soonest, at);
        }
        next_decision = soonest;
        return chosen;
    }

    void reschedule(Time now, int p) {
        Pcpu& pcpu = pcpus[p];
        const int old = pcpu.current;
        const Choice choice = policy.decide(now, p);
        set_slice(p, now, choice.length);
        if (choice.vcpu == old) {
            if (old != NONE) go_on(now, old);
            return;
        }
        ++handled;
        Time in = costs.switch_in;
        if (old != NONE) {
            if (vcpus[old].blocked) in = costs.block_switch_in;
            take_off(now, p, old, vcpus[old].blocked ? costs.block_switch_out : costs.switch_out);
        }
        pcpu.current = choice.vcpu;
        pcpu.since = now;
        pcpu.work_from = now + in + costs.context_switch + costs.decision;
        if (choice.vcpu != NONE) dispatch(now, p, choice.vcpu);
    }

    void set_slice(int p, Time now, Time length) {
        timers.set(first_slice + p, length == NEVER ? NEVER : now + std::max(length, costs.timer_slop) + costs.slice_late);
    }

    void go_on(Time now, int v) {
        if (vcpus[v].woken != NEVER) record_wakeup(v, now);
        delay_work(v, costs.decision);
        if (vcpus[v].task == NONE) assign(v, now);
        resume_work(v, now);
    }

    void take_off(Time now, int p, int v, Time switch_out) {
        drop_task(v, now);
        record_stint(v, pcpus[p].work_from, now + switch_out);
        vcpus[v].state = vcpus[v].blocked ? Run::blocked : Run::runnable;
    }

    void dispatch(Time now, int p, int v) {
        Vcpu& vcpu = vcpus[v];
        vcpu.state = Run::running;
        vcpu.pcpu = p;
        ++vcpu.stints;
        if (vcpu.woken != NEVER) record_wakeup(v, pcpus[p].work_from);
        assign(v, now);
        if (pcpus[p].last_ran != v) {
            ++vcpu.switches;
            delay_work(v, costs.cache_reload);
        }
        pcpus[p].last_ran = v;
    }

    void record_stint(int v, Time from, Time to) { vcpus[v].runtime += std::min(to, end) - std::min(from, end); }

    void record_wakeup(int v, Time dispatched) {
        vcpus[v].latency.add(dispatched - vcpus[v].woken);
        vcpus[v].woken = NEVER;
    }

    void start_vm(int v) {
        Vcpu& vcpu = vcpus[v];
        for (int t = vcpu.first_task; t < vcpu.first_task + vcpu.tasks; ++t) {
            take_release(t);
            alarms.set(t, tasks[t].next_release);
        }
        vcpu.blocked = vcpu.first_ready == NONE;
        vcpu.state = vcpu.blocked ? Run::blocked : Run::runnable;
        policy.place(0, v);
    }
};

// ------------------------------------------------------------------ fixed priorities

class FixedPriority {
public:
    explicit FixedPriority(Machine<FixedPriority>& machine) : m(machine), queues(1, static_cast<int>(m.vcpus.size())) {}

    void start() {}
    void tick(Time, int) {}
    void account(Time) {}
    void place(Time now, int v) { if (m.runnable(v)) wake(now, v); }

    void wake(Time now, int v) {
        if (m.pcpus[m.vcpus[v].pcpu].current == v || queues.waits(v)) return;
        insert(v);
        tickle(v, now + m.costs.wake_path);
    }

    Choice decide(Time now, int p) {
        const int current = m.pcpus[p].current, v = queues.line[0].head;
        const bool runnable = m.runnable(current);
        if (runnable && (v == NONE || current < v)) return {current, NEVER};
        if (v == NONE) return {NONE, NEVER};
        queues.remove(v);
        if (runnable) {
            insert(current);
            tickle(current, now + m.costs.wake_path);
        }
        return {v, NEVER};
    }

private:
    Machine<FixedPriority>& m;
    RunQueues queues;                                         // most important first: VMs come in order of importance

    void insert(int v) {
        int before = NONE;
        for (int after = queues.line[0].head; after != NONE && after < v; after = queues.link[after].next) before = after;
        queues.insert_after(0, before, v);
    }

    bool idle(int p) const { return m.pcpus[p].current == NONE && m.pcpus[p].decide_at == NEVER; }

    void tickle(int v, Time at) {                             // an idle pCPU, else the one that runs the least important vCPU
        const int home = m.vcpus[v].pcpu, cpus = static_cast<int>(m.pcpus.size());
        int chosen = idle(home) ? home : NONE;
        for (int p = 0; p < cpus && chosen == NONE; ++p)
            if (idle(p)) chosen = p;
        if (chosen == NONE)
            for (int p = 0, worst = v; p < cpus; ++p)
                if (m.pcpus[p].decide_at == NEVER && m.pcpus[p].current > worst) {
                    worst = m.pcpus[p].current;
                    chosen = p;
                }
        if (chosen != NONE) m.ask_decision(chosen, at);
    }
};

// ------------------------------------------------------------------ Xen's credit scheduler

class Credit {
public:
    explicit Credit(Machine<Credit>& machine)
        : m(machine), cpus(static_cast<int>(m.pcpus.size())), queues(cpus, static_cast<int>(m.vcpus.size())), vcpu(m.vcpus.size()),
          pcpu(cpus), last_tickled(cpus - 1), bias(cpus - 1) {}

    void start() { m.arm_account(TIMESLICE + m.costs.account_late); }

    void place(Time now, int v) {
        const int home = m.vcpus[v].pcpu;
        for (int k = 0; k < cpus; ++k) {
            const int p = (home + k) % cpus;
            if (m.pcpus[p].current == NONE && pcpu[p].idle && queues.line[p].head == NONE) {
                m.vcpus[v].pcpu = p;
                break;
            }
        }
        if (m.vcpus[v].state == Run::runnable) {
            insert(m.vcpus[v].pcpu, v);
            tickle(v, now + m.costs.wake_path);
        }
    }

    void tick(Time now, int p) {                              // (2.4)
        const int v = m.pcpus[p].current;
        if (v != NONE) {
            if (vcpu[v].priority == BOOST) vcpu[v].priority = UNDER;
            burn(now, v);
            if (!vcpu[v].active) activate(v);
        }
        sort_queue(p);
        m.arm_tick(p, now + TICK + m.costs.tick_late);
    }

    void account(Time now) {                                  // (2.5)
        const std::int64_t weights = weight_sum;                  // settle() may change the sum
        std::int64_t total = SLICE_CREDITS * cpus, left = weights, new_balance = 0;
        if (balance < 0) total -= balance;
        bool surplus = false;
        for (int v = first_active; v != NONE;) {              // a VM is a vCPU here: one list instead of two
            const int following = vcpu[v].next_active;
            left -= WEIGHT;
            std::int64_t peak = SLICE_CREDITS;
            if (balance < 0) peak += ceil_div(-balance * WEIGHT, weights);
            std::int64_t fair = ceil_div(total * WEIGHT, weights);
            if (fair < peak) surplus = true;
            else {
                if (left > 0) {
                    total += ceil_div((fair - peak) * weights, left);
                    if (surplus) {
                        unlink(v);
                        link(v);
                    }
                }
                fair = peak;
            }
            new_balance += settle(v, fair);
            v = following;
        }
        balance = new_balance;
        ++epoch;
        m.arm_account(now + TIMESLICE + m.costs.account_late);
    }

    void wake(Time now, int v) {                              // (2.6)
        if (m.pcpus[m.vcpus[v].pcpu].current == v || queues.waits(v)) return;
        Time at = now + m.costs.wake_path;
        if (vcpu[v].priority == UNDER) {
            vcpu[v].priority = BOOST;
            at += m.costs.boost_path;
        }
        insert(m.vcpus[v].pcpu, v);
        tickle(v, at);
    }

    Choice decide(Time now, int p) {                          // (2.7.3)
        const int current = m.pcpus[p].current;
        const bool runnable = m.runnable(current);
        if (current != NONE) burn(now, current);
        if (runnable) {
            const Time ran = now - m.pcpus[p].since;
            if (ran < RATELIMIT) return {current, RATELIMIT - ran};
            insert(p, current);
        }
        int chosen = queues.line[p].head;
        if (priority_of(chosen) <= OVER) {
            const int stolen = steal(p, priority_of(chosen));
            if (stolen != NONE) chosen = stolen;
        }
        if (chosen != NONE && queues.waits(chosen)) queues.remove(chosen);
        hand_over(now, p, current, chosen);
        return {chosen, chosen == NONE ? NEVER : TIMESLICE};
    }

private:
    static constexpr Time MS = 1'000'000, TIMESLICE = 30 * MS, TICK = 10 * MS, RATELIMIT = MS;
    static constexpr std::int64_t CREDITS_PER_MS = 10, NS_PER_CREDIT = 100'000, SLICE_CREDITS = 300, WEIGHT = 256;
    enum Priority { BOOST = 0, UNDER = -1, OVER = -2, IDLE = -64 };

    struct PerVcpu {
        std::int64_t credit = 0, residual = 0;
        Time charged_to = 0;
        int priority = UNDER;
        bool active = false;
        int next_active = NONE;
    };
    struct PerPcpu { bool idle = true; int sorted_epoch = 0; };

    Machine<Credit>& m;
    int cpus;
    RunQueues queues;
    std::vector<PerVcpu> vcpu;
    std::vector<PerPcpu> pcpu;
    int last_tickled, bias, epoch = 0, first_active = NONE;
    std::int64_t weight_sum = 0, balance = 0;

    static std::int64_t ceil_div(std::int64_t x, std::int64_t y) { return (x + y - 1) / y; }
    int priority_of(int v) const { return v == NONE ? IDLE : vcpu[v].priority; }

    void burn(Time now, int v) {                              // (2.3.1)
        PerVcpu& it = vcpu[v];
        const Time elapsed = now - it.charged_to;
        if (elapsed <= 0) return;
        const std::int64_t value = elapsed * CREDITS_PER_MS + it.residual;
        it.residual = value % MS;
        it.credit -= value / MS;
        it.charged_to += value / MS * NS_PER_CREDIT;
    }

    std::int64_t settle(int v, std::int64_t share) {
        PerVcpu& it = vcpu[v];
        it.credit += share;
        if (it.credit < 0) {
            it.priority = OVER;
            it.credit = std::max(it.credit, -SLICE_CREDITS);
        } else {
            it.priority = UNDER;
            if (it.credit > SLICE_CREDITS) {
                it.active = false;
                weight_sum -= WEIGHT;
                unlink(v);
                it.credit /= 2;
            }
        }
        return it.credit;
    }

    void activate(int v) {
        vcpu[v].active = true;
        weight_sum += WEIGHT;
        link(v);
    }

    void link(int v) {
        vcpu[v].next_active = first_active;
        first_active = v;
    }

    void unlink(int v) {
        int* place = &first_active;
        while (*place != v) place = &vcpu[*place].next_active;
        *place = vcpu[v].next_active;
    }

    void insert(int p, int v) {                               // (2.7.1)
        int before = NONE;
        for (int after = queues.line[p].head; after != NONE && vcpu[after].priority >= vcpu[v].priority; after = queues.link[after].next)
            before = after;
        queues.insert_after(p, before, v);
    }

    void sort_queue(int p) {                                  // (2.4 step 2)
        if (pcpu[p].sorted_epoch == epoch) return;
        pcpu[p].sorted_epoch = epoch;
        int last_high = NONE, previous = NONE;
        for (int v = queues.line[p].head; v != NONE;) {
            const int after = queues.link[v].next;
            if (vcpu[v].priority < UNDER) previous = v;
            else if (previous == last_high) last_high = previous = v;
            else {
                queues.link[previous].next = after;
                int& next = last_high == NONE ? queues.line[p].head : queues.link[last_high].next;
                queues.link[v].next = next;
                next = last_high = v;
            }
            v = after;
        }
    }

    void hand_over(Time now, int p, int old, int chosen) {
        if (old != NONE) vcpu[old].charged_to -= now;
        if (chosen != NONE) vcpu[chosen].charged_to += now;
        pcpu[p].idle = chosen == NONE;
        if (chosen == NONE) m.arm_tick(p, NEVER);
        else if (old == NONE) m.arm_tick(p, now - now % TICK + TICK + m.costs.tick_late);
    }

    void tickle(int v, Time at) {                             // (2.10)
        const int home = m.vcpus[v].pcpu, current = m.pcpus[home].current;
        int chosen = NONE;
        if (current == NONE) chosen = home;
        else {
            for (int k = 1; k <= cpus && chosen == NONE; ++k)
                if (pcpu[(last_tickled + k) % cpus].idle) chosen = (last_tickled + k) % cpus;
            if (chosen != NONE) last_tickled = chosen;
            else if (vcpu[v].priority > vcpu[current].priority) chosen = home;
        }
        if (chosen == NONE) return;
        pcpu[chosen].idle = false;
        m.ask_decision(chosen, at);
    }

    int steal(int p, int local_best) {                        // (2.11)
        for (int k = 1; k <= cpus; ++k) {
            const int peer = (bias + k) % cpus;
            if (peer == p || pcpu[peer].idle || queues.line[peer].length + m.runnable(m.pcpus[peer].current) <= 1) continue;
            const int v = queues.line[peer].head;
            if (v != NONE && vcpu[v].priority > local_best) {
                queues.remove(v);
                m.vcpus[v].pcpu = p;
                bias = peer;
                return v;
            }
        }
        return NONE;
    }
};

// ------------------------------------------------------------------ the program

std::vector<Task> read_tasks() {
    std::vector<Task> tasks;
    Task task;
    long long wcet, period, deadline;
    while (std::scanf("%d %lld %lld %lld %d", &task.vm, &wcet, &period, &deadline, &task.rank) == 5) {
        task.wcet = wcet, task.period = period, task.deadline = deadline;
        tasks.push_back(task);
    }
    return tasks;
}

void print(const TimeTotals& totals) {
    std::printf(" %lld %lld %lld %lld", static_cast<long long>(totals.count), static_cast<long long>(totals.least),
                static_cast<long long>(totals.most), static_cast<long long>(totals.total));
    for (int b = 0; b < BUCKETS; ++b)
        if (totals.histogram[b] > 0) std::printf(" %d:%lld", b, static_cast<long long>(totals.histogram[b]));
    std::printf("\n");
}

template <class Policy>
void measure(std::vector<Task> tasks, int cpus, Time duration) {
    const int vms = tasks.empty() ? 0 : tasks.back().vm + 1;
    Machine<Policy> machine(std::move(tasks), vms, cpus, duration);
    const std::clock_t start = std::clock();                  // processor time: what else the machine does disturbs less
    machine.run(duration);
    const double took = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    std::printf("%.9f %lld\n", took, static_cast<long long>(machine.handled));
    machine.close();
    for (const Vcpu& v : machine.vcpus) {
        std::printf("vm %lld %lld %lld", static_cast<long long>(v.runtime), static_cast<long long>(v.stints),
                    static_cast<long long>(v.switches));
        print(v.latency);
    }
    for (const Task& t : machine.tasks) {
        std::printf("task %lld %lld", static_cast<long long>(t.misses), static_cast<long long>(t.unfinished));
        print(t.response);
    }
}

int main(int count, char** words) {
    if (count != 4) {
        std::fprintf(stderr, "usage: two_level fixed_priority|credit DURATION PCPUS < tasks\n");
        return 2;
    }
    const Time duration = std::atoll(words[2]);
    const int cpus = std::atoi(words[3]);
    if (std::string(words[1]) == "credit") measure<Credit>(read_tasks(), cpus, duration);
    else measure<FixedPriority>(read_tasks(), cpus, duration);
}
