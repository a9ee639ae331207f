/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright (C) 2026 the memctxd authors */
/* Reads a Linux guest again and again until standard input ends, and judges
 * each read that succeeded: VMCOREINFO in RAM must tell the KASLR offset of the
 * datum that the reader was opened with, init_uts_ns its release.
 *
 *   readloop DOMAIN [WHERE]    prints "generation N" at each renewal, at last
 *                              "good=N stale=N retry=N gone=N wrong=N" */
#include <err.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <memctx.h>

#define BULK (8u << 20)

static unsigned counts[MEMCTX_ERROR_KINDS];
static unsigned wrong;

static uint64_t
value(const char *info, const char *key, int base)
{
    const char *at = strstr(info, key);
    return at != NULL ? strtoull(at + strlen(key), NULL, base) : 0;
}

/* A long read before the judged ones, so that a reset falls into one. */
static int
read_once(struct memctx_reader *reader, unsigned char *bulk,
          struct memctx_error *error)
{
    char *info;
    char release[65];
    size_t len;
    uint64_t offset;
    if (memctx_reader_read_gpa(reader, 1 << 20, bulk, BULK, error) < 0 ||
        memctx_reader_vmcoreinfo(reader, &info, &len, error) < 0)
        return -1;
    uint64_t told = value(info, "\nKERNELOFFSET=", 16);
    uint64_t uts = value(info, "\nSYMBOL(init_uts_ns)=", 16) +
                   value(info, "\nOFFSET(uts_namespace.name)=", 10);
    free(info);
    if (memctx_reader_number(reader, "linux.kaslr_offset", &offset) < 0)
        errx(1, "no KASLR offset");
    if (memctx_reader_read_gva(reader, uts + 2 * sizeof(release), release,
                               sizeof(release), error) < 0)
        return -1;
    const char *wanted = memctx_reader_text(reader, "guest.version");
    if (told != offset || strncmp(release, wanted, sizeof(release)) != 0) {
        wrong++;
        printf("wrong: offset %#" PRIx64 " not %#" PRIx64 ", release %.64s\n",
               told, offset, release);
    }
    return 0;
}

int
main(int argc, char **argv)
{
    struct memctx_error error = MEMCTX_ERROR_INIT;
    struct memctx_agent *agent;
    struct memctx_reader *reader;
    struct pollfd input = {.fd = 0, .events = POLLIN};
    unsigned char *bulk = malloc(BULK);
    if (argc < 2 || bulk == NULL)
        return 2;
    if (memctx_agent_connect(argv[2], &agent, &error) < 0 ||
        memctx_reader_open(agent, argv[1], 60000, &reader, &error) < 0)
        errx(1, "%s", error.message);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("generation %s\n", memctx_reader_text(reader, "generation"));
    while (poll(&input, 1, 0) == 0) {
        if (read_once(reader, bulk, &error) == 0) {
            counts[MEMCTX_OK]++;
            continue;
        }
        counts[error.kind]++;
        if (error.kind == MEMCTX_STALE &&
            memctx_reader_renew(reader, 1000, &error) == 0)
            printf("generation %s\n", memctx_reader_text(reader, "generation"));
        poll(&input, 1, 1);
    }
    printf("good=%u stale=%u retry=%u gone=%u wrong=%u\n", counts[MEMCTX_OK],
           counts[MEMCTX_STALE], counts[MEMCTX_RETRY], counts[MEMCTX_GONE],
           wrong);
    memctx_reader_close(reader);
    memctx_agent_disconnect(agent);
    free(bulk);
    return 0;
}
