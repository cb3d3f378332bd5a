/* A vocabulary of characters as a trie: from n-gram to n-gram by one more byte.
 *
 * A text has several n-grams of characters at each place, each the one before and a character more. By their
 * hashes, each costs a look into four arrays. In the trie it costs one node, which lies near those of its
 * sisters, and no branch that the processor could guess wrong. It is a double array: a node's child by a byte
 * lies at `children + byte`, if what lies there names that node as its parent. So bytes are compared, always.
 *
 * It is made of the arrays when a block is made, and is memory of the worker's own: 12 bytes a node, at most
 * 1.5 MB, so that larger vocabularies stay with their hash table. It depends on the arrays no more, which may
 * be a file that someone else writes to.
 */
#ifndef ASSAY_TRIE_H
#define ASSAY_TRIE_H

#include <stdlib.h>

#include "table.h"

#define MOST_NODES ((size_t)1 << 17)
#define BYTES 256
/* Of an n-gram, at four bytes a character. */
#define MOST_BYTES (4 * MOST_TOKENS)
/* Of 64 nodes so few are left to those that come alone; it would take long to find them. */
#define LEFT 4
/* Where a text's n-grams begin that are looked up at a time. */
#define PLACES 128
#define NO_FEATURE 0xFFFFFFFFu
/* No node: its children are nobody's. */
#define NO_NODE 0u
#define ROOT 1u
#define NO_PARENT 0xFFFFFFFFu

typedef struct {
    uint32_t parent, children;
} Node;

typedef struct {
    Node *nodes; /* NULL: this block has no trie */
    uint32_t *features;
    size_t size; /* of both, such that no byte leads beyond it */
} Trie;

typedef struct {
    uint64_t first; /* eight bytes, in the order in which they are sorted */
    const uint8_t *bytes;
    uint32_t size, feature;
} Key;

/* Keys that begin with the same bytes, as many as the node is deep. */
typedef struct {
    uint32_t node, from, to, depth;
} Branch;

/* What making a trie takes. */
typedef struct {
    Trie trie;
    uint8_t *bytes;
    Key *keys;
    size_t count;
    Branch *branches;
    size_t waiting;
    uint64_t *vacant; /* a bit a node */
    size_t full;      /* how many words at its beginning are not worth a look */
    size_t most;      /* places, a multiple of 64 */
} Growth;

static inline void trie_free(Trie *trie) {
    PyMem_RawFree(trie->nodes);
    PyMem_RawFree(trie->features);
    *trie = (Trie){0};
}

static inline void growth_free(Growth *growth) {
    trie_free(&growth->trie);
    PyMem_RawFree(growth->bytes);
    PyMem_RawFree(growth->keys);
    PyMem_RawFree(growth->branches);
    PyMem_RawFree(growth->vacant);
}

/* A key has a node a byte at most, and most nodes are shared: twice as many find room beside each other. */
static inline int growth_begin(Growth *growth, size_t features, size_t bytes) {
    size_t most = bytes < MOST_NODES / 4 ? (2 * bytes + 2 * BYTES) / 64 * 64 : MOST_NODES;
    size_t nodes = most + BYTES, bits = nodes + BYTES;
    Trie *trie = &growth->trie;
    *growth = (Growth){
        .trie.nodes = PyMem_RawMalloc(nodes * sizeof *trie->nodes),
        .trie.features = PyMem_RawMalloc(nodes * sizeof *trie->features),
        .trie.size = BYTES,
        .bytes = PyMem_RawMalloc(features * MOST_BYTES + 8),
        .keys = PyMem_RawMalloc((features + 1) * sizeof *growth->keys),
        .branches = PyMem_RawMalloc(most * sizeof *growth->branches),
        .vacant = PyMem_RawMalloc(bits / 8),
        .most = most,
    };
    if (trie->nodes == NULL || trie->features == NULL || growth->bytes == NULL || growth->keys == NULL ||
        growth->branches == NULL || growth->vacant == NULL)
        return -1;
    for (size_t node = 0; node < nodes; node++)
        trie->nodes[node] = (Node){NO_PARENT, 0};
    memset(growth->vacant, 0xFF, bits / 8);
    growth->vacant[0] &= ~(uint64_t)(1u << NO_NODE | 1u << ROOT);
    return 0;
}

/* Whether an n-gram may be these bytes: one inside words has a space only at its ends. So none goes on from
 * one word into the next, and their ends need no care. */
static inline int may_be(const uint8_t *bytes, size_t size, int inside_words) {
    return !inside_words || size < 3 || memchr(bytes + 1, ' ', size - 2) == NULL;
}

/* Copy the keys that may be found, and whose hash is theirs, as the table would have it. The arrays may change
 * meanwhile: what is checked is what is used, so each number is read once. */
static inline void copy_keys(Growth *growth, const Table *table, int inside_words) {
    const volatile uint64_t *offsets = table->offsets.data;
    const uint32_t *hashes = table->hashes.data;
    const uint8_t *all = table->keys.data;
    uint8_t *bytes = growth->bytes;
    for (size_t feature = 0; feature < table->hashes.count; feature++) {
        uint64_t begin = offsets[feature], size = offsets[feature + 1] - begin;
        if (size == 0 || size > MOST_BYTES || begin > table->keys.count || size > table->keys.count - begin)
            continue;
        memcpy(bytes, all + begin, size);
        memset(bytes + size, 0, 8);
        if (crc_end(crc_on(CRC_START, bytes, size)) != hashes[feature] || !may_be(bytes, size, inside_words))
            continue;
        uint64_t first = __builtin_bswap64(load_word(bytes));
        growth->keys[growth->count++] = (Key){first, bytes, (uint32_t)size, (uint32_t)feature};
        bytes += size < 8 ? 8 : size;
    }
}

/* By their bytes; of one that is there twice, its first feature comes first. */
static int compare_keys(const void *a, const void *b) {
    const Key *one = a, *other = b;
    if (one->first != other->first)
        return one->first < other->first ? -1 : 1;
    int order = memcmp(one->bytes, other->bytes, one->size < other->size ? one->size : other->size);
    if (order == 0)
        order = (one->size > other->size) - (one->size < other->size);
    return order != 0 ? order : (one->feature > other->feature) - (one->feature < other->feature);
}

static inline uint64_t vacant_from(const Growth *growth, size_t node) {
    const uint64_t *words = growth->vacant + node / 64;
    return node % 64 == 0 ? words[0] : words[0] >> node % 64 | words[1] << (64 - node % 64);
}

/* Where children by these bytes, in ascending order, fit first; 64 places at a time. growth->most: nowhere. */
static inline size_t place_for(Growth *growth, const uint8_t *bytes, size_t count) {
    while (growth->full < growth->most / 64 && __builtin_popcountll(growth->vacant[growth->full]) <= LEFT)
        growth->full++;
    size_t first = growth->full * 64;
    for (size_t place = first > bytes[0] ? (first - bytes[0]) / 64 * 64 : 0; place < growth->most; place += 64) {
        uint64_t fits = ~(uint64_t)0;
        for (size_t at = 0; at < count && fits != 0; at++)
            fits &= vacant_from(growth, place + bytes[at]);
        if (fits != 0)
            return place + (size_t)__builtin_ctzll(fits);
    }
    return growth->most;
}

/* Give a node the children that part its keys. Return 0, or -1 where there is no place for more. */
static inline int put_children(Growth *growth, Branch branch) {
    uint8_t bytes[BYTES];
    uint32_t begins[BYTES + 1];
    size_t count = 0;
    const Key *keys = growth->keys;
    for (uint32_t at = branch.from; at < branch.to; at++) {
        uint8_t byte = keys[at].bytes[branch.depth];
        if (count > 0 && bytes[count - 1] == byte)
            continue;
        bytes[count] = byte;
        begins[count++] = at;
    }
    begins[count] = branch.to;
    size_t place = place_for(growth, bytes, count);
    if (place >= growth->most || growth->waiting + count > growth->most)
        return -1;
    growth->trie.nodes[branch.node].children = (uint32_t)place;
    if (growth->trie.size < place + BYTES)
        growth->trie.size = place + BYTES;
    for (size_t at = 0; at < count; at++) {
        size_t child = place + bytes[at];
        growth->vacant[child / 64] &= ~((uint64_t)1 << child % 64);
        growth->trie.nodes[child].parent = branch.node;
        growth->branches[growth->waiting++] =
            (Branch){(uint32_t)child, begins[at], begins[at + 1], branch.depth + 1};
    }
    return 0;
}

/* Place the nodes of sorted keys, those of shorter n-grams first. Return 0, or -1 where they are too many. */
static inline int grow(Growth *growth) {
    growth->branches[growth->waiting++] = (Branch){ROOT, 0, (uint32_t)growth->count, 0};
    for (size_t at = 0; at < growth->waiting; at++) {
        Branch branch = growth->branches[at];
        uint32_t first = branch.from;
        while (branch.from < branch.to && growth->keys[branch.from].size == branch.depth)
            branch.from++;
        int is_key = branch.from > first;
        growth->trie.features[branch.node] = is_key ? growth->keys[first].feature : NO_FEATURE;
        if (branch.from < branch.to && put_children(growth, branch) < 0)
            return -1;
    }
    return 0;
}

/* Give back the memory behind the last node. Where that fails, all of it stays. */
static inline void trim(Trie *trie) {
    void *nodes = PyMem_RawRealloc(trie->nodes, trie->size * sizeof *trie->nodes);
    trie->nodes = nodes == NULL ? trie->nodes : nodes;
    void *features = PyMem_RawRealloc(trie->features, trie->size * sizeof *trie->features);
    trie->features = features == NULL ? trie->features : features;
}

/* Make a vocabulary's trie; a large one gets none. Return 0, or -1 without memory. */
static inline int trie_of(Trie *trie, const Table *table, int inside_words) {
    Growth growth = {0};
    if (table->hashes.count >= MOST_NODES)
        return 0;
    int failed = growth_begin(&growth, table->hashes.count, table->keys.count);
    if (!failed) {
        copy_keys(&growth, table, inside_words);
        qsort(growth.keys, growth.count, sizeof *growth.keys, compare_keys);
        if (grow(&growth) == 0) {
            *trie = growth.trie;
            growth.trie = (Trie){0};
            trim(trie);
        }
    }
    growth_free(&growth);
    return failed;
}

/* Without a branch: the child by a byte, or NO_NODE. */
static inline uint32_t child_of(const Node *nodes, uint32_t node, uint8_t byte) {
    uint32_t child = nodes[node].children + byte;
    return child & -(uint32_t)(nodes[child].parent == node);
}

/* Go on by the character `size` behind each of the next `count` places, from one row of nodes to another. */
static inline void go_on(
    const Trie *trie, const Walk *walk, size_t size, size_t count, const uint32_t *from, uint32_t *to
) {
    const Node *nodes = trie->nodes;
    const uint32_t *starts = walk->starts + walk->at + size;
    const uint8_t *bytes = walk->bytes + starts[0];
    if (starts[count] - starts[0] == count) { /* ASCII */
        for (size_t at = 0; at < count; at++)
            to[at] = child_of(nodes, from[at], bytes[at]);
        return;
    }
    for (size_t at = 0; at < count; at++) {
        const uint8_t *end = walk->bytes + starts[at + 1];
        uint32_t node = from[at];
        while (bytes < end)
            node = child_of(nodes, node, *bytes++);
        to[at] = node;
    }
}

/* Fill in the nodes of the n-grams that begin at a text's next PLACES, in the order of `next_grams`. Return how
 * many; they may be none before the end. All places go on by a character before any goes on by the next: the
 * processor need not wait for one to read for another. */
static inline size_t next_nodes(const Trie *trie, Walk *walk, uint32_t *found) {
    uint32_t rows[MOST_TOKENS + 1][PLACES];
    size_t left = walk->count - walk->at, places = left < PLACES ? left : PLACES, count = 0;
    size_t low = (size_t)walk->kind->low, high = (size_t)walk->kind->high;
    for (size_t at = 0; at < places; at++)
        rows[0][at] = ROOT;
    for (size_t size = 0; size < high; size++) {
        size_t reach = left <= size ? 0 : left - size < places ? left - size : places;
        if (reach > 0)
            go_on(trie, walk, size, reach, rows[size], rows[size + 1]);
        for (; reach < places; reach++)
            rows[size + 1][reach] = NO_NODE;
    }
    for (size_t at = 0; at < places; at++)
        for (size_t size = low; size <= high; size++) {
            found[count] = rows[size][at];
            count += rows[size][at] != NO_NODE;
        }
    walk->at += (uint32_t)places;
    return count;
}

#endif
