/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* The kernel's own types, for bpftool, pahole and whatever else reads BTF. */
#include "export/format.h"

int
memctx_export_btf(const struct memctx_export_subject *subject,
                  const struct memctx_sink *sink, struct memctx_error *err)
{
    size_t len;
    const unsigned char *bytes = memctx_btf_bytes(subject->btf, &len);
    return sink->write(sink->arg, bytes, len, err);
}
