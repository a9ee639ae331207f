/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Changes to a built guest. A few bytes of input make what a hostile guest
 * would write: tables that lead back to themselves, one text a thousand times.
 *
 * Each change is, numbers being little-endian:
 *   kind (1 byte, the upper half: the stage it is made in), place (1), offset
 *   in it (2), and then by kind
 *   0 bytes: length - 1 (1, modulo 64), the bytes
 *   1 entries of a page table: place they lead to (1), flags (1), count - 1 (1)
 *   2 one text again and again: length - 1 (1, modulo 64), times (2), the text
 *   3 a copy: place (1), offset (2), length (2)
 * What the input lacks is zeros. */
#ifndef MEMCTX_TESTS_CHANGES_H
#define MEMCTX_TESTS_CHANGES_H

#include <stddef.h>
#include <stdint.h>

#include "memram.h"

#define FUZZ_PLACES_MAX 48
#define FUZZ_STAGES 4u

/* Flags of an entry that are not just its lowest byte. */
#define FUZZ_ENTRY_NO_EXECUTE 0x08u
#define FUZZ_ENTRY_ASCEND 0x10u /* each entry leads one page further */

/* RAM, and where in it is what a search looks at. A place of a higher number is
 * a page from tables_gpa on. */
struct fuzz_guest {
    struct memram *ram;
    uint64_t places[FUZZ_PLACES_MAX]; /* gpa */
    size_t n_places;
    uint64_t tables_gpa;
    unsigned entry_bytes; /* of its page tables */
    uint64_t no_execute;  /* bits of an entry */
};

/* GPA of a place. */
uint64_t fuzz_place(const struct fuzz_guest *guest, unsigned place);

/* Make the changes that the input has for this stage. */
void fuzz_change(const struct fuzz_guest *guest, unsigned stage,
                 const uint8_t *data, size_t size);

#endif
