// The analyses in C++, same algorithms as rtvirt/analysis/kernels_*.py: whole numbers with rounded-down reciprocals, floats to come near.
// Reads: rounds, tests, sets, n, server period, then cost, period, deadline of every task. Prints for fp, edf and budget: seconds, checksum.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <vector>
using i64 = int64_t;
constexpr double DOWN = 1 - 0x1p-50, UP = 1 + 0x1p-50, EXACT = 0x1p52;
constexpr int FEW = 12, MOST = 256;
constexpr i64 MISSED = -1, FINE = -2, TOO_CLOSE = -5;

struct Rows { i64 cost[MOST], period[MOST], due[MOST]; double fcost[MOST], fdue[MOST], low[MOST], high[MOST]; } r;
struct Supply { bool dedicated; i64 blackout, budget, period; } s;

static void put(int j, i64 c, i64 t, i64 d) {
    r.cost[j] = c; r.period[j] = t; r.due[j] = d; r.fcost[j] = double(c); r.fdue[j] = double(d);
    double inverse = 1.0 / double(t); r.low[j] = inverse * DOWN; r.high[j] = inverse * UP;
}
static i64 supplied(i64 t) {
    i64 y = t - s.blackout;
    if (y <= 0) return 0;
    i64 k = y / s.period, rest = y - k * s.period;
    return k * s.budget + (rest < s.budget ? rest : s.budget);
}
static inline i64 needed(i64 w) {
    if (s.dedicated || w <= 0) return w > 0 ? w : 0;
    i64 k = (w - 1) / s.budget;
    return s.blackout + k * s.period + (w - k * s.budget);
}
static inline i64 requests(int n, i64 w) {
    i64 total = 0;
    for (int j = 0; j < n; j++) {
        i64 jobs = i64(std::ceil(double(w) * r.low[j]));
        while (jobs * r.period[j] < w) jobs++;
        total += jobs * r.cost[j];
    }
    return total;
}
#pragma GCC push_options
#pragma GCC optimize("associative-math", "no-signed-zeros", "no-trapping-math")
__attribute__((noinline)) static double at_most_requests(int n, double w) {
    double total = 0;
    for (int j = 0; j < n; j++) total += std::ceil(w * r.low[j]) * r.fcost[j];
    return total < EXACT ? total : 0;
}
__attribute__((noinline)) static double at_least_demand(int n, double t) {
    double total = 0;
    for (int j = 0; j < n; j++) { double jobs = std::floor((t - r.fdue[j]) * r.high[j]) + 1; total += (jobs > 0 ? jobs : 0) * r.fcost[j]; }
    return total;
}
#pragma GCC pop_options
static inline i64 demand(int n, i64 t) {
    i64 total = 0;
    for (int j = 0; j < n; j++) {
        i64 x = t - r.due[j];
        if (x >= 0) { i64 jobs = i64(double(x) * r.low[j]); while ((jobs + 1) * r.period[j] <= x) jobs++; total += (jobs + 1) * r.cost[j]; }
    }
    return total;
}
static i64 settle(int n, i64 own, i64 w, i64 horizon) {
    if (n > FEW) for (;;) { i64 v = own + i64(at_most_requests(n, double(w))); if (v <= w || w > horizon) break; w = v; }
    for (;;) { if (w > horizon) return w; i64 v = own + requests(n, w); if (v <= w) return w; w = v; }
}
static void fp(int n, const i64* c, const i64* t, const i64* d, i64* out) {
    i64 carried = 0; double load = 0;
    for (int i = 0; i < n; i++) {
        put(i, c[i], t[i], 0);
        i64 start = carried + c[i];
        if (load < 0.999) { i64 b = i64(double(c[i]) / (1 - load) * (1 - 0x1p-40)); if (b > start) start = b; }
        i64 worst = 0, came = 0, x = start, first = 0;
        for (i64 job = 0;; job++) {
            x = settle(i, (job + 1) * c[i], x, came + d[i]);
            if (job == 0) first = x;
            if (x > came + d[i]) { worst = -1; break; }
            if (x - came > worst) worst = x - came;
            came += t[i];
            if (x <= came) break;
        }
        out[i] = worst; carried = first; load += r.fcost[i] * r.low[i];
    }
}
static i64 search(int n, i64 t, i64 bottom) {
    for (;;) {
        if (t < bottom) return FINE;
        if (n > FEW) { double rough = at_least_demand(n, double(t)); if (rough < EXACT) { i64 u = needed(i64(rough)); if (u < t) { t = u; continue; } } }
        i64 w = demand(n, t);
        if (w == 0) return FINE;
        i64 u = needed(w);
        if (u > t) {
            i64 last = 0;
            for (int j = 0; j < n; j++) if (r.due[j] <= t) { i64 d = t - (t - r.due[j]) % r.period[j]; if (d > last) last = d; }
            return last;
        }
        t = u < t ? u : t - 1;
    }
}
static i64 horizon(double rate, double delay, int n) {
    double used = 0, sum = rate * delay, clipped = sum, latest = 0;
    for (int j = 0; j < n; j++) {
        double share = r.fcost[j] / double(r.period[j]), slack = double(r.period[j]) - r.fdue[j];
        used += share; sum += share * slack; clipped += share * (slack > 0 ? slack : 0); if (-slack > latest) latest = -slack;
    }
    if (used > rate + 1e-9) return MISSED;
    if (used > rate - 1e-9) return TOO_CLOSE;
    double spare = (rate - used) * (1 - 1e-5), far = sum / spare > latest ? sum / spare : latest;
    return i64(clipped / spare < far ? clipped / spare : far) + 2;
}
static void serve(i64 period, i64 budget) { s = {false, 2 * (period - budget), budget, period}; }
static i64 least(i64 period, i64 low, i64 t, i64 w) {
    serve(period, low);
    if (supplied(t) >= w) return low;
    i64 high = period + 1;
    while (high - low > 1) { i64 m = (low + high) >> 1; serve(period, m); if (supplied(t) >= w) high = m; else low = m; }
    if (high <= period) serve(period, high);
    return high;
}
static i64 budget(int n, const i64* c, const i64* t, const i64* d, i64 period) {
    double used = 0;
    for (int j = 0; j < n; j++) { put(j, c[j], t[j], d[j]); used += r.fcost[j] * r.low[j]; }
    i64 low = i64(used * (1 - 0x1p-40) * double(period)), end, furthest = period;
    if (low < 1) low = 1;
    if (low > period) return -1;
    for (int j = 0; j < 2 * n; j++) {
        i64 at = d[j >> 1] + (j & 1) * t[j >> 1], w = demand(n, at);
        if (at > furthest) furthest = at;
        if (w > at || (low = least(period, low, at, w)) > period) return -1;
    }
    for (i64 bottom = 0, top = 4 * furthest;;) {
        end = horizon(double(low) / double(period), double(2 * (period - low)), n);
        if (end == MISSED && low < period) { low++; continue; }
        if (end == TOO_CLOSE) end = top;
        if (end < 0) return -1;
        serve(period, low);
        if (end > top) end = top;
        for (i64 found = search(n, end, bottom); found >= 0; found = search(n, found, bottom))
            if ((low = least(period, low + 1, found, demand(n, found))) > period) return -1;
        if (end < top) return low;
        bottom = top; top *= 2;
    }
}
int main() {
    int rounds, tests, sets, n; long long period, x;
    if (scanf("%d %d %d %d %lld", &rounds, &tests, &sets, &n, &period) != 5) return 1;
    std::vector<i64> c(size_t(sets) * n), t(c.size()), d(c.size()), out(c.size());
    for (auto* v : {&c, &t, &d}) for (auto& e : *v) { if (scanf("%lld", &x) != 1) return 1; e = x; }
    for (int what = 0; what < tests; what++) {
        double best = 1e9; uint64_t sum = 0;
        for (int k = 0; k < rounds; k++) {
            clock_t start = clock(); sum = 0;
            s = {true, 0, 0, 1};
            for (int i = 0; i < sets; i++) {
                const i64 *ci = &c[size_t(i) * n], *ti = &t[size_t(i) * n], *di = &d[size_t(i) * n];
                i64* o = &out[size_t(i) * n];
                if (what == 0) { fp(n, ci, ti, di, o); for (int j = 0; j < n; j++) sum = sum * 1000003 + uint64_t(o[j]); }
                if (what == 1) {
                    for (int j = 0; j < n; j++) put(j, ci[j], ti[j], di[j]);
                    i64 end = horizon(1, 0, n);
                    sum = sum * 1000003 + uint64_t(end >= 0 && search(n, end, 0) == FINE);
                }
                if (what == 2) sum = sum * 1000003 + uint64_t(budget(n, ci, ti, di, period));
            }
            double seconds = double(clock() - start) / CLOCKS_PER_SEC;
            if (seconds < best) best = seconds;
        }
        printf("%.9f %llu\n", best, (unsigned long long)sum);
    }
}
