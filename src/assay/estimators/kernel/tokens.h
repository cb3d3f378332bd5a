/* Texts as numbers: each distinct token or character gets the next number, a text is a row of them. */
#ifndef ASSAY_TOKENS_H
#define ASSAY_TOKENS_H

#include "memory.h"
#include "ngrams.h"

/* Stands between words whose n-grams may not run into each other, and between texts. */
#define GAP (-1)
#define MOST_NUMBERS 0x7fffffffu

typedef struct {
    uint32_t hash, number; /* the token's number + 1; 0 is a free slot */
} TokenSlot;

typedef struct {
    TokenSlot *slots;
    size_t slot_count; /* a power of two */
    uint8_t *bytes;    /* the tokens, one after the other */
    size_t bytes_room;
    size_t *starts; /* where each begins, and where the next one would */
    size_t starts_room;
    uint32_t count;

    int32_t *numbers; /* all texts' tokens, with a gap after each text */
    size_t numbers_room, size;
    size_t *ends; /* behind each text's gap */
    size_t ends_room, texts;
} Tokens;

static inline void tokens_free(Tokens *tokens) {
    PyMem_RawFree(tokens->slots);
    PyMem_RawFree(tokens->bytes);
    PyMem_RawFree(tokens->starts);
    PyMem_RawFree(tokens->numbers);
    PyMem_RawFree(tokens->ends);
}

static inline size_t token_size(const Tokens *tokens, uint32_t number) {
    return tokens->starts[number + 1] - tokens->starts[number];
}

static inline uint32_t hash_bytes(const uint8_t *bytes, size_t size) {
    uint64_t hash = 0x9e3779b97f4a7c15u ^ size;
    for (size_t at = 0; at < size; at++)
        hash = (hash ^ bytes[at]) * 0x100000001b3u;
    return (uint32_t)(hash ^ hash >> 32);
}

static inline int double_token_slots(Tokens *tokens) {
    size_t count = tokens->slot_count ? 2 * tokens->slot_count : 4096;
    TokenSlot *slots = PyMem_RawCalloc(count, sizeof *slots);
    if (slots == NULL)
        return -1;
    for (size_t old = 0; old < tokens->slot_count; old++) {
        if (tokens->slots[old].number == 0)
            continue;
        size_t at = tokens->slots[old].hash & (count - 1);
        while (slots[at].number != 0)
            at = (at + 1) & (count - 1);
        slots[at] = tokens->slots[old];
    }
    PyMem_RawFree(tokens->slots);
    tokens->slots = slots;
    tokens->slot_count = count;
    return 0;
}

static inline int keep_token(Tokens *tokens, const uint8_t *bytes, size_t size) {
    MAKE_ROOM(tokens->starts, tokens->starts_room, (size_t)tokens->count + 2);
    if (tokens->count == 0)
        tokens->starts[0] = 0;
    size_t begin = tokens->starts[tokens->count];
    MAKE_ROOM(tokens->bytes, tokens->bytes_room, begin + size);
    memcpy(tokens->bytes + begin, bytes, size);
    tokens->starts[++tokens->count] = begin + size;
    return 0;
}

/* Return a token's number, or -1 without memory. */
static inline int32_t number_of_token(Tokens *tokens, const uint8_t *bytes, size_t size) {
    if (2 * (size_t)tokens->count >= tokens->slot_count && double_token_slots(tokens) < 0)
        return -1;
    uint32_t hash = hash_bytes(bytes, size);
    size_t at = hash & (tokens->slot_count - 1);
    for (; tokens->slots[at].number != 0; at = (at + 1) & (tokens->slot_count - 1)) {
        uint32_t number = tokens->slots[at].number - 1;
        if (tokens->slots[at].hash == hash && token_size(tokens, number) == size &&
            memcmp(tokens->bytes + tokens->starts[number], bytes, size) == 0)
            return (int32_t)number;
    }
    if (tokens->count >= MOST_NUMBERS - 1 || keep_token(tokens, bytes, size) < 0)
        return -1;
    tokens->slots[at] = (TokenSlot){hash, tokens->count};
    return (int32_t)tokens->count - 1;
}

/* Append a text that was walked. Return 0, or -1 without memory. */
static inline int add_text(Tokens *tokens, const Walk *walk) {
    int in_words = walk->kind->analyzer == CHARACTERS_IN_WORDS;
    uint32_t gap = walk->kind->analyzer < CHARACTERS;
    /* The walk of a text without words is one space. */
    uint32_t count = in_words && walk->count < 3 ? 0 : walk->count;
    MAKE_ROOM(tokens->ends, tokens->ends_room, tokens->texts + 1);
    MAKE_ROOM(tokens->numbers, tokens->numbers_room, tokens->size + 3 * (size_t)count + 1);
    int32_t *next = tokens->numbers + tokens->size;
    for (uint32_t at = 0; at < count; at++) {
        const uint8_t *bytes = walk->bytes + walk->starts[at];
        int32_t number = number_of_token(tokens, bytes, walk->starts[at + 1] - gap - walk->starts[at]);
        if (number < 0)
            return -1;
        *next++ = number;
        if (in_words && *bytes == ' ' && at > 0 && at + 1 < count) {
            *next++ = GAP;
            *next++ = number;
        }
    }
    *next++ = GAP;
    tokens->size = (size_t)(next - tokens->numbers);
    tokens->ends[tokens->texts++] = tokens->size;
    return 0;
}

#endif
