/* How many distinct words a text has, and how many of them a vocabulary lacks. */
#ifndef ASSAY_UNKNOWN_H
#define ASSAY_UNKNOWN_H

#include "table.h"

typedef struct {
    size_t distinct, lacking;
} Unknown;

/* Put an n-gram into a hash table unless it is there; return whether it was not. No n-gram is empty. */
static inline int put_once(Gram *slots, size_t mask, const Gram *gram, const uint8_t *bytes) {
    size_t at = gram->hash & mask;
    for (; slots[at].size != 0; at = (at + 1) & mask) {
        const Gram *known = slots + at;
        if (known->hash == gram->hash && known->size == gram->size &&
            memcmp(bytes + known->begin, bytes + gram->begin, gram->size) == 0)
            return 0;
    }
    slots[at] = *gram;
    return 1;
}

/* Needs no lock. Count a text's single words. Return 0, or -1 without memory. */
static inline int count_unknown(const Table *table, Ngrams words, const Text *text, Walk *walk, Unknown *unknown) {
    words.low = words.high = 1;
    *unknown = (Unknown){0, 0};
    if (walk_text(walk, &words, text) < 0)
        return -1;
    size_t room = 16;
    while (room < 2 * most_grams(walk))
        room *= 2;
    Gram *slots = PyMem_RawCalloc(room, sizeof *slots);
    if (slots == NULL)
        return -1;
    Gram grams[AT_ONCE];
    Hit hits[AT_ONCE];
    for (size_t size; (size = next_grams(walk, grams, AT_ONCE)) > 0;) {
        size_t fresh = 0;
        for (size_t at = 0; at < size; at++)
            if (put_once(slots, room - 1, grams + at, walk->bytes))
                grams[fresh++] = grams[at];
        unknown->distinct += fresh;
        unknown->lacking += fresh - look_up(table, walk->bytes, grams, fresh, hits);
    }
    PyMem_RawFree(slots);
    return 0;
}

#endif
