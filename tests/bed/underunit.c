/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* underunit UNIT COMMAND...: runs a command with no_new_privs and with the
 * system calls that the SystemCallFilter= lines of this unit name, as systemd
 * would. All others fail with EPERM. Not even systemd's @default is added: the
 * unit names what it needs. */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define KEY "SystemCallFilter="

static void
die(const char *what)
{
    fprintf(stderr, "underunit: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Names of other architectures have no number here, and are passed over. */
static unsigned
allow(scmp_filter_ctx filter, char *names)
{
    unsigned n = 0;
    for (char *name = strtok(names, " \n"); name != NULL;
         name = strtok(NULL, " \n")) {
        int number = seccomp_syscall_resolve_name(name);
        if (number == __NR_SCMP_ERROR)
            fprintf(stderr, "underunit: there is no system call %s\n", name);
        else if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0) == 0)
            n++;
    }
    return n;
}

int
main(int argc, char **argv)
{
    char line[4096];
    unsigned n = 0;
    FILE *unit = argc > 2 ? fopen(argv[1], "re") : NULL;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (unit == NULL || filter == NULL)
        die("usage: underunit UNIT COMMAND...");
    while (fgets(line, sizeof(line), unit) != NULL) {
        if (strncmp(line, KEY, strlen(KEY)) == 0)
            n += allow(filter, line + strlen(KEY));
    }
    if (n == 0)
        die("the unit lists no system calls");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_load(filter) < 0)
        die("the filter cannot be loaded");
    execvp(argv[2], argv + 2);
    die(argv[2]);
}
