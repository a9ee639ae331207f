/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Marks at the beginning of files that people have. */
#include <string.h>

#include "base/bytes.h"
#include "dump/dump.h"

#define MARK(text) text, sizeof(text) - 1

#define DUMP_ANEW "make a dump with \"virsh dump --memory-only DOMAIN FILE\""
#define SAVED "restore it with \"virsh restore FILE --paused\", then " DUMP_ANEW

static const struct {
    const char *mark;
    size_t len_bytes;
    enum memctx_dump_form form;
} known[] = {
    {MARK("\177ELF"), MEMCTX_DUMP_ELF},
    {MARK("EMiL"), MEMCTX_DUMP_LIME},
    {MARK("PAGEDU64"), MEMCTX_DUMP_WINDOWS},
    {MARK("PAGEDUMP"), MEMCTX_DUMP_WINDOWS},
    {MARK("KDUMP   "), MEMCTX_DUMP_KDUMP},
    {MARK("DISKDUMP"), MEMCTX_DUMP_KDUMP},
    {MARK("makedumpfile\0\0\0\0"), MEMCTX_DUMP_FLAT},
};

/* What is not read, in words, and what makes something of it that is. */
static const struct {
    const char *mark;
    size_t len_bytes;
    const char *name;
    const char *help;
} others[] = {
    {MARK("\037\213\010"), "compressed by gzip", "unpack it with \"gunzip\""},
    {MARK("\375\067\172\130\132\000"), "compressed by xz",
     "unpack it with \"unxz\""},
    {MARK("\050\265\057\375"), "compressed by zstd",
     "unpack it with \"unzstd\""},
    {MARK("BZh91AY&SY"), "compressed by bzip2", "unpack it with \"bunzip2\""},
    {MARK("\004\042\115\030"), "compressed by lz4", "unpack it with \"unlz4\""},
    {MARK("\211LZO\000\r\n\032\n"), "compressed by lzop",
     "unpack it with \"lzop -d\""},
    {MARK("PK\003\004"), "a ZIP archive", "unpack it with \"unzip\""},
    {MARK("7z\274\257\047\034"), "a 7z archive", "unpack it with \"7z x\""},
    {MARK("QFI\373"), "a disk image (qcow2)",
     "it holds no RAM that can be read here; " DUMP_ANEW},
    {MARK("LibvirtQemudSave"), "what \"virsh save\" writes", SAVED},
    {MARK("LibvirtQemudPart"), "what \"virsh save\" has begun and not ended",
     DUMP_ANEW},
    {MARK("QEVM"),
     "a migration stream of QEMU, as \"virsh dump\" without --memory-only "
     "writes it",
     DUMP_ANEW},
    {MARK("LVMA"), "compressed by AVML",
     "unpack it with \"avml-convert FILE OUTPUT\""},
    {MARK("\320\276\322\276"), "a state file of VMware",
     "give the .vmem file beside it, which is raw RAM"},
    {MARK("\321\272\321\272"), "a state file of VMware",
     "give the .vmem file beside it, which is raw RAM"},
    {MARK("\322\276\322\276"), "a state file of VMware",
     "give the .vmem file beside it, which is raw RAM"},
    {MARK("\323\276\323\276"), "a state file of VMware",
     "give the .vmem file beside it, which is raw RAM"},
    {MARK("hibr"), "a hibernation file of Windows",
     "make raw RAM of it with \"Hibr2Bin\""},
    {MARK("HIBR"), "a hibernation file of Windows",
     "make raw RAM of it with \"Hibr2Bin\""},
    {MARK("RSTR"), "a hibernation file of Windows",
     "make raw RAM of it with \"Hibr2Bin\""},
    {MARK("wake"), "a hibernation file of Windows that has been resumed from",
     "it holds no RAM any more"},
    {MARK("WAKE"), "a hibernation file of Windows that has been resumed from",
     "it holds no RAM any more"},
    {MARK("MDMP"), "a minidump of Windows",
     "it holds no RAM; make a complete memory dump"},
};

static bool
begins_with(const unsigned char *head, size_t len_bytes, const char *mark,
            size_t mark_bytes)
{
    return len_bytes >= mark_bytes && memcmp(head, mark, mark_bytes) == 0;
}

int
memctx_dump_recognise(const unsigned char *head, size_t len_bytes,
                      enum memctx_dump_form *ret, struct memctx_error *err)
{
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(known); i++) {
        if (begins_with(head, len_bytes, known[i].mark, known[i].len_bytes)) {
            *ret = known[i].form;
            return 0;
        }
    }
    for (size_t i = 0; i < MEMCTX_ARRAY_LEN(others); i++) {
        if (begins_with(head, len_bytes, others[i].mark, others[i].len_bytes))
            return memctx_error_set(err, MEMCTX_PERMANENT,
                                    "this is %s, expected guest RAM: %s "
                                    "(--ram-format raw takes it for RAM all "
                                    "the same)",
                                    others[i].name, others[i].help);
    }
    *ret = MEMCTX_DUMP_RAW;
    return 0;
}
