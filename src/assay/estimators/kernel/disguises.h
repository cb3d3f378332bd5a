/* Spelled-out words, leetspeak and drawn-out letters: folding/disguises.py has the rules in words. */
#ifndef ASSAY_DISGUISES_H
#define ASSAY_DISGUISES_H

#include "cells.h"

/* Returns the length of the separator at a cell, 0 without one: blanks, or signs with a blank beside them. */
static Py_ssize_t separator(const Cell *cell, int signs) {
    Py_ssize_t length = 0;
    if (!signs) {
        while (length < 4 && is_blank(cell[length]))
            length++;
        return length < 4 ? length : 0;
    }
    if (is_stop(cell[0]))
        return 1;
    if (is_blank(cell[0]))
        length++;
    Py_ssize_t strokes = length;
    while (length < strokes + 2 && is_stroke(cell[length]))
        length++;
    if (length == strokes)
        return 0;
    return is_blank(cell[length]) ? length + 1 : length;
}

static int same(const Cell *one, const Cell *other, Py_ssize_t length) {
    for (Py_ssize_t at = 0; at < length; at++)
        if (one[at] != other[at])
            return 0;
    return 1;
}

static inline int begins(const Cell *cell) {
    return !(cell[-1] & ALNUM) && !(is_apostrophe(cell[-1]) && in_word(cell[-2]));
}

static inline int ends(const Cell *cell) {
    return !(cell[1] & ALNUM) && !(is_apostrophe(cell[1]) && in_word(cell[2]));
}

/* Returns the last letter of the longest word that is spelled out from a cell on, or NULL; sets `apart`. */
static const Cell *spelled(const Cell *first, int signs, Py_ssize_t *apart) {
    Py_ssize_t width = separator(first + 1, signs);
    if (width == 0 || !begins(first))
        return NULL;
    const Cell *last = NULL, *cell = first + 1 + width;
    Cell inside = signs ? INSIDE : LETTER;
    for (int letters = 2; *cell & inside; letters = 3) {
        int followed = same(cell + 1, first + 1, width);
        if (letters == 3 && *cell & LETTER && (followed || ends(cell)))
            last = cell;
        if (!followed)
            break;
        cell += 1 + width;
    }
    *apart = width;
    return last;
}

/* Whether letters with separators between them are a word: they differ, and enough of them are letters. */
static int is_word_of(const Cell *first, const Cell *last, Py_ssize_t apart) {
    Py_ssize_t letters = 0;
    int differ = 0, ascii = 1;
    for (const Cell *cell = first; cell <= last; cell += 1 + apart) {
        letters += Py_UNICODE_ISALPHA(point_of(*cell)) != 0;
        differ |= *cell != *first;
        ascii &= point_of(*cell) < 128;
    }
    return differ && letters >= (ascii ? 3 : 4);
}

static inline int may_begin(const Cell *cell) {
    /* No branch a character: which comes next is hard to foresee. */
    return ((*cell & LETTER) != 0) & ((cell[1] & SEPARATES) != 0) & ((cell[-1] & ALNUM) == 0);
}

/* Whether a word may be spelled out whose first letter is one of these cells. */
static int any_spelled(const Cell *cell, const Cell *end) {
    Py_ssize_t apart;
    for (; cell < end; cell++)
        if (may_begin(cell) && (spelled(cell, 1, &apart) != NULL || spelled(cell, 0, &apart) != NULL))
            return 1;
    return 0;
}

/* What a text may hold, so that passes over texts without it are left out. */
enum { SPELLED = 1, MASKED = 2, MARKED = 4, DRAWN = 8 };

typedef struct {
    Cell single, masked, marked, drawn, all;
} Seen;

/* Without branches, so that compilers make it work on many cells at once: shifts put the classes of neighbours
   above each other. */
_Static_assert(SEPARATES << 3 == INSIDE && PLAIN << 3 == MASKING && MARK >> 6 == PLAIN, "shifts of scan_block");
static inline void scan_block(const Cell *cell, Py_ssize_t count, Seen *seen) {
    Cell single = 0, masked = 0, marked = 0, drawn = 0, all = 0;
    for (Py_ssize_t at = 0; at < count; at++) {
        Cell before = cell[at - 1], here = cell[at], after = cell[at + 1];
        all |= here;
        single |= (before & after & SEPARATES) << 3 & here;
        masked |= before << 3 & here;
        marked |= here >> 6 & after;
        drawn |= (before == here) & (here == after) ? here : 0;
    }
    seen->all |= all;
    seen->single = single & INSIDE;
    seen->masked |= masked & MASKING;
    seen->marked |= marked & PLAIN;
    seen->drawn |= drawn & REPEATS;
}

#define BLOCK 16
/* A letter inside has its separator and another letter before it. */
#define MAX_BEHIND 5

/* Returns what a text may hold, and notes which bits its characters have. */
static int scan(Cells *cells) {
    Seen seen = {0, 0, 0, 0, 0};
    const Cell *first = cells->first, *end = first + cells->length;
    int words = 0;
    for (const Cell *cell = first; cell < end; cell += BLOCK) {
        const Cell *after = end - cell < BLOCK ? end : cell + BLOCK;
        if (after < end)
            scan_block(cell, BLOCK, &seen);
        else
            scan_block(cell, after - cell, &seen);
        if (seen.single && !words)
            words = any_spelled(cell - first < MAX_BEHIND ? first : cell - MAX_BEHIND, after);
    }
    cells->all = seen.all;
    return (words ? SPELLED : 0) | (seen.masked ? MASKED : 0) | (seen.marked ? MARKED : 0) |
           (seen.drawn ? DRAWN : 0);
}

/* Writes a text with the words joined that one kind of separator spells out; `to` has room for it. */
static void join_spelled(const Cells *from, Cells *to, int signs) {
    const Cell *cell = from->first, *done = cell, *end = cell + from->length, *last;
    Py_ssize_t apart = 0;
    to->length = 0;
    while (cell < end) {
        if (!may_begin(cell) || (last = spelled(cell, signs, &apart)) == NULL) {
            cell++;
            continue;
        }
        if (is_word_of(cell, last, apart)) {
            cells_copy(to, done, cell - done);
            for (; cell <= last; cell += 1 + apart)
                cells_copy(to, cell, 1);
            done = last + 1;
        }
        cell = last + 1;
    }
    cells_copy(to, done, end - done);
    cells_close(to);
}

/* At most three signs, each of which stands for a letter, and of the digits one, side by side. */
static int readable(const Cell *run, Py_ssize_t length) {
    if (length > 3)
        return 0;
    Py_ssize_t digit = -1;
    for (Py_ssize_t at = 0; at < length; at++) {
        if (!(run[at] & LEET))
            return 0;
        if (!(run[at] & DIGIT))
            continue;
        if (digit >= 0 && (run[at] != run[digit] || digit != at - 1))
            return 0;
        digit = at;
    }
    return 1;
}

/* Puts letters for a run of signs; 1 is l beside an i, beside another 1, and where no letter follows. */
static void read_run(const Classes *classes, Cell *run, Py_ssize_t length, int last) {
    int tall = last || point_of(run[-1]) == 'i' || point_of(run[length]) == 'i';
    for (Py_ssize_t at = 0; at + 1 < length; at++)
        tall |= point_of(run[at]) == '1' && point_of(run[at + 1]) == '1';
    for (Py_ssize_t at = 0; at < length; at++)
        run[at] = tall && point_of(run[at]) == '1' ? classes->ascii['l'] : letter_of(classes, run[at]);
}

/* Returns the end of the run of digits and signs at a cell. */
static inline Cell *run_end(Cell *cell) {
    while (*cell & MASKING)
        cell++;
    return cell;
}

/* Whether @ and a domain's name follow from a cell on. */
static int is_address(const Cell *cell) {
    const Cell *at = cell + 1;
    while (*at & (PLAIN | DIGIT) || point_of(*at) == '-')
        at++;
    return at > cell + 1 && point_of(at[0]) == '.' && (at[1] & PLAIN) != 0;
}

/* Whether the signs inside a word can all be read, and there are any. */
static int is_masked(Cell *word, Cell *end) {
    int found = 0;
    const Cell *address = NULL;
    for (Cell *cell = word; cell < end; cell++) {
        if (point_of(*cell) == '@')
            address = cell;
        if (cell == word || !(cell[-1] & PLAIN) || *cell & PLAIN)
            continue;
        Cell *after = run_end(cell);
        if (after == end)
            continue;
        if (!readable(cell, after - cell))
            return 0;
        found = 1;
    }
    return found && !(address != NULL && is_address(address));
}

static void read_word(const Classes *classes, Cell *word, Cell *end) {
    if (!is_masked(word, end))
        return;
    for (Cell *cell = word + 1; cell < end; cell++) {
        if (!(cell[-1] & PLAIN) || *cell & PLAIN)
            continue;
        Cell *after = run_end(cell);
        if (after < end)
            read_run(classes, cell, after - cell, 0);
        else if (after == cell + 1 && *cell & DIGIT && *cell & LEET && !(*end & ALNUM))
            read_run(classes, cell, 1, 1);
        cell = after;
    }
}

static void read_masked(const Classes *classes, Cells *cells) {
    Cell *cell = cells->first, *end = cell + cells->length;
    while (cell < end) {
        Cell *word = cell, seen = 0;
        for (; *cell & (PLAIN | MASKING); cell++)
            seen |= *cell;
        if (seen & PLAIN && seen & MASKING)
            read_word(classes, word, cell);
        cell++;
    }
}

static inline int is_consonant(Cell cell) {
    return cell & PLAIN && strchr("aeiouy", (int)point_of(cell)) == NULL;
}

/* Puts i for every ! after nothing but one to three consonants and before a letter. */
static void read_marks(const Classes *classes, Cells *cells) {
    const Cell *end = cells->first + cells->length, *last = NULL;
    for (Cell *cell = cells->first; cell < end; cell++) {
        if (!(*cell & MARK) || !(cell[1] & PLAIN))
            continue;
        const Cell *before = cell - 1;
        while (cell - before <= 3 && is_consonant(*before))
            before--;
        if (before == cell - 1 || is_consonant(*before))
            continue;
        /* A ! that has just become a letter was none when the text came. */
        if (before != last && (in_word(*before) || is_apostrophe(*before)))
            continue;
        *cell = classes->ascii['i'];
        last = cell;
    }
}

/* Adds a text with so many letters left of each run of three or more; `to` has room for it. */
static void shorten(const Cells *from, Cells *to, Py_ssize_t left) {
    const Cell *cell = from->first, *end = cell + from->length;
    while (cell < end) {
        const Cell *run = cell;
        while (cell < end && *cell == *run)
            cell++;
        cells_copy(to, run, *run & REPEATS && cell - run > 2 ? left : cell - run);
    }
}

#endif
