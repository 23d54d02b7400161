// Candidates for the levels of one side of a book, driven by the same changes: see
// docs/decisions/0010-order-book-structure.md. Run by `benchmarks/book.py --structures`.
//
// Usage: book_structures FILE, a sequence of int64 triples (side 1 or -1, price in 1e-9, new
// total; 0 deletes). After every change the best price of both sides is read. Prints, for each
// structure, its name, ns per change (best of 9), levels at the end, bytes, and a checksum of the
// best prices that must be the same for all.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <numeric>
#include <vector>

using i64 = int64_t;
struct Change { i64 side, price, size; };
static i64 tick, lowest, highest;  // of the whole feed: only the ladder knows them beforehand

// One array of prices and one of sizes, best last, found by halving.
struct SortedArrays {
    std::vector<i64> keys, sizes;
    explicit SortedArrays(int) {}
    void set(i64 key, i64 size) {
        const i64 *base = keys.data();
        size_t n = keys.size();
        while (n > 1) {
            size_t half = n / 2;
            base = base[half] < key ? base + half : base;
            n -= half;
        }
        size_t i = keys.empty() ? 0 : (base - keys.data()) + (*base < key);
        if (i < keys.size() && keys[i] == key) {
            if (size) { sizes[i] = size; return; }
            keys.erase(keys.begin() + i);
            sizes.erase(sizes.begin() + i);
        } else if (size) {
            keys.insert(keys.begin() + i, key);
            sizes.insert(sizes.begin() + i, size);
        }
    }
    i64 best() const { return keys.empty() ? INT64_MIN : keys.back(); }
    size_t count() const { return keys.size(); }
    size_t bytes() const { return keys.capacity() * 16; }
};

// A red-black tree, as the standard library has it.
struct Tree {
    std::map<i64, i64> levels;
    explicit Tree(int) {}
    void set(i64 key, i64 size) { if (size) levels[key] = size; else levels.erase(key); }
    i64 best() const { return levels.empty() ? INT64_MIN : levels.rbegin()->first; }
    size_t count() const { return levels.size(); }
    size_t bytes() const { return levels.size() * 48; }
};

// A hash table of all levels, and the order of the best 128 to 192 prices only; when that window
// runs empty the whole table is searched for the next best.
struct HashAndWindow {
    struct Slot { i64 key, size; };
    std::vector<Slot> slots;
    std::vector<i64> window;
    size_t used = 0, live = 0;
    explicit HashAndWindow(int) : slots(1024, Slot{INT64_MIN, 0}) { window.reserve(193); }
    Slot *find(i64 key) {
        size_t mask = slots.size() - 1, i = (uint64_t(key) * 0x9E3779B97F4A7C15u >> 32) & mask;
        while (slots[i].key != key && slots[i].key != INT64_MIN) i = (i + 1) & mask;
        return &slots[i];
    }
    void grow() {
        std::vector<Slot> old;
        old.swap(slots);
        size_t size = 1024;
        while (size < live * 3) size *= 2;
        slots.assign(size, Slot{INT64_MIN, 0});
        used = live;
        for (auto &s : old) if (s.size) *find(s.key) = s;
    }
    void refill() {
        std::vector<i64> all;
        for (auto &s : slots) if (s.size) all.push_back(s.key);
        size_t n = std::min<size_t>(128, all.size());
        std::nth_element(all.begin(), all.end() - n, all.end());
        std::sort(all.end() - n, all.end());
        window.assign(all.end() - n, all.end());
    }
    void set(i64 key, i64 size) {
        Slot *slot = find(key);
        if (slot->key != key) {
            if (!size) return;
            if (used * 2 >= slots.size()) { grow(); slot = find(key); }
            *slot = Slot{key, 0};
            used++;
        }
        bool was = slot->size != 0, is = size != 0;
        slot->size = size;
        if (was == is) return;
        auto at = std::lower_bound(window.begin(), window.end(), key);
        if (is) {
            bool whole = window.size() == live++;
            if (whole || key > window.front()) window.insert(at, key);
            if (window.size() > 192) window.erase(window.begin(), window.begin() + 64);
        } else {
            live--;
            if (!window.empty() && key >= window.front()) window.erase(at);
            if (window.empty() && live) refill();
        }
    }
    i64 best() const { return window.empty() ? INT64_MIN : window.back(); }
    size_t count() const { return live; }
    size_t bytes() const { return slots.size() * 16 + window.capacity() * 8; }
};

// A slot for every tick between the lowest and the highest price of the feed, in pages of 64 made
// when first used, with bit sets over them to find the next best.
struct TickLadder {
    struct Page { uint64_t used; i64 sizes[64]; };
    std::vector<Page *> pages;
    std::vector<uint64_t> used;
    i64 base, top = -1;
    size_t levels = 0, made = 0;
    explicit TickLadder(int sign) {
        i64 low = sign > 0 ? lowest / tick : -highest / tick, n = (highest - lowest) / tick / 64 + 2;
        base = low;
        pages.assign(n, nullptr);
        used.assign(n / 64 + 1, 0);
    }
    void set(i64 key, i64 size) {
        i64 at = key / tick - base, p = at >> 6;
        Page *page = pages[p];
        if (!page) {
            if (!size) return;
            page = pages[p] = static_cast<Page *>(calloc(1, sizeof(Page)));
            made++;
        }
        uint64_t bit = uint64_t(1) << (at & 63);
        if (size) {
            levels += !(page->used & bit);
            page->used |= bit;
            page->sizes[at & 63] = size;
            used[p >> 6] |= uint64_t(1) << (p & 63);
            top = std::max(top, at);
        } else if (page->used & bit) {
            levels--;
            page->used &= ~bit;
            if (!page->used) used[p >> 6] &= ~(uint64_t(1) << (p & 63));
            if (at == top) find_top(p);
        }
    }
    void find_top(i64 p) {
        i64 word = p >> 6;
        while (word >= 0 && !used[word]) word--;
        if (word < 0) { top = -1; return; }
        p = (word << 6) + 63 - __builtin_clzll(used[word]);
        top = (p << 6) + 63 - __builtin_clzll(pages[p]->used);
    }
    i64 best() const { return top < 0 ? INT64_MIN : (top + base) * tick; }
    size_t count() const { return levels; }
    size_t bytes() const { return made * sizeof(Page) + pages.size() * 8 + used.size() * 8; }
};

template <class Side> void run(const char *name, const std::vector<Change> &feed) {
    double fastest = 1e9;
    size_t levels = 0, bytes = 0;
    uint64_t sum = 0;
    for (int repeat = 0; repeat < 9; repeat++) {
        Side *bids = new Side(1), *asks = new Side(-1);
        sum = 0;
        auto start = std::chrono::steady_clock::now();
        for (const auto &c : feed) {
            if (c.side > 0) bids->set(c.price, c.size);
            else asks->set(-c.price, c.size);
            sum += uint64_t(bids->best()) + uint64_t(asks->best());
        }
        std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
        fastest = std::min(fastest, spent.count() / feed.size());
        levels = bids->count() + asks->count();
        bytes = bids->bytes() + asks->bytes();
    }
    printf("%s %.1f %zu %zu %llx\n", name, fastest, levels, bytes, (unsigned long long)sum);
}

int main(int, char **arguments) {
    std::vector<Change> feed;
    FILE *file = fopen(arguments[1], "rb");
    if (!file) return 1;
    for (Change c; fread(&c, sizeof c, 1, file) == 1;) feed.push_back(c);
    fclose(file);
    lowest = INT64_MAX;
    for (const auto &c : feed) {
        tick = std::gcd(tick, c.price);
        lowest = std::min(lowest, c.price);
        highest = std::max(highest, c.price);
    }
    run<SortedArrays>("sorted_arrays", feed);
    run<Tree>("tree", feed);
    run<HashAndWindow>("hash_and_window", feed);
    run<TickLadder>("tick_ladder", feed);
}
