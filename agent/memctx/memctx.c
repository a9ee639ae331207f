/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* memctx, the command line. It does not link libvirt: probe needs none, most
 * commands ask the agent, and livexml.c loads it for the rest. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "memctx/help.h"
#include "memctx/invocation.h"
#include "sandbox/sandbox.h"

static enum exit_code
print_version(void)
{
    puts("memctx " PACKAGE_VERSION);
    return EXIT_DONE;
}

/* The command line fits neither the command nor all of memctx. */
static enum exit_code
refuse(const struct invocation *in, const struct memctx_error *err)
{
    return command_misused(in->command, "%s", err->message);
}

static enum exit_code
run(const struct invocation *in)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    if (in->common.version)
        return print_version();
    if (in->common.help)
        return help_print(in->command);
    if (in->command == NULL)
        return command_misused(NULL, "no command");
    if (invocation_check_words(in, &err) < 0)
        return refuse(in, &err);
    return in->command->run(in);
}

/* Output that was lost (a full disk) is an error, too. */
static enum exit_code
flush(enum exit_code code)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    return command_fail(EXIT_ERROR, "cannot write to standard output%s%s",
                        errno != 0 ? ": " : "",
                        errno != 0 ? strerror(errno) : "");
}

int
main(int argc, char **argv)
{
    struct memctx_error err = MEMCTX_ERROR_INIT;
    MEMCTX_CLEANUP(invocation_deinit)
    struct invocation in = {.command = NULL};
    sandbox_hide_memory();
    if (invocation_choose(&in, argc, argv, &err) < 0 ||
        invocation_parse(&in, argc, argv, &err) < 0)
        return (int)refuse(&in, &err);
    return (int)flush(run(&in));
}
