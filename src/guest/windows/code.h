/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads the code of a kernel's getter functions: PsGetProcessId() is the one
 * place in every build that says where in an EPROCESS the pid is. */
#ifndef MEMCTX_WINDOWS_CODE_H
#define MEMCTX_WINDOWS_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "paging/view.h"

enum memctx_windows_getter {
    MEMCTX_WINDOWS_GETS_VALUE,   /* returns what is in the field */
    MEMCTX_WINDOWS_GETS_ADDRESS, /* returns the field's address */
};

/* Follow the function at gva and say at which offset of its only argument the
 * field is. False when it does anything else than fetch one field: what is not
 * understood is not guessed. At most 24 instructions. Any thread. */
bool memctx_windows_code_offset(struct memctx_view *view, uint64_t gva,
                                enum memctx_windows_getter getter,
                                uint16_t *ret);

#endif
