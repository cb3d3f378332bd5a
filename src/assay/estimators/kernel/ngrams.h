/* A text's n-grams, one after the other: their UTF-8 bytes and CRC-32, as `ngrams.py` cuts them.
 *
 *     Walk walk = {0};
 *     if (walk_text(&walk, &kind, &text) < 0) ...          no memory, or a text too long
 *     while ((count = next_grams(&walk, grams, room)) > 0)
 *         ...                                              bytes at walk.bytes + gram.begin
 *     walk_free(&walk);
 *
 * Nothing here needs the interpreter's lock. A walk is used for text after text and keeps its memory.
 * Texts come as `prepared_text` returns them.
 */
#ifndef ASSAY_NGRAMS_H
#define ASSAY_NGRAMS_H

#include "crc.h"
#include "letters.h"
#include "stopwords.h"

typedef enum { WORDS, ALL_WORDS, WORDS_AND_PUNCTUATION, CHARACTERS, CHARACTERS_IN_WORDS } Analyzer;

/* The longest n-gram, in tokens or characters; `next_grams` needs room for as many. */
#define MOST_TOKENS 10
/* So that an offset into a text's bytes, tokens parted by spaces, has 32 bits. */
#define MOST_CHARACTERS ((Py_ssize_t)1 << 28)

typedef struct {
    Analyzer analyzer;
    int low, high;
    int lower;
    const StopWords *stop; /* or NULL */
} Ngrams;

typedef struct {
    uint32_t hash, begin, size;
} Gram;

typedef struct {
    uint8_t *bytes;   /* tokens parted by one space each, or characters */
    uint32_t *starts; /* where each token begins, and where the next one would */
    uint32_t count;   /* of tokens */
    const Ngrams *kind;
    uint32_t at, word_end;
    uint8_t *letters, *classes;
    size_t room; /* of `memory`, in bytes */
    void *memory;
} Walk;

static inline void walk_free(Walk *walk) {
    PyMem_RawFree(walk->memory);
    walk->memory = NULL;
    walk->room = 0;
}

/* Divide one piece of memory among the arrays of a text. */
static inline int walk_room(Walk *walk, const Text *text) {
    size_t letters = most_bytes(text) + SLACK;
    size_t joined = 2 * letters, starts = ((size_t)text->length + 4) * sizeof *walk->starts;
    size_t room = starts + 2 * letters + joined;
    if (room > walk->room) {
        walk_free(walk);
        walk->memory = PyMem_RawMalloc(room);
        if (walk->memory == NULL)
            return -1;
        walk->room = room;
    }
    walk->starts = walk->memory;
    walk->letters = (uint8_t *)walk->memory + starts;
    walk->classes = walk->letters + letters;
    walk->bytes = walk->classes + letters;
    return 0;
}

/* One bit a byte: whether the class of each of 64 bytes is `class`. */
static inline uint64_t class_bits(const uint8_t *classes, int class) {
    uint64_t bits = 0;
    for (int part = 0; part < 8; part++) {
        uint64_t word = load_word(classes + 8 * part) >> (class >> 1) & 0x0101010101010101u;
        bits |= (word * 0x0102040810204080u >> 56) << (8 * part);
    }
    return bits;
}

/* Append a token and the space behind it; the token stays only if `kept`. */
static inline size_t put_token(Walk *walk, size_t end, size_t from, size_t size, int kept) {
    for (size_t at = 0; at < size; at += 16)
        memcpy(walk->bytes + end + at, walk->letters + from + at, 16);
    walk->bytes[end + size] = ' ';
    if (walk->kind->stop != NULL && kept)
        kept = !is_stopword(walk->kind->stop, walk->bytes + end, size);
    walk->starts[walk->count] = (uint32_t)end;
    walk->count += (uint32_t)kept;
    return kept ? end + size + 1 : end;
}

/* Cut runs of word characters (for WORDS: of two or more), and single other ones where they count. */
static inline void cut_words(Walk *walk, size_t size) {
    Analyzer analyzer = walk->kind->analyzer;
    size_t end = 0, begin = 0;
    uint64_t inside = 0;
    for (size_t block = 0; block <= size; block += 64) {
        uint64_t words = class_bits(walk->classes + block, WORD);
        uint64_t others = analyzer == WORDS_AND_PUNCTUATION ? class_bits(walk->classes + block, OTHER) : 0;
        uint64_t edges = (words ^ (words << 1 | inside)) | others;
        for (; edges != 0; edges &= edges - 1) {
            int bit = __builtin_ctzll(edges);
            size_t at = block + (size_t)bit;
            if (inside) {
                int kept = analyzer != WORDS || at - begin > width_of(walk->letters[begin]);
                end = put_token(walk, end, begin, at - begin, kept);
            }
            inside = words >> bit & 1;
            begin = at;
            if (others >> bit & 1)
                end = put_token(walk, end, at, width_of(walk->letters[at]), 1);
        }
    }
    walk->starts[walk->count] = (uint32_t)end;
}

/* Append a character; four bytes are copied whatever its width. */
static inline size_t put_character(Walk *walk, size_t end, size_t from, size_t width) {
    walk->starts[walk->count++] = (uint32_t)end;
    memcpy(walk->bytes + end, walk->letters + from, 4);
    return end + width;
}

static inline size_t put_space(Walk *walk, size_t end) {
    walk->starts[walk->count++] = (uint32_t)end;
    walk->bytes[end] = ' ';
    return end + 1;
}

/* Cut characters. A run of white space becomes one space; inside words, single white space does too, and
 * the text gets a space at both ends. */
static inline void cut_characters(Walk *walk, size_t size) {
    int inside_words = walk->kind->analyzer == CHARACTERS_IN_WORDS;
    size_t end = 0, at = 0;
    if (inside_words)
        end = put_space(walk, end);
    while (at < size) {
        size_t width = width_of(walk->letters[at]);
        if (!(walk->classes[at] & SPACE)) {
            end = put_character(walk, end, at, width);
            at += width;
            continue;
        }
        size_t begin = at;
        while (at < size && walk->classes[at] & SPACE)
            at++;
        int whole = at - begin == width && !inside_words;
        if (whole)
            end = put_character(walk, end, begin, width);
        else if (!inside_words || walk->count > 1)
            end = put_space(walk, end);
    }
    if (inside_words && walk->bytes[end - 1] != ' ')
        end = put_space(walk, end);
    walk->starts[walk->count] = (uint32_t)end;
}

/* Begin with a text. Return 0, or -1 without memory or for a text of more than MOST_CHARACTERS. */
static inline int walk_text(Walk *walk, const Ngrams *kind, const Text *text) {
    walk->kind = kind;
    walk->count = walk->at = walk->word_end = 0;
    if (text->length > MOST_CHARACTERS || walk_room(walk, text) < 0)
        return -1;
    size_t size = read_letters(text, walk->letters, walk->classes);
    memset(walk->classes + size, 0, SLACK);
    if (kind->analyzer >= CHARACTERS)
        cut_characters(walk, size);
    else
        cut_words(walk, size);
    memset(walk->bytes + walk->starts[walk->count], 0, 8);
    return 0;
}

/* Put the n-grams that begin with token `at` and end before `last`. */
static inline size_t put_grams(const Walk *walk, Gram *grams, size_t count, uint32_t last, uint32_t gap) {
    uint32_t begin = walk->starts[walk->at], from = begin, state = CRC_START;
    for (uint32_t size = 1; size <= (uint32_t)walk->kind->high && walk->at + size <= last; size++) {
        uint32_t end = walk->starts[walk->at + size] - gap;
        state = crc_on(state, walk->bytes + from, end - from);
        from = end;
        if (size >= (uint32_t)walk->kind->low)
            grams[count++] = (Gram){crc_end(state), begin, end - begin};
    }
    return count;
}

/* Find the word that begins at the space before it. A word shorter than any n-gram counts once, whole. */
static inline size_t enter_word(Walk *walk, Gram *grams, size_t count) {
    uint32_t end = walk->at + 1;
    while (end < walk->count && walk->bytes[walk->starts[end]] != ' ')
        end++;
    walk->word_end = end + 1;
    uint32_t begin = walk->starts[walk->at], size = walk->starts[end + 1] - begin;
    if (end + 1 - walk->at < (uint32_t)walk->kind->low)
        grams[count++] = (Gram){crc_end(crc_on(CRC_START, walk->bytes + begin, size)), begin, size};
    return count;
}

static inline size_t next_in_words(Walk *walk, Gram *grams, size_t room) {
    size_t count = 0;
    while (walk->at + 1 < walk->count && count + 2 * MOST_TOKENS < room) {
        if (walk->word_end == 0)
            count = enter_word(walk, grams, count);
        count = put_grams(walk, grams, count, walk->word_end, 0);
        walk->at++;
        /* The space behind a word is also the one before the next. */
        if (walk->at == walk->word_end - 1) {
            count = put_grams(walk, grams, count, walk->word_end, 0);
            walk->word_end = 0;
        }
    }
    return count;
}

/* Fill in n-grams, at most `room`, which must be more than 2 * MOST_TOKENS. Return how many; 0 at the end. */
static inline size_t next_grams(Walk *walk, Gram *grams, size_t room) {
    if (walk->kind->analyzer == CHARACTERS_IN_WORDS)
        return next_in_words(walk, grams, room);
    uint32_t gap = walk->kind->analyzer < CHARACTERS;
    size_t count = 0;
    for (; walk->at < walk->count && count + MOST_TOKENS <= room; walk->at++)
        count = put_grams(walk, grams, count, walk->count, gap);
    return count;
}

/* How many n-grams a text has at most. A space between words ends one word and begins the next. */
static inline size_t most_grams(const Walk *walk) {
    int shared = walk->kind->analyzer == CHARACTERS_IN_WORDS;
    return (size_t)walk->count * (size_t)(walk->kind->high - walk->kind->low + 1 + shared);
}

/* Needs the lock. Return a new reference to the text as `walk_text` takes it. Python lower-cases what C does
 * not know how to, and through `prepare` (a callable, or NULL) all that is not ASCII. NULL: an exception. */
static inline PyObject *prepared_text(PyObject *object, const Ngrams *kind, PyObject *prepare, Text *text) {
    if (text_of(object, text) < 0)
        return NULL;
    PyObject *ready = NULL;
    if (prepare != NULL && !text->ascii) {
        ready = PyObject_CallOneArg(prepare, object);
    } else if (kind->lower && !lowers_alone(text)) {
        ready = PyObject_CallMethod(object, "lower", NULL);
    } else {
        text->lower = kind->lower;
        return Py_NewRef(object);
    }
    if (ready != NULL && text_of(ready, text) < 0)
        Py_CLEAR(ready);
    return ready;
}

#endif
