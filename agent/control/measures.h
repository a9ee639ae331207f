/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* All that is measured, as a table of families. The numbers stay with who
 * counts them; they are collected here, on the loop, when somebody asks. */
#ifndef MEMCTXD_MEASURES_H
#define MEMCTXD_MEASURES_H

#include "control/exposition.h"
#include "control/service.h"
#include "record/state.h"

struct measures_wish {
    enum exposition_spelling spelling;
    /* Which domains are told of; NULL: all. */
    bool (*may)(void *arg, const struct record *record);
    void *arg;
};

/* Add all metrics to the text. Loop thread. */
void measures_write(const struct service *service,
                    const struct measures_wish *wish, struct memctx_text *text);

/* The families, for tests/print_metrics.c. */
const struct exposition_family *measures_family(size_t index);
const char *measures_labels(size_t index);

#endif
