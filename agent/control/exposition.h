/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Writes metrics as text. Knows how Prometheus and OpenMetrics spell them, and
 * nothing of what is measured.
 *
 * The two differ in three things. OpenMetrics declares a counter without its
 * _total and knows the type info, has units, and ends with "# EOF"; the older
 * text format, which the textfile collector of node_exporter reads, has none of
 * that (openmetrics.io; prometheus.io, "Exposition formats"). */
#ifndef MEMCTXD_EXPOSITION_H
#define MEMCTXD_EXPOSITION_H

#include "text/text.h"

enum exposition_spelling {
    EXPOSITION_OPENMETRICS,
    EXPOSITION_PROMETHEUS
};

enum exposition_type {
    EXPOSITION_GAUGE,
    EXPOSITION_COUNTER, /* _total is put behind its name */
    EXPOSITION_INFO     /* _info is; the value is always 1 */
};

/* A family: samples that differ in their labels. */
struct exposition_family {
    const char *name; /* "memctx_..." without _total and _info */
    enum exposition_type type;
    const char *unit; /* that the name ends with; NULL: none */
    const char *help; /* one line, without quotes and backslashes */
};

struct exposition {
    struct memctx_text *text; /* the caller's */
    enum exposition_spelling spelling;
};

struct exposition_label {
    const char *name;
    const char *value; /* anybody's */
};

/* Samples of the family follow. */
void exposition_begin(const struct exposition *e,
                      const struct exposition_family *family);

/* One sample. Values of labels become UTF-8 of one line, quoted: who chose one
 * can add neither a label nor a sample. */
void exposition_add(const struct exposition *e,
                    const struct exposition_family *family,
                    const struct exposition_label *labels, size_t n,
                    double value);

/* No family follows. */
void exposition_end(const struct exposition *e);

#endif
