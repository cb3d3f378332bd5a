/* Memory that is used again from text to text; the caller's own, on its stack, as long as that is enough. */
#ifndef ASSAY_ROOM_H
#define ASSAY_ROOM_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

typedef struct {
    void *memory;
    size_t size;
    int lent; /* by the caller, so not to be freed */
} Room;

static inline void room_free(Room *room) {
    if (!room->lent)
        PyMem_RawFree(room->memory);
    *room = (Room){0};
}

/* Return at least `size` bytes, what they held before being lost; NULL without memory. */
static inline void *room_for(Room *room, size_t size) {
    if (size > room->size) {
        room_free(room);
        room->memory = PyMem_RawMalloc(size);
        room->size = room->memory == NULL ? 0 : size;
    }
    return room->memory;
}

#endif
