/* SPDX-License-Identifier: GPL-2.0-or-later
 * Copyright (C) 2026 the memctxd authors
 * Watches the memctx metadata of a domain as an outside reader sees it, faster
 * than one virsh per look could.
 *
 *   metapoll URI DOMAIN [INTERVAL_MS]
 *
 * Prints "T<tab>N<tab>DATUM" for each change, T being CLOCK_MONOTONIC in
 * seconds taken after the answer came, N the number of that look, DATUM on one
 * line, "-" while there is none. SIGUSR1 makes it print "T<tab>N<tab>mark" with
 * the next look: how many looks later something was seen depends on the machine
 * much less than how many seconds. Runs until killed; outlives the domain and
 * libvirtd.
 */
#define _GNU_SOURCE
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static volatile sig_atomic_t wants_mark;

static void
on_signal(int number)
{
    (void)number;
    wants_mark = 1;
}

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
ignore_error(void *opaque, virErrorPtr error)
{
    (void)opaque;
    (void)error;
}

/* The live datum on one line, or "-". The caller frees it. */
static char *
read_datum(virConnectPtr conn, const char *name)
{
    char *datum = NULL;
    virDomainPtr dom = virDomainLookupByName(conn, name);
    if (dom) {
        datum = virDomainGetMetadata(dom, VIR_DOMAIN_METADATA_ELEMENT,
                                     "urn:memctx:1", VIR_DOMAIN_AFFECT_LIVE);
        virDomainFree(dom);
    }
    if (!datum)
        return strdup("-");
    for (char *c = datum; *c; c++) {
        if (*c == '\n')
            *c = ' ';
    }
    return datum;
}

int
main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: metapoll URI DOMAIN [INTERVAL_MS]\n");
        return 2;
    }
    const long interval_ms = argc > 3 ? atol(argv[3]) : 10;
    const struct timespec pause = {
        .tv_sec = interval_ms / 1000,
        .tv_nsec = interval_ms % 1000 * 1000000,
    };
    signal(SIGUSR1, on_signal);
    virSetErrorFunc(NULL, ignore_error);
    setvbuf(stdout, NULL, _IOLBF, 0);

    virConnectPtr conn = NULL;
    char *last = NULL;
    for (unsigned long n = 1;; n++, nanosleep(&pause, NULL)) {
        if (wants_mark) {
            wants_mark = 0;
            printf("%.3f\t%lu\tmark\n", now(), n);
        }
        if (conn && virConnectIsAlive(conn) != 1) {
            virConnectClose(conn);
            conn = NULL;
        }
        if (!conn && !(conn = virConnectOpenReadOnly(argv[1])))
            continue;
        char *datum = read_datum(conn, argv[2]);
        if (last && datum && strcmp(last, datum) == 0) {
            free(datum);
            continue;
        }
        printf("%.3f\t%lu\t%s\n", now(), n, datum ? datum : "-");
        free(last);
        last = datum;
    }
}
