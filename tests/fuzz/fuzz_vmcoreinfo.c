/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* VMCOREINFO text and note headers, as any guest may have written them. */
#include "fuzz.h"

#include <string.h>

#include "guest/linux/vmcoreinfo.h"

void
fuzz_one(const uint8_t *data, size_t size)
{
    struct memctx_vmcoreinfo info;
    struct memctx_error err = MEMCTX_ERROR_INIT;
    size_t len;
    if (size >= MEMCTX_VMCOREINFO_NOTE_HEADER &&
        memctx_vmcoreinfo_is_note(data, &len))
        FUZZ_MUST(len > 0 && len <= MEMCTX_VMCOREINFO_MAX);
    if (size >= 10)
        (void)memctx_vmcoreinfo_is_text(data);
    if (memctx_vmcoreinfo_parse((const char *)data, size, &info, &err) < 0) {
        FUZZ_MUST(err.kind == MEMCTX_RETRY && err.message[0] != '\0');
        return;
    }
    FUZZ_MUST(memctx_vmcoreinfo_is_text(data));
    FUZZ_MUST(info.release[0] != '\0' &&
              strlen(info.release) < sizeof(info.release));
    FUZZ_MUST(strlen(info.build_id) < sizeof(info.build_id));
    FUZZ_MUST(info.has >> MEMCTX_VMCI_KEYS == 0);
}
