/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx core: guest memory as an ELF core, in a file or as a mount. */
#include "memctx/cmd.h"

#include "base/cleanup.h"
#include "memctx/corefile.h"
#include "memctx/coremount.h"
#include "memctx/subject.h"

static enum exit_code
make_core(const struct options *options, const struct subject *subject)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(memctx_elfcore_cleanup) struct memctx_elfcore *core = NULL;
    if (corefile_create(subject, &core, &err) < 0)
        return cmd_fail(EXIT_ERROR, "%s", err.message);
    int failed = options->output != NULL
                     ? corefile_write(core, subject, options->output, &err)
                     : coremount_run(core, subject, options->mount, &err);
    if (failed < 0)
        return cmd_fail(EXIT_ERROR, "%s", err.message);
    return EXIT_DONE;
}

enum exit_code
cmd_core(const struct options *options, int n_words, char **words)
{
    MEMCTX_CLEANUP(subject_deinit) struct subject subject = SUBJECT_INIT;
    if ((options->ram != NULL) == (n_words == 1))
        return cmd_fail(EXIT_USAGE, "core wants a DOMAIN or --ram FILE");
    if ((options->output != NULL) == (options->mount != NULL))
        return cmd_fail(EXIT_USAGE, "core wants --output FILE or --mount DIR");
    enum exit_code code =
        options->ram != NULL ? subject_from_file(options, &subject)
                             : subject_from_domain(options, words[0], &subject);
    return code != EXIT_DONE ? code : make_core(options, &subject);
}
